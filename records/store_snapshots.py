"""Store: snapshots, their unaltered originals and the pictures derived from them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from records import images
from records.ids import new_id
from records.interface import (
    Actor,
    Conflict,
    HashMismatch,
    ImageFacts,
    NewUpload,
    NotAnImage,
    NotFound,
    RecordError,
    Snapshot,
    UploadOffsetMismatch,
    UploadPurpose,
    Variant,
)
from records.keys import PatientKeys
from records.rows import (
    load_snapshots,
    open_facts,
    seal_facts,
    upload_from,
)
from records.schema import derived_images, snapshots, uploads
from records.store_uploads import UploadStore, upload_row
from records.transaction import Tx


class SnapshotStore(UploadStore):
    """Pictures of the record. A row is committed only while its blob is seen in its place, under the audit's
    lock, which the sweep of orphans takes too: neither can undo the other."""

    async def commit_upload(self, actor: Actor, upload_id: str, now: datetime) -> Snapshot:
        """Make a whole upload a snapshot; idempotent.

        Raises NotFound, UploadOffsetMismatch while bytes are missing, StorageFull; HashMismatch, NotAnImage:
        then the upload is forgotten, for the same bytes would be refused again.
        """
        return await self._to_the_end(self._commit(actor, upload_id, now))

    async def _commit(self, actor: Actor, upload_id: str, now: datetime) -> Snapshot:
        async with self._turn(upload_id):
            async with self._read() as tx:
                row = await upload_row(tx, upload_id)
                keys = await tx.keys_of(row["patient_id"])
            upload = upload_from(row, keys)
            if upload.snapshot_id is not None:
                return await self.snapshot(actor, upload.snapshot_id, now)
            if upload.offset_bytes != upload.new.size_bytes:
                raise UploadOffsetMismatch(upload.offset_bytes)
            data = await asyncio.to_thread(
                self._upload_files.read, keys.blobs, upload_id, upload.offset_bytes
            )
            try:
                snapshot = await self._keep(actor, upload.new, data, keys, now, upload_id)
            except (HashMismatch, NotAnImage):
                await self._forget(upload_id)
                raise
            await asyncio.to_thread(self._upload_files.remove, upload_id)
            return snapshot

    async def add_snapshot(self, actor: Actor, new: NewUpload, data: bytes, now: datetime) -> Snapshot:
        """Keep bytes that are already here as a snapshot; raises as `commit_upload`, and UploadTooLarge."""
        self._check_size(len(data))
        keys = await self._keys_for(new)
        return await self._to_the_end(self._keep(actor, new, data, keys, now, None))

    async def _keep(
        self,
        actor: Actor,
        new: NewUpload,
        data: bytes,
        keys: PatientKeys,
        now: datetime,
        upload_id: str | None,
    ) -> Snapshot:
        sha256, facts, blob_name = await asyncio.to_thread(self._examine_and_put, new, data, keys)
        snapshot_id = new_id(now)
        async with self._write() as tx:
            if upload_id is not None:
                row = await upload_row(tx, upload_id)
                if row["snapshot_id"] is not None:  # another process was quicker
                    earlier = await _snapshot(tx, row["snapshot_id"])
                    await tx.audit(actor, "snapshot.read", f"snapshot/{earlier.snapshot_id}", now)
                    return earlier
            values = _snapshot_values(snapshot_id, new, facts, keys, sha256, len(data), now)
            await tx.insert_all(snapshots, [{"blob_name": blob_name, **values}])
            if upload_id is not None:
                await tx.change(
                    update(uploads).where(uploads.c.upload_id == upload_id).values(snapshot_id=snapshot_id)
                )
            kept = _as_kept(values, new, sha256)
            await self._secure_blob(tx, keys, blob_name, data)
            await tx.audit(actor, "snapshot.create", f"snapshot/{snapshot_id}", now)
        return kept

    def _examine_and_put(self, new: NewUpload, data: bytes, keys: PatientKeys) -> tuple[str, ImageFacts, str]:
        """SHA-256 and facts of a picture, and the name of its blob, which is kept; blocking."""
        sha256 = _sha256(data)
        if new.sha256 is not None and new.sha256 != sha256:
            raise HashMismatch("the bytes are not the ones that were announced")
        facts = images.inspect(data, self._config.max_pixels)
        blob_name = keys.blob_name(sha256)
        self._blobs.put(keys.blobs, blob_name, data)
        return sha256, facts, blob_name

    async def add_derived(
        self,
        actor: Actor,
        snapshot_id: str,
        variant: Variant,
        data: bytes,
        report: Mapping[str, Any] | None,
        software: str,
        now: datetime,
    ) -> Snapshot:
        """Keep a picture made from an original; a later one of the same variant is shown in its stead."""
        if variant is Variant.ORIGINAL:
            raise Conflict("an original is never replaced")
        try:
            json.dumps(report, allow_nan=False)
        except (TypeError, ValueError):
            raise RecordError("a report holds JSON values only") from None
        facts = await asyncio.to_thread(images.inspect, data, self._config.max_pixels)
        return await self._to_the_end(
            self._derive(actor, snapshot_id, variant, data, facts, report, software, now)
        )

    async def _derive(
        self,
        actor: Actor,
        snapshot_id: str,
        variant: Variant,
        data: bytes,
        facts: ImageFacts,
        report: Mapping[str, Any] | None,
        software: str,
        now: datetime,
    ) -> Snapshot:
        async with self._read() as tx:
            keys = await tx.keys_of((await _snapshot(tx, snapshot_id)).patient_id)
        sha256 = await asyncio.to_thread(_sha256, data)
        blob_name = keys.blob_name(sha256)
        await asyncio.to_thread(self._blobs.put, keys.blobs, blob_name, data)
        derived_id = new_id(now)
        same = (derived_images.c.snapshot_id == snapshot_id) & (derived_images.c.variant == variant)
        async with self._write() as tx:
            latest = await tx.one(select(func.max(derived_images.c.version).label("n")).where(same), "image")
            await tx.change(
                insert(derived_images).values(
                    derived_id=derived_id,
                    snapshot_id=snapshot_id,
                    variant=variant,
                    version=(latest["n"] or 0) + 1,
                    media_type=facts.media_type,
                    size_bytes=len(data),
                    width_px=facts.width_px,
                    height_px=facts.height_px,
                    facts=seal_facts(keys, "derived_images", derived_id, {"sha256": sha256}),
                    report=None if report is None else dict(report),
                    software=software,
                    created_at=now,
                    blob_name=blob_name,
                )
            )
            found = await _snapshot(tx, snapshot_id)
            await self._secure_blob(tx, keys, blob_name, data)
            await tx.audit(actor, f"snapshot.derive.{variant.value}", f"snapshot/{snapshot_id}", now)
        return found

    async def snapshot(self, actor: Actor, snapshot_id: str, now: datetime) -> Snapshot:
        """One snapshot; raises NotFound."""
        async with self._write() as tx:
            found = await _snapshot(tx, snapshot_id)
            await tx.audit(actor, "snapshot.read", f"snapshot/{snapshot_id}", now)
        return found

    async def snapshots_of_consultation(
        self, actor: Actor, consultation_id: str, now: datetime
    ) -> Sequence[Snapshot]:
        """Snapshots taken in a consultation, newest first."""
        async with self._write() as tx:
            found = await load_snapshots(tx, snapshots.c.consultation_id == consultation_id)
            await tx.audit(actor, "snapshot.list", f"consultation/{consultation_id}", now)
        return found

    async def snapshot_bytes(
        self, actor: Actor, snapshot_id: str, variant: Variant, now: datetime
    ) -> tuple[bytes, str]:
        """Bytes and media type of one picture of a snapshot.

        Raises NotFound, and SealBroken where the disk does not give back what was kept.
        """
        async with self._write() as tx:
            keys, blob_name, media_type, sha256 = await _picture(tx, snapshot_id, variant)
            await tx.audit(actor, f"snapshot.view.{variant.value}", f"snapshot/{snapshot_id}", now)
        data = await asyncio.to_thread(lambda: b"".join(self._blobs.stream(keys.blobs, blob_name)))
        if await asyncio.to_thread(_sha256, data) != sha256:
            raise HashMismatch("a kept picture has other bytes than its row says")
        return data, media_type


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _snapshot_values(
    snapshot_id: str,
    new: NewUpload,
    facts: ImageFacts,
    keys: PatientKeys,
    sha256: str,
    size_bytes: int,
    now: datetime,
) -> dict[str, Any]:
    of_consultation = new.purpose is UploadPurpose.SNAPSHOT
    sealed = {"sha256": sha256, "device": new.device, "settings": dict(new.settings)}
    return {
        "snapshot_id": snapshot_id,
        "patient_id": keys.patient_id,
        "consultation_id": new.owner_id if of_consultation else None,
        "referral_id": None if of_consultation else new.owner_id,
        "uploader_id": new.uploader_id,
        "capture_id": new.capture_id,
        "method": new.method,
        "taken_at": new.taken_at or now,
        "stored_at": now,
        "media_type": facts.media_type,
        "size_bytes": size_bytes,
        "width_px": facts.width_px,
        "height_px": facts.height_px,
        "has_location": facts.has_location,
        "facts": seal_facts(keys, "snapshots", snapshot_id, sealed),
    }


def _as_kept(values: Mapping[str, Any], new: NewUpload, sha256: str) -> Snapshot:
    """A snapshot as its row will be read back: nothing is derived from it yet."""
    told = {name: values[name] for name in Snapshot.__dataclass_fields__ if name in values}
    return Snapshot(
        **told,
        sha256=sha256,
        device=new.device,
        settings=dict(new.settings),
        derived=(),
        calibration=None,
    )


async def _snapshot(tx: Tx, snapshot_id: str) -> Snapshot:
    found = await load_snapshots(tx, snapshots.c.snapshot_id == snapshot_id)
    if not found:
        raise NotFound("no such snapshot")
    return found[0]


async def _picture(tx: Tx, snapshot_id: str, variant: Variant) -> tuple[PatientKeys, str, str, str]:
    """Keys, blob, media type and SHA-256 of one picture of a snapshot; raises NotFound."""
    original = await tx.one(select(snapshots).where(snapshots.c.snapshot_id == snapshot_id), "snapshot")
    keys = await tx.keys_of(original["patient_id"])
    if variant is Variant.ORIGINAL:
        facts = open_facts(keys, "snapshots", snapshot_id, original["facts"])
        return keys, original["blob_name"], original["media_type"], facts["sha256"]
    derived = await tx.one(
        select(derived_images)
        .where(derived_images.c.snapshot_id == snapshot_id, derived_images.c.variant == variant)
        .order_by(derived_images.c.version.desc())
        .limit(1),
        "picture of the snapshot",
    )
    facts = open_facts(keys, "derived_images", derived["derived_id"], derived["facts"])
    return keys, derived["blob_name"], derived["media_type"], facts["sha256"]
