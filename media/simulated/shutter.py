"""Stills on request: painted ahead, encoded when the button is pressed, uploaded until they have arrived."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import numpy as np
import socketio
import structlog
from numpy.typing import NDArray

from media.simulated.door import Door
from media.simulated.scene import Scene
from media.simulated.still import MODEL, encode_jpeg
from media.simulated.wire import CaptureTake, PatientError

Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""(event, message) to its reply over the consultation's socket. Raises PatientError when refused."""

SIGN_OF_LIFE_S = 5.0
"""A device that is silent for 20 s is given up; painting a native still takes longer on a slow machine."""

_log = structlog.get_logger("simulated_patient")


class Shutter:
    """Takes one still after another; a fifth that waits is ignored, as a phone ignores an impatient thumb."""

    def __init__(
        self,
        door: Door,
        ask: Ask,
        scene: asyncio.Task[Scene],
        size_px: tuple[int, int],
        position: tuple[float, float] | None,
    ) -> None:
        """size_px: width and height. position: latitude and longitude in degrees to write into each still."""
        self._door = door
        self._ask = ask
        self._position = position
        self._waiting: asyncio.Queue[CaptureTake] = asyncio.Queue(maxsize=4)
        self._painting = asyncio.create_task(self._paint(scene, size_px))
        self._working = asyncio.create_task(self._work())

    def press(self, take: CaptureTake) -> None:
        """Take a still as soon as the one before is done."""
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(take)

    async def close(self) -> None:
        """Stop whatever is under way."""
        self._working.cancel()
        self._painting.cancel()
        await asyncio.wait({self._working, self._painting})

    @staticmethod
    async def _paint(scene: asyncio.Task[Scene], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        return await asyncio.to_thread((await asyncio.shield(scene)).still, *size_px)

    async def _work(self) -> None:
        while True:
            take = await self._waiting.get()
            try:
                await self._take(take)
            except (
                PatientError,
                socketio.exceptions.SocketIOError,
                aiohttp.ClientError,
                TimeoutError,
            ) as error:
                _log.warning("capture_failed", capture_id=take.capture_id, error=type(error).__name__)
                await self._tell("capture_failed", {"capture_id": take.capture_id, "reason": "upload_failed"})

    async def _take(self, take: CaptureTake) -> None:
        picture = await self._painted(take)
        at = datetime.now(UTC)
        jpeg = await asyncio.to_thread(encode_jpeg, picture, at, self._position)

        async def progress(sent_bytes: int) -> None:
            message = {"capture_id": take.capture_id, "state": "uploading"}
            await self._tell(
                "capture_progress", message | {"sent_bytes": sent_bytes, "size_bytes": len(jpeg)}
            )

        await progress(0)
        about = {
            "purpose": "snapshot",
            "owner_id": take.consultation_id,
            "size_bytes": len(jpeg),
            "media_type": "image/jpeg",
            "method": "take_photo",
            "capture_id": take.capture_id,
            "sha256": hashlib.sha256(jpeg).hexdigest(),
            "taken_at": at.isoformat(),
            "device": MODEL,
            "settings": {"iso": 200, "exposure_time_s": 1 / 60, "torch": False},
        }
        await self._door.upload(jpeg, about, progress)
        _log.info("still_uploaded", capture_id=take.capture_id, size_bytes=len(jpeg))

    async def _painted(self, take: CaptureTake) -> NDArray[np.uint8]:
        """The picture, as soon as it is there; whoever asked hears meanwhile that it is being taken."""
        while True:
            await self._tell("capture_progress", {"capture_id": take.capture_id, "state": "taking"})
            if (await asyncio.wait({self._painting}, timeout=SIGN_OF_LIFE_S))[0]:
                return self._painting.result()

    async def _tell(self, event: str, message: dict[str, Any]) -> None:
        """Say what happens; that nobody hears it stops nothing."""
        with contextlib.suppress(PatientError, socketio.exceptions.SocketIOError):
            await self._ask(event, message)
