"""What a stream misses and when to ask for it again: NACK towards a publisher, each packet a few times."""

from __future__ import annotations

MAX_MISSING = 300
MAX_TRIES = 10
GIVE_UP_S = 2.0
DEFAULT_RETRY_S = 0.1
MIN_RETRY_S = 0.025


class MissingPackets:
    """Gaps of one stream. Numbers are extended sequence numbers; every viewer's NACK is served from here."""

    def __init__(self) -> None:
        self._missing: dict[int, list[float]] = {}
        # sequence number -> [noticed at, last asked at, times asked]
        self._highest = -1
        self.retry_s = DEFAULT_RETRY_S
        self.overflowed = False
        """So much was lost at once that only a keyframe helps; cleared by who reads it."""

    def __bool__(self) -> bool:
        """Whether anything is missing."""
        return bool(self._missing)

    def received(self, sequence: int, now: float) -> bool:
        """Note a packet; returns whether it had been asked for. Gaps below it become missing."""
        highest = self._highest
        if sequence == highest + 1 or highest < 0:
            self._highest = sequence
            return False
        if sequence > highest:
            if sequence - highest > MAX_MISSING:
                self._missing.clear()
                self.overflowed = True
            else:
                for gap in range(highest + 1, sequence):
                    self._missing[gap] = [now, now, 0]
                while len(self._missing) > MAX_MISSING:
                    del self._missing[next(iter(self._missing))]
            self._highest = sequence
            return False
        entry = self._missing.pop(sequence, None)
        if entry is None or not entry[2]:
            return False
        if entry[2] == 1:
            # Asked for once, so the time since then is a round trip.
            self.retry_s = max(MIN_RETRY_S, 0.75 * self.retry_s + 0.25 * 1.5 * (now - entry[1]))
        return True

    def due(self, now: float) -> list[int]:
        """Numbers to ask for now, in order; those that are hopeless are given up."""
        if not self._missing:
            return []
        asked: list[int] = []
        for sequence, entry in list(self._missing.items()):
            since, asked_at, tries = entry
            if tries >= MAX_TRIES or now - since > GIVE_UP_S:
                del self._missing[sequence]
            elif not tries or now - asked_at >= self.retry_s:
                entry[1] = now
                entry[2] = tries + 1
                asked.append(sequence)
        asked.sort()
        return asked
