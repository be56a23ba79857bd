"""Whether a publisher's path has just become narrow: its pictures come later and later after they were taken.
The publisher's own estimate sees it a quarter of a second after we do; until then it is told by REMB.
Pure."""

from __future__ import annotations

from media.congestion.narrowing import Narrowing

VIDEO_CLOCK = 90_000
BASE_WINDOW_S = 10.0
"""As congestion.queueing: the shortest way from camera to relay is looked for in this time."""
USABLE = 0.85
"""Share of what the path passes that is made: the rest empties its queue (beta, GCC 5.6)."""
HOLD_S = 2.0
"""For so long the publisher is held to it: then its own estimate has followed (measured, Chromium)."""
SUSPECT_S = 0.02
SUSPECT_HOLD_S = 0.15
"""Pictures that come by the former later than those that were looked at before are worth a closer look, for
the latter: then there is one every 20 ms."""
LESS = 0.75
"""What came before must have been more by so much, or it was the camera that was late."""


class Uplink:
    """One video stream, looked at whenever time passes."""

    __slots__ = (
        "_base_s",
        "_bytes",
        "_earlier_s",
        "_half_at_s",
        "_heard_s",
        "_narrowing",
        "_suspected_s",
        "_taken",
        "_taken_s",
        "_until_s",
        "_way_s",
        "cap_bps",
        "suspect",
    )

    def __init__(self) -> None:
        self.cap_bps: float | None = None
        """What the publisher should make for now, of payload; None: nothing is known to be in its way."""
        self.suspect = False
        """The next look should come soon."""
        self._until_s = 0.0
        self._suspected_s = float("-inf")
        self._heard_s = 0.0
        self._bytes = 0
        self._restart(0)

    def _restart(self, timestamp: int) -> None:
        self._narrowing = Narrowing()
        self._taken = timestamp
        self._taken_s = 0.0
        self._base_s = self._earlier_s = float("inf")
        self._half_at_s = 0.0
        self._way_s = float("inf")

    def look(self, timestamp: int, heard_s: float, size_bytes: int, before_bps: float, now: float) -> bool:
        """Look at the newest packet: its RTP timestamp, when it came, and the payload of all so far.
        before_bps: what came in the second before. True when the cap is new, or lower."""
        if self.cap_bps is not None and now >= self._until_s:
            self.cap_bps = None
        self.suspect = now - self._suspected_s < SUSPECT_HOLD_S
        if heard_s == self._heard_s:
            return False
        come, self._bytes = size_bytes - self._bytes, size_bytes
        step = (timestamp - self._taken + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
        if abs(step) > VIDEO_CLOCK or not self._heard_s:
            self._restart(timestamp)
            self._heard_s = heard_s
            return False
        self._heard_s = heard_s
        if step < 0 or come <= 0:
            return False  # one that was sent again
        self._taken = timestamp
        self._taken_s += step / VIDEO_CLOCK
        way_s = heard_s - self._taken_s
        if way_s > self._way_s + SUSPECT_S or self._narrowing.rises:
            self._suspected_s = now
            self.suspect = True
        self._way_s = way_s
        self._learn(way_s, heard_s)
        self._narrowing.update([(self._taken_s, heard_s, come, 0)], min(self._base_s, self._earlier_s))
        passing_bps = self._narrowing.passing_bps
        if not self._narrowing.is_narrow or passing_bps is None or passing_bps > LESS * before_bps:
            return False
        cap_bps = USABLE * passing_bps
        lower = self.cap_bps is None or cap_bps < USABLE * self.cap_bps
        if lower:
            self.cap_bps = cap_bps
            self._until_s = now + HOLD_S
        return lower

    def _learn(self, way_s: float, now: float) -> None:
        """The shortest way from camera to relay, up to what the clocks differ by, in two halves of the
        window."""
        if now - self._half_at_s > BASE_WINDOW_S / 2:
            self._earlier_s, self._base_s = self._base_s, way_s
            self._half_at_s = now
        self._base_s = min(self._base_s, way_s)
