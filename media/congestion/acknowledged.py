"""What a viewer really gets: rate of the packets that came, by their arrival."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from media.congestion.history import Result

WINDOW_S = 0.5
"""Window of the steady rate (libwebrtc acknowledged_bitrate_estimator begins with it): four frames at 8 per
second."""
RECENT_S = 0.2
"""Window of the recent rate, which follows a drop (emulator; libwebrtc takes 0.15 s)."""
MIN_SPAN_S = 0.1
"""No rate is told of less time than this (emulator)."""
RESTART_S = 5.0
"""A pause, or a step of the viewer's clock, after which the measurement begins anew (emulator)."""
MAX_PACKETS = 2048
"""Packets kept: more in one window than at 40 Mbit/s are not believed."""


class AcknowledgedRate:
    """A window over arrivals."""

    __slots__ = ("_arrivals", "_began_s", "_bytes", "_newest_s")

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()
        self._bytes = 0
        self._began_s = 0.0
        self._newest_s = 0.0

    def update(self, results: Sequence[Result], unreported_bytes: int = 0) -> None:
        """Take packets that came. unreported_bytes: of packets before them that nothing was told of: they
        count as come, or a viewer whose feedback is lost would seem to get less."""
        arrivals = self._arrivals
        total = self._bytes
        if unreported_bytes and results:
            arrivals.append((results[0][1], unreported_bytes))
            total += unreported_bytes
        for _, arrived_s, size, _ in results:
            arrivals.append((arrived_s, size))
            total += size
        if not arrivals:
            return
        newest_s = arrivals[-1][0]
        if abs(newest_s - self._newest_s) > RESTART_S:
            # The first ones, a long pause, or a clock that was set: the past tells nothing.
            while abs(newest_s - arrivals[0][0]) > WINDOW_S:
                total -= arrivals.popleft()[1]
            self._began_s = arrivals[0][0]
        self._newest_s = newest_s
        while arrivals[0][0] < newest_s - WINDOW_S or len(arrivals) > MAX_PACKETS:
            total -= arrivals.popleft()[1]
        self._bytes = total

    def steady_bps(self) -> float | None:
        """Rate over the whole window; None while too little has come."""
        if not self._arrivals:
            return None
        span_s = min(WINDOW_S, self._newest_s - self._began_s)
        return self._bytes * 8 / span_s if span_s >= MIN_SPAN_S else None

    def recent_bps(self) -> float | None:
        """Rate over the newest part of the window; None while too little has come."""
        since_s = self._newest_s - RECENT_S
        total = 0
        count = 0
        first_s, first_size = self._newest_s, 0
        for arrived_s, size in reversed(self._arrivals):
            if arrived_s < since_s:
                break
            total += size
            count += 1
            first_s, first_size = arrived_s, size
        span_s = self._newest_s - first_s
        if count < 3 or span_s < MIN_SPAN_S / 2:
            return self.steady_bps()
        return (total - first_size) * 8 / span_s
