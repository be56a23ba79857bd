"""The specialist's waiting room: one's place in it and how long it may take, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

TYPICAL_CALL = timedelta(minutes=10)
"""What a call takes until the day has shown otherwise."""
SHORTEST_REST = timedelta(minutes=1)
"""A call that has run over its time is still not over."""


@dataclass(frozen=True, slots=True)
class DayEntry:
    """One consultation of a specialist's day, as far as the waiting room needs to know it.

    waiting_since: when the first of its participants who wait began to wait; None when nobody waits.
    """

    consultation_id: str
    scheduled_at: datetime
    waiting_since: datetime | None
    in_call_since: datetime | None
    lasted: timedelta | None
    """How long it took, when it has ended."""


def position(day: Sequence[DayEntry], consultation_id: str) -> int | None:
    """Place among the consultations with somebody waiting, first come first; None when nobody waits in it."""
    order = sorted(
        (entry.waiting_since, entry.consultation_id) for entry in day if entry.waiting_since is not None
    )
    for place, (_, waiting_id) in enumerate(order, start=1):
        if waiting_id == consultation_id:
            return place
    return None


def estimated_wait(day: Sequence[DayEntry], consultation_id: str, now: datetime) -> timedelta | None:
    """How long until this consultation's turn: the rest of the current call, then those before it.

    A call is taken to last the median of today's ended ones. Nobody is called before the agreed time.
    """
    place = position(day, consultation_id)
    if place is None:
        return None
    lasted = [entry.lasted.total_seconds() for entry in day if entry.lasted is not None]
    typical = timedelta(seconds=median(lasted)) if lasted else TYPICAL_CALL
    running = [
        max(typical - (now - entry.in_call_since), SHORTEST_REST)
        for entry in day
        if entry.in_call_since is not None
        and entry.consultation_id != consultation_id
        and entry.waiting_since is None
    ]
    own = next(entry for entry in day if entry.consultation_id == consultation_id)
    wait = (place - 1) * typical + max(running, default=timedelta())
    return max(wait, own.scheduled_at - now, timedelta())
