"""Packets that left together, as one sample of the path's delay (GCC 5.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from media.congestion.history import Result

GROUP_MS = 5.0
"""burst_time: packets that left within it form a group (GCC 5.2 and 5.6)."""
MAX_BURST_MS = 100.0
"""A group that arrives in one burst is closed after this time (libwebrtc inter_arrival_delta)."""
CLOCK_JUMP_MS = 3000.0
"""The viewer's clock was set when it moves this much against ours (libwebrtc inter_arrival_delta)."""
MAX_REORDERED = 3
"""So many groups in a row that arrive before their forerunners: begin anew (libwebrtc
inter_arrival_delta)."""


class GroupDelta(NamedTuple):
    """A group against the one before it, in ms: time between their departures and between their arrivals."""

    sent_ms: float
    arrived_ms: float
    at_ms: float
    """Arrival of the later one on the viewer's clock."""


class ArrivalGroups:
    """Turns results, in order of sending, into deltas between groups."""

    __slots__ = ("_current", "_previous", "_reordered")

    def __init__(self) -> None:
        # [first sent, last sent, first arrived, last arrived], ms
        self._current: list[float] | None = None
        self._previous: list[float] | None = None
        self._reordered = 0

    def update(self, results: Iterable[Result]) -> list[GroupDelta]:
        """Deltas of the groups that these packets complete."""
        deltas: list[GroupDelta] = []
        current = self._current
        for sent_s, arrived_s, _, _ in results:
            sent_ms, arrived_ms = sent_s * 1e3, arrived_s * 1e3
            if current is None:
                current = [sent_ms, sent_ms, arrived_ms, arrived_ms]
                continue
            if sent_ms < current[0]:
                continue  # told late: its group is closed
            if sent_ms - current[0] <= GROUP_MS or _same_burst(current, sent_ms, arrived_ms):
                if sent_ms > current[1]:
                    current[1] = sent_ms
                if arrived_ms > current[3]:
                    current[3] = arrived_ms
                continue
            self._close(current, deltas)
            current = [sent_ms, sent_ms, arrived_ms, arrived_ms]
        self._current = current
        return deltas

    def _close(self, current: list[float], deltas: list[GroupDelta]) -> None:
        previous, self._previous = self._previous, current
        if previous is None:
            return
        sent_ms = current[1] - previous[1]
        arrived_ms = current[3] - previous[3]
        if abs(arrived_ms - sent_ms) >= CLOCK_JUMP_MS:
            self._reordered = 0
        elif arrived_ms < 0:
            self._reordered += 1
            if self._reordered < MAX_REORDERED:
                self._previous = previous
        else:
            self._reordered = 0
            deltas.append(GroupDelta(sent_ms, arrived_ms, current[3]))


def _same_burst(current: list[float], sent_ms: float, arrived_ms: float) -> bool:
    """Queued up behind an outage and let through at once: arrived close together though sent apart (GCC
    5.2)."""
    gap_ms = arrived_ms - current[3]
    return (
        abs(gap_ms) <= GROUP_MS
        and gap_ms - (sent_ms - current[1]) < 0
        and arrived_ms - current[2] < MAX_BURST_MS
    )
