"""Whether a queue stands that is not ours: somebody who fills queues until they overflow shares the path.

After Copa's mode switch (V. Arun, H. Balakrishnan, NSDI 2018, section 4): a queue that is nearly empty now
and then is our own; one that never is, though we send less, belongs to another. Who yields to that by delay
alone starves.
"""

from __future__ import annotations

EMPTY_MS = 20.0
"""A queue below is nearly empty (emulator; Copa takes a tenth of the delay's range)."""
ROUND_TRIPS = 5
MIN_TIME_S = 2.0
"""So long after a decrease, and no shorter, the queue must stand (Copa: 5 round trips; a drop from 2 to 0.5
Mbit/s is drained in 0.8 s, emulator)."""
MEMORY_S = 8.0
"""Then it is taken for granted, and tested again: a download in a short queue empties it every 3 s
(emulator)."""


class Competition:
    """Follows the standing queue from message to message."""

    __slots__ = ("_decreased_s", "_found_s", "_standing_since_s", "present", "testing")

    def __init__(self) -> None:
        self.present = False
        self.testing = False
        """It was there, and we drain to see whether it still is."""
        self._standing_since_s: float | None = None
        self._decreased_s: float | None = None
        self._found_s = 0.0

    def update(self, standing_ms: float, decreased_s: float | None, rtt_s: float, now: float) -> bool:
        """decreased_s: when we last sent less because of the queue."""
        if self.present:
            if now - self._found_s > MEMORY_S:
                self.present = False
                self.testing = True
                self._standing_since_s = self._decreased_s = now
            return self.present
        if standing_ms < EMPTY_MS:
            self.testing = False
            self._standing_since_s = self._decreased_s = None
        elif self._standing_since_s is None:
            self._standing_since_s = now
        if self._standing_since_s is None:
            return False
        if self._decreased_s is None and decreased_s is not None and decreased_s >= self._standing_since_s:
            self._decreased_s = decreased_s
        if self._decreased_s is not None and now - self._decreased_s > max(MIN_TIME_S, ROUND_TRIPS * rtt_s):
            self.present = True
            self.testing = False
            self._found_s = now
        return self.present

    def stood_s(self, now: float) -> float:
        """For how long the queue has not been nearly empty."""
        return 0.0 if self._standing_since_s is None else now - self._standing_since_s
