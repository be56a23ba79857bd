"""Whether it is the application, not the path, that limits what is sent (libwebrtc alr_detector)."""

from __future__ import annotations

START_BELOW = 0.65
"""Limited when less than this share of the estimate is sent (libwebrtc alr_detector)."""
STOP_ABOVE = 0.80
"""No longer limited above this share (emulator; libwebrtc keeps a budget with levels 0.8 and 0.5)."""
WINDOW_S = 0.5
"""Time over which sending is measured (libwebrtc alr_detector)."""


class ApplicationLimit:
    """Compares bytes sent with the estimate, window by window."""

    __slots__ = ("_began_s", "_bytes_at_start", "limited", "sending_bps")

    def __init__(self) -> None:
        self.limited = False
        self.sending_bps = 0.0
        """Rate of the last window."""
        self._began_s: float | None = None
        self._bytes_at_start = 0

    def update(self, sent_bytes: int, estimate_bps: float, now: float) -> None:
        """sent_bytes: all that was ever sent."""
        if self._began_s is None:
            self._began_s, self._bytes_at_start = now, sent_bytes
            return
        span_s = now - self._began_s
        if span_s < WINDOW_S:
            return
        self.sending_bps = (sent_bytes - self._bytes_at_start) * 8 / span_s
        self._began_s, self._bytes_at_start = now, sent_bytes
        self.limited = self.sending_bps < (STOP_ABOVE if self.limited else START_BELOW) * estimate_bps
