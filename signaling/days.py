"""Reads a specialist's day from the record, as the waiting room needs it."""

from __future__ import annotations

from datetime import datetime

from records.interface import Phase, Records
from signaling.waiting import DayEntry


async def read_day(records: Records, specialist_id: str, now: datetime) -> list[DayEntry]:
    """Every consultation of the day, and since when somebody waits in it."""
    return [
        DayEntry(
            one.consultation_id,
            one.scheduled_at,
            one.waiting_since if one.phase is not Phase.ENDED else None,
            one.started_at if one.phase is Phase.IN_CALL else None,
            one.ended_at - one.started_at
            if one.started_at is not None and one.ended_at is not None
            else None,
        )
        for one in await records.agenda(specialist_id, now)
    ]
