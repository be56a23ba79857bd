"""Reads a specialist's day from the record, as the waiting room needs it."""

from __future__ import annotations

from datetime import datetime

from records.interface import Actor, Phase, Records, Role
from signaling.waiting import DayEntry


async def read_day(records: Records, specialist_id: str, now: datetime) -> list[DayEntry]:
    """Every consultation of the day, and since when somebody waits in it."""
    actor = Actor("system", Role.SYSTEM, "waiting-room")
    day = []
    for one in await records.consultations_of(actor, specialist_id, now):
        waits = []
        if one.phase is not Phase.ENDED:
            participants = await records.participants(one.consultation_id)
            waits = [each.waiting_since for each in participants if each.waiting_since is not None]
        done = one.started_at is not None and one.ended_at is not None
        day.append(
            DayEntry(
                one.consultation_id,
                one.scheduled_at,
                min(waits, default=None),
                one.started_at if one.phase is Phase.IN_CALL else None,
                one.ended_at - one.started_at if done and one.ended_at and one.started_at else None,
            )
        )
    return day
