"""What a publisher may send at most: a token bucket, well above what it was told, that no browser empties."""

from __future__ import annotations

TOLERANCE = 3.0
"""Probes, retransmissions and keyframes take a browser above its cap, but never for long to this multiple."""
BURST_S = 1.0
MIN_RATE_BPS = 100_000


class Policer:
    """Admits packets up to TOLERANCE times a rate, and BURST_S of that at once."""

    __slots__ = ("_bytes", "_bytes_per_s", "_refilled_s")

    def __init__(self) -> None:
        self._bytes_per_s = 0.0
        self._bytes = 0.0
        self._refilled_s = 0.0
        self.set_rate(0)

    def set_rate(self, rate_bps: int) -> None:
        """What the publisher is told to send at most, all of its sources together."""
        self._bytes_per_s = TOLERANCE * max(MIN_RATE_BPS, rate_bps) / 8
        self._bytes = self._bytes_per_s * BURST_S

    def admit(self, size_bytes: int, now: float) -> bool:
        """Whether a packet is within what may be sent; one that is not costs nothing."""
        room = self._bytes + (now - self._refilled_s) * self._bytes_per_s
        limit = self._bytes_per_s * BURST_S
        self._refilled_s = now
        self._bytes = min(room, limit)
        if self._bytes < size_bytes:
            return False
        self._bytes -= size_bytes
        return True
