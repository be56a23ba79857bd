"""What the live rooms need of others: a way to connections, and followers that act when a room changes."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from signaling.bus import Change
from signaling.room import Room


class Live(Protocol):
    """How the rooms reach connections: the Socket.IO shell."""

    async def emit(self, event: str, message: msgspec.Struct, sid: str) -> None:
        """Send an event to one connection; one that is gone is ignored."""

    async def disconnect(self, sid: str) -> None:
        """End a connection."""


class RoomFollower(Protocol):
    """Who acts when a room changed or time passes: captures, calibrations."""

    def room_changed(self, room: Room) -> None:
        """The room's people or Publications may have changed."""

    def room_closed(self, room: Room) -> None:
        """The room is gone."""

    async def tick(self, room: Room, now: datetime) -> None:
        """Twice a second."""

    def snapshot_stored(self, room: Room, change: Change) -> None:
        """A snapshot of this consultation is in the record, or got a derived picture."""
