"""The nightly backup: when one is due, when the last one has succeeded, and whether that is too long ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

import structlog

from records.interface import BackedUp, BackupRunning
from signaling.background import Background

log = structlog.get_logger()

LOOK_EVERY_S = 900.0
LATE_AFTER = timedelta(hours=36)
"""A night that was missed."""


def last_due(now: datetime, at: time) -> datetime:
    """The latest moment, now or before, at which a daily backup begins. at: time of day, UTC."""
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def is_due(now: datetime, last_success: datetime | None, at: time) -> bool:
    """Whether a backup should begin: also after a night in which nobody was there to make it."""
    return last_success is None or last_success < last_due(now, at)


def is_late(now: datetime, last_success: datetime | None) -> bool:
    """Whether somebody should look why there is no backup."""
    return last_success is None or now - last_success > LATE_AFTER


class Backups:
    """Backs the record up once a day until it is stopped."""

    def __init__(
        self,
        back_up: Callable[[datetime], Awaitable[BackedUp]],
        latest: Callable[[], Awaitable[datetime | None]],
        clock: Callable[[], datetime],
        at: time,
        wait: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        """latest: when the last backup at the place was made, by whomever. wait: see Upkeep."""
        self._back_up = back_up
        self._latest = latest
        self._clock = clock
        self._at = at
        self._background = Background("backups")
        self._wait = wait or self._background.sleep
        self.last_success: datetime | None = None
        self._background.spawn(self._every_day())

    @property
    def late(self) -> bool:
        """Whether the last success is too long ago."""
        return is_late(self._clock(), self.last_success)

    async def _every_day(self) -> None:
        while True:
            try:
                await self._look()
            except BackupRunning:
                log.info("backup_running_elsewhere")
            except Exception as error:
                # A place that is away, a disk that is full: soon again, and `late` tells people.
                log.error("backup_failed", error=type(error).__name__)
            if await self._wait(LOOK_EVERY_S):
                return

    async def _look(self) -> None:
        now = self._clock()
        if not is_due(now, self.last_success, self._at):
            return
        self.last_success = await self._latest() or self.last_success
        if not is_due(now, self.last_success, self._at):
            return  # another node, or somebody at a terminal, made it
        done = await self._back_up(now)
        self.last_success = now
        log.info("backed_up", blobs=done.blobs, copied=done.copied_blobs, pruned=done.pruned)
        if done.missing_blobs:
            log.error("record_lacks_blobs", blobs=done.missing_blobs)

    async def stop(self) -> None:
        """Let a backup under way end; one that takes longer is left unfinished, which is no backup."""
        await self._background.stop()
