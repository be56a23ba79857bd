"""Whether queues on the path grow: slope of the accumulated, smoothed delay between groups (libwebrtc
trendline_estimator, which took the place of the Kalman filter of GCC 5.3)."""

from __future__ import annotations

from collections import deque

from media.congestion.groups import GroupDelta

WINDOW = 20
"""Groups in the regression (libwebrtc trendline_estimator)."""
REBASE = 64
"""Groups after which the sums are made anew."""
MIN_SPREAD_MS2 = 1e-3
"""Arrivals that lie closer together have no slope."""
SMOOTHING = 0.9
"""Share of the past in the smoothed delay (libwebrtc trendline_estimator)."""


class Trendline:
    """Least squares over the last groups, by sums that a new group and the oldest one change."""

    __slots__ = (
        "_accumulated_ms",
        "_first_ms",
        "_points",
        "_smoothed_ms",
        "_x",
        "_xx",
        "_xy",
        "_y",
        "deltas",
        "slope",
    )

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()
        self._first_ms: float | None = None
        self._accumulated_ms = 0.0
        self._smoothed_ms = 0.0
        self._x = self._y = self._xx = self._xy = 0.0
        self.deltas = 0
        """How many deltas there were so far."""
        self.slope = 0.0
        """Growth of the one-way delay: ms per ms. 0.1: the bottleneck gets 11 % more than it can pass on."""

    def update(self, delta: GroupDelta) -> None:
        """Take the next delta; `slope` follows once the window is full."""
        if self._first_ms is None:
            self._first_ms = delta.at_ms
        self.deltas += 1
        self._accumulated_ms += delta.arrived_ms - delta.sent_ms
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._accumulated_ms
        points = self._points
        x, y = delta.at_ms - self._first_ms, self._smoothed_ms
        points.append((x, y))
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
        if len(points) < WINDOW:
            return
        if len(points) > WINDOW:
            x, y = points.popleft()
            self._x -= x
            self._y -= y
            self._xx -= x * x
            self._xy -= x * y
        if not self.deltas % REBASE:
            self._rebase(points[0])
        below = self._xx - self._x * self._x / WINDOW
        if below > MIN_SPREAD_MS2:
            self.slope = (self._xy - self._x * self._y / WINDOW) / below

    def _rebase(self, origin: tuple[float, float]) -> None:
        """Count from the oldest group again, so that rounding never adds up."""
        assert self._first_ms is not None
        self._first_ms += origin[0]
        self._accumulated_ms -= origin[1]
        self._smoothed_ms -= origin[1]
        points = [(x - origin[0], y - origin[1]) for x, y in self._points]
        self._points = deque(points)
        self._x = sum(x for x, _ in points)
        self._y = sum(y for _, y in points)
        self._xx = sum(x * x for x, _ in points)
        self._xy = sum(x * y for x, y in points)
