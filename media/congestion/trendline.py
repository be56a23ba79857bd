"""Whether queues on the path grow: slope of the accumulated, smoothed delay between groups (libwebrtc
trendline_estimator, which took the place of the Kalman filter of GCC 5.3)."""

from __future__ import annotations

from collections import deque

from media.congestion.groups import GroupDelta

WINDOW = 20
"""Groups in the regression (libwebrtc trendline_estimator)."""
SMOOTHING = 0.9
"""Share of the past in the smoothed delay (libwebrtc trendline_estimator)."""


class Trendline:
    """Least squares over the last groups."""

    __slots__ = ("_accumulated_ms", "_first_ms", "_points", "_smoothed_ms", "deltas", "slope")

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._first_ms: float | None = None
        self._accumulated_ms = 0.0
        self._smoothed_ms = 0.0
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
        points.append((delta.at_ms - self._first_ms, self._smoothed_ms))
        if len(points) < WINDOW:
            return
        mean_x = mean_y = 0.0
        for x, y in points:
            mean_x += x
            mean_y += y
        mean_x /= WINDOW
        mean_y /= WINDOW
        above = below = 0.0
        for x, y in points:
            x -= mean_x
            above += x * (y - mean_y)
            below += x * x
        if below > 0:
            self.slope = above / below
