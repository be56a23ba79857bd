"""Overuse detector: the trend against a threshold that adapts, so that neither noise nor a competing flow
fools it (GCC 5.4; Carlucci 2016, section 4.3)."""

from __future__ import annotations

from enum import StrEnum

INITIAL_THRESHOLD_MS = 12.5
"""del_var_th(0) (GCC 5.6)."""
MIN_THRESHOLD_MS = 6.0
MAX_THRESHOLD_MS = 600.0
"""Range of the threshold (GCC 5.4)."""
GAIN_UP = 0.0087
GAIN_DOWN = 0.039
"""K_u and K_d per ms while the path's queue is our own (libwebrtc trendline_estimator): 30 ms of queue at
1 Mbit/s, where GCC's gains allow 100 (emulator)."""
COMPETING_GAIN_UP = 0.01
COMPETING_GAIN_DOWN = 0.00018
"""K_u and K_d while somebody else fills it (GCC 5.6): libwebrtc's gains then leave us 5 % of the path
(emulator)."""
MAX_EXCESS_MS = 15.0
"""A trend further above the threshold does not move it: a sudden drop is no noise (GCC 5.4)."""
MAX_STEP_MS = 100.0
"""Time that one update of the threshold stands for, at most (libwebrtc trendline_estimator)."""
OVERUSE_MS = 10.0
"""overuse_time_th: how long the trend must be above the threshold (GCC 5.6)."""
TREND_GAIN = 4.0
MAX_DELTAS = 60
"""A slope is compared as slope x deltas (at most these) x gain (libwebrtc trendline_estimator)."""


class Usage(StrEnum):
    """What the path's queues do."""

    UNDERUSING = "underusing"
    NORMAL = "normal"
    OVERUSING = "overusing"


class OveruseDetector:
    """Takes each group's slope and says what it means."""

    __slots__ = (
        "_over_ms",
        "_overuses",
        "_previous_trend",
        "_updated_ms",
        "competing",
        "threshold_ms",
        "usage",
    )

    def __init__(self) -> None:
        self.threshold_ms = INITIAL_THRESHOLD_MS
        self.usage = Usage.NORMAL
        self.competing = False
        """Somebody else fills the path's queue; set from outside."""
        self._over_ms: float | None = None
        self._overuses = 0
        self._previous_trend = 0.0
        self._updated_ms: float | None = None

    def update(self, slope: float, deltas: int, sent_delta_ms: float, at_ms: float) -> Usage:
        """slope and deltas: of the trendline. sent_delta_ms: between the last two groups. at_ms: any
        clock."""
        if deltas < 2:
            return self.usage
        trend = slope * min(deltas, MAX_DELTAS) * TREND_GAIN
        threshold = self.threshold_ms
        if trend > threshold:
            # Half of the time since the last group, not knowing when it began.
            self._over_ms = sent_delta_ms / 2 if self._over_ms is None else self._over_ms + sent_delta_ms
            self._overuses += 1
            if self._over_ms > OVERUSE_MS and self._overuses > 1 and trend >= self._previous_trend:
                self._over_ms = 0.0
                self._overuses = 0
                self.usage = Usage.OVERUSING
        else:
            self._over_ms = None
            self._overuses = 0
            self.usage = Usage.UNDERUSING if trend < -threshold else Usage.NORMAL
        self._previous_trend = trend
        self._adapt(abs(trend), at_ms)
        return self.usage

    def _adapt(self, trend: float, at_ms: float) -> None:
        elapsed_ms = 0.0 if self._updated_ms is None else min(at_ms - self._updated_ms, MAX_STEP_MS)
        self._updated_ms = at_ms
        excess = trend - self.threshold_ms
        if excess > MAX_EXCESS_MS or elapsed_ms <= 0:
            return
        if self.competing:
            gain = COMPETING_GAIN_DOWN if excess < 0 else COMPETING_GAIN_UP
        else:
            gain = GAIN_DOWN if excess < 0 else GAIN_UP
        moved = self.threshold_ms + gain * excess * elapsed_ms
        self.threshold_ms = min(MAX_THRESHOLD_MS, max(MIN_THRESHOLD_MS, moved))
