"""Stills on their way into the record: commit, then thumbnail, display and corrected picture in steps."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

import cv2
import structlog

from media.interface import TappedFrame
from records.interface import (
    Actor,
    CaptureMethod,
    CareSubject,
    NewUpload,
    RecordError,
    Records,
    Role,
    Snapshot,
    UploadPurpose,
    Variant,
)
from signaling.background import Background
from signaling.bus import Bus, Change
from signaling.color_jobs import ColorFunctions, derive_corrected, derive_shown
from signaling.color_workers import ColorWorkers
from signaling.identity import care_of
from signaling.views import lacks_pictures, snapshot_view

log = structlog.get_logger()
SOFTWARE = f"truehue {version('truehue')}"


class Stills:
    """Keeps snapshots and derives their pictures in the background; every step is told on the bus."""

    def __init__(
        self,
        records: Records,
        bus: Bus,
        workers: ColorWorkers,
        functions: ColorFunctions,
        clock: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._bus = bus
        self._workers = workers
        self._functions = functions
        self._clock = clock
        self._background = Background("stills")
        self._under_way: set[str] = set()

    async def commit(self, actor: Actor, upload_id: str) -> Snapshot:
        """Make a whole upload a snapshot, and begin to derive its pictures. Raises RecordError."""
        upload = await self._records.upload(upload_id)
        snapshot = await self._records.commit_upload(actor, upload_id, self._clock())
        await self._tell(snapshot, upload.new.capture_id or "")
        self.derive_later(snapshot)
        return snapshot

    async def keep_frame(
        self, actor: Actor, consultation_id: str, capture_id: str, frame: TappedFrame, device: str
    ) -> Snapshot:
        """Keep a video frame losslessly, named as what it is. Raises RecordError."""
        png = await asyncio.to_thread(_png, frame)
        new = NewUpload(
            purpose=UploadPurpose.SNAPSHOT,
            owner_id=consultation_id,
            uploader_id=actor.actor_id,
            capture_id=capture_id,
            size_bytes=len(png),
            sha256=hashlib.sha256(png).hexdigest(),
            media_type="image/png",
            method=CaptureMethod.RELAY_FRAME,
            taken_at=self._clock(),
            device=device,
            settings={"publication_id": frame.publication_id, "sharpness": round(frame.sharpness, 2)},
        )
        snapshot = await self._records.add_snapshot(actor, new, png, self._clock())
        await self._tell(snapshot, capture_id)
        self.derive_later(snapshot)
        return snapshot

    def derive_later(self, snapshot: Snapshot) -> None:
        """Derive what this snapshot lacks, unless that is under way. Without a chart: no correction."""
        if snapshot.snapshot_id in self._under_way or not lacks_pictures(snapshot_view(snapshot)):
            return
        self._under_way.add(snapshot.snapshot_id)
        self._background.spawn(self._derive(snapshot))

    async def _derive(self, snapshot: Snapshot) -> None:
        snapshot_id = snapshot.snapshot_id
        actor = Actor("system", Role.SYSTEM, reason_of(snapshot))
        try:
            original, _ = await self._records.snapshot_bytes(
                actor, snapshot_id, Variant.ORIGINAL, self._clock()
            )
            chart = None
            if not any(image.variant is Variant.DISPLAY for image in snapshot.derived):
                shown = await self._workers.run(derive_shown, self._functions, original)
                await self._add(actor, snapshot_id, Variant.THUMBNAIL, shown.thumbnail, None)
                judged = await self._add(actor, snapshot_id, Variant.DISPLAY, shown.display, shown.quality)
                await self._tell(judged, "")
                chart = shown.detection
                if chart is None or self._background.stopping.is_set():
                    return
            corrected = await self._workers.run(derive_corrected, self._functions, original, chart)
            if corrected is not None:
                with_color = await self._add(
                    actor, snapshot_id, Variant.CORRECTED, corrected.jpeg, corrected.report
                )
                await self._tell(with_color, "")
        except RecordError as error:
            log.warning("derive_refused", snapshot_id=snapshot_id, error=error.error_id)
        except Exception as error:
            # The original is safe; the pictures are derived again when somebody next opens the record.
            log.error("derive_failed", snapshot_id=snapshot_id, error=type(error).__name__)
        finally:
            self._under_way.discard(snapshot_id)

    async def _add(
        self, actor: Actor, snapshot_id: str, variant: Variant, data: bytes, report: Any
    ) -> Snapshot:
        return await self._records.add_derived(
            actor, snapshot_id, variant, data, report, SOFTWARE, self._clock()
        )

    async def _tell(self, snapshot: Snapshot, capture_id: str) -> None:
        await self._bus.publish(
            Change(
                consultation_id=snapshot.consultation_id or "",
                snapshot_id=snapshot.snapshot_id,
                capture_id=capture_id,
                video_frame=snapshot.method is CaptureMethod.RELAY_FRAME,
            )
        )
        if snapshot.referral_id is not None and snapshot.consultation_id is None:
            link = await care_of(self._records, CareSubject.REFERRAL, snapshot.referral_id)
            await self._bus.publish(Change(site_id=link.site_id, open_referrals=True))

    async def settle(self) -> None:
        """Wait until nothing is being derived."""
        await self._background.settle()

    async def stop(self) -> None:
        """Let what is being derived come to its next step."""
        await self._background.stop()


def reason_of(snapshot: Snapshot) -> str:
    """The consultation or referral that a snapshot belongs to, as the audit's reason."""
    if snapshot.consultation_id is not None:
        return f"consultation/{snapshot.consultation_id}"
    return f"referral/{snapshot.referral_id}"


def _png(frame: TappedFrame) -> bytes:
    """Lossless: the frame was lossy enough. Level 3 of 9 takes a tenth of a second at 720p."""
    encoded, data = cv2.imencode(
        ".png", cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3]
    )
    if not encoded:
        raise RecordError("the frame could not be encoded")
    return data.tobytes()
