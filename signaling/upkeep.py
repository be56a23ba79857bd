"""What a server does for its record once a day: clear away what time has ended, as a start does too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from records.interface import Records
from signaling.background import Background

log = structlog.get_logger()

EVERY_S = 86_400.0


class Upkeep:
    """Sweeps expired sessions, forgotten uploads and orphaned files until it is stopped."""

    def __init__(
        self,
        records: Records,
        clock: Callable[[], datetime],
        wait: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        """wait: waits so many seconds, True when it is time to stop; None waits by the loop's clock."""
        self._records = records
        self._clock = clock
        self._background = Background("upkeep")
        self._wait = wait or self._background.sleep
        self._background.spawn(self._sweep_for_ever())

    async def _sweep_for_ever(self) -> None:
        while not await self._wait(EVERY_S):
            try:
                swept = await self._records.sweep(self._clock())
            except Exception as error:
                # A full disk, a database that is away: tomorrow is another day.
                log.error("sweep_failed", error=type(error).__name__)
            else:
                log.info("swept", sessions=swept.sessions, uploads=swept.uploads, blobs=swept.blobs)

    async def stop(self) -> None:
        """Let a sweep under way end."""
        await self._background.stop()
