"""How a queue on the path is emptied: how much leaves while it stands, and how much is made meanwhile."""

from __future__ import annotations

ABOVE_MS = 20.0
DRAIN_S = 0.5
"""What stands above the former is to be gone in the latter, within the bounds below: with less made alone 600
ms of queue last 4 s (emulator)."""
GENTLE_S = 1.0
GENTLE = 0.75
LEAST = 0.5
"""Least share of the target that leaves: a queue younger than the first is what a path that has become narrow
was sent before anybody could know, and behind it waits a picture of the old size: at half the rate it takes
half a second to leave. Then the last, or the queue is taken for somebody else's (emulator)."""
LEAST_MADE = 0.8
"""Share of the target that is made meanwhile: an encoder that is told next to nothing for a moment needs
seconds to find back (measured, Chromium)."""
WINDOW_S = 0.25
"""What may be in flight beyond a round trip (libwebrtc's congestion window accepts a queue of 250 ms)."""
MIN_WINDOW_BYTES = 6_000
"""A few packets may always be in flight."""


def shares(standing_ms: float, stood_s: float) -> tuple[float, float]:
    """(what leaves, what is made), as shares of the target, while a queue of ours stands. stood_s: for so
    long."""
    least = GENTLE if stood_s < GENTLE_S else LEAST
    leaves = max(least, 1 - (standing_ms - ABOVE_MS) / 1e3 / DRAIN_S)
    return leaves, max(LEAST_MADE, leaves)


def within_window(pacing_bps: float, target_bps: float, rtt_s: float, in_flight_bytes: int) -> float:
    """The pacing, or less while more is in flight than the path can hold."""
    window = max(MIN_WINDOW_BYTES, target_bps / 8 * (rtt_s + WINDOW_S))
    return pacing_bps if in_flight_bytes <= window else pacing_bps * (window / in_flight_bytes) ** 2
