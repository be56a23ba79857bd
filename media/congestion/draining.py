"""How a queue on the path is emptied: how much leaves while it stands, and how much is made meanwhile."""

from __future__ import annotations

ABOVE_MS = 20.0
DRAIN_S = 0.5
"""What stands above the former is to be gone in the latter, within the bounds below: with beta alone 600 ms
of queue last 4 s (emulator)."""
LEAST_MADE = 0.8
"""Share of what the path carries that is made meanwhile: an encoder that is told next to nothing for a moment
needs seconds to find back (measured, Chromium)."""
MIN_LEAVING = 0.5
"""Share that leaves by the queue that feedback tells of, however long that is."""
YOUNG_S = 1.0
YOUNG_WINDOW_S = 0.12
OLD_WINDOW_S = 0.05
LEAST_LEAVING = 0.1
"""By what is in flight: the last share leaves while that is much more than a round trip and one of these
times hold. A queue younger than the first is what a path that has become narrow was sent before anybody could
know: the bottleneck goes on with it, and what was lost comes through 0.4 s sooner than with half the rate
until it is gone. An older one must go before it is taken for somebody else's (emulator)."""
WINDOW_S = 0.25
"""What may be in flight beyond a round trip otherwise (libwebrtc's congestion window accepts a queue of 250
ms)."""
MIN_WINDOW_BYTES = 6_000
"""A few packets may always be in flight."""


def made_share(standing_ms: float) -> float:
    """Share of what the path carries that is made while a queue of ours stands."""
    return max(LEAST_MADE, _share(standing_ms))


def leaving_bps(
    carried_bps: float, rtt_s: float, in_flight_bytes: int, standing_ms: float, stood_s: float
) -> float:
    """What leaves while a queue of ours stands, for stood_s by now. rtt_s: without any queue."""
    if stood_s < YOUNG_S:
        share = _window_share(carried_bps, rtt_s + YOUNG_WINDOW_S, in_flight_bytes)
    else:
        carried_bps *= max(MIN_LEAVING, _share(standing_ms))
        share = _window_share(carried_bps, rtt_s + OLD_WINDOW_S, in_flight_bytes)
    return carried_bps * max(LEAST_LEAVING, share)


def within_window(pacing_bps: float, carried_bps: float, rtt_s: float, in_flight_bytes: int) -> float:
    """The pacing, or less while more is in flight than the path can hold."""
    return pacing_bps * _window_share(carried_bps, rtt_s + WINDOW_S, in_flight_bytes)


def _share(standing_ms: float) -> float:
    return min(1.0, 1 - (standing_ms - ABOVE_MS) / 1e3 / DRAIN_S)


def _window_share(carried_bps: float, held_s: float, in_flight_bytes: int) -> float:
    window = max(MIN_WINDOW_BYTES, carried_bps / 8 * held_s)
    return 1.0 if in_flight_bytes <= window else (window / in_flight_bytes) ** 2
