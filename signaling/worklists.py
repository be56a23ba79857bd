"""Live lists of staff: the worklist of specialists and the referrals of a site, pushed at every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from records.interface import Role, Staff
from signaling.background import Background
from signaling.bus import Bus, Change
from signaling.reading import Reader
from signaling.room_ports import Live

log = structlog.get_logger()


class Worklists:
    """Follows the connections of staff on this node."""

    def __init__(self, reader: Reader, bus: Bus, live: Live, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._live = live
        self._clock = clock
        self._connected: dict[str, Staff] = {}
        self._origins: dict[str, str] = {}
        """sid -> from where, for the audit"""
        self._stale: set[str] = set()
        self._wake = asyncio.Event()
        self._background = Background("worklists")
        self._background.spawn(self._push_for_ever())
        bus.listen(self._on_change)

    def enter(self, staff: Staff, sid: str, origin: str) -> None:
        """A connection comes in and gets its list."""
        self._connected[sid] = staff
        self._origins[sid] = origin
        self._mark(sid)

    def left(self, sid: str) -> None:
        """A connection is gone."""
        self._connected.pop(sid, None)
        self._origins.pop(sid, None)
        self._stale.discard(sid)

    def _on_change(self, change: Change) -> None:
        for sid, staff in self._connected.items():
            if staff.role is Role.SPECIALIST:
                concerns = change.open_referrals or change.specialist_id == staff.staff_id
            else:
                concerns = change.site_id == staff.site_id
            if concerns:
                self._mark(sid)

    def _mark(self, sid: str) -> None:
        self._stale.add(sid)
        self._wake.set()

    async def _push_for_ever(self) -> None:
        while not self._background.stopping.is_set():
            await self._wake.wait()
            self._wake.clear()
            stale, self._stale = self._stale, set()
            for sid in stale:
                try:
                    await self._push(sid)
                except Exception as error:
                    log.error("worklist_push_failed", error=type(error).__name__)

    async def _push(self, sid: str) -> None:
        staff = self._connected.get(sid)
        if staff is None:
            return
        now, origin = self._clock(), self._origins[sid]
        if staff.role is Role.SPECIALIST:
            await self._live.emit("worklist", await self._reader.worklist(staff, now, origin), sid)
        else:
            await self._live.emit("referrals", await self._reader.referral_list(staff, now, origin), sid)

    async def stop(self) -> None:
        """Push no more."""
        self._stale.clear()
        self._background.stopping.set()
        self._wake.set()
        await self._background.stop()
