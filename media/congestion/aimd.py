"""Rate control by delay: additive or multiplicative increase, multiplicative decrease (GCC 5.5)."""

from __future__ import annotations

import math
from enum import StrEnum

from media.congestion.capacity import LinkCapacity
from media.congestion.overuse import Usage

BETA = 0.9
"""Decrease to this share of what came through. GCC 5.6 has 0.85; what then still stands in the queue is
drained by the estimator on its own terms, and 2-3 % more of the path is used (emulator)."""
GROWTH_PER_S = 1.08
"""eta: multiplicative increase in a second (GCC 5.5)."""
MAX_ABOVE_ACKNOWLEDGED = 1.5
ABOVE_ACKNOWLEDGED_BPS = 10_000
"""The rate grows no further than this above what comes through (GCC 5.5; libwebrtc aimd_rate_control adds
10 kbit/s)."""
RESPONSE_S = 0.1
"""Time that overuse takes to be noticed, beyond a round trip (GCC 5.5, response_time_ms)."""
MIN_ADDITIVE_BPS_PER_S = 4_000
"""Least additive increase (libwebrtc aimd_rate_control; GCC 5.5 has 1000 bit at each update)."""
MIN_RENO_RTT_S = 0.1
"""Against a download the rate grows as that one's does: a packet more in flight each round trip (RFC 5681,
3.1), taken as this long at least."""
PACKET_BITS = 1200 * 8
FRAMES_PER_S = 30
"""For the size of a packet in the additive increase (GCC 5.5, expected_packet_size_bits)."""
MIN_DECREASE_INTERVAL_S = 0.01
MAX_DECREASE_INTERVAL_S = 0.2
"""One decrease in a round trip, within these bounds (libwebrtc aimd_rate_control)."""
DEFAULT_RTT_S = 0.2
"""Before a round trip was measured (libwebrtc aimd_rate_control)."""


class RateState(StrEnum):
    """States of GCC 5.5."""

    HOLD = "hold"
    INCREASE = "increase"
    DECREASE = "decrease"


class RateControl:
    """The delay-based estimate, between two bounds."""

    def __init__(self, start_bps: float, min_bps: float, max_bps: float) -> None:
        self.bitrate_bps = min(max_bps, max(min_bps, start_bps))
        self.min_bps = min_bps
        self.max_bps = max_bps
        self.state = RateState.HOLD
        self.capacity = LinkCapacity()
        self.rtt_s = DEFAULT_RTT_S
        self.decreased_s: float | None = None
        """When it was last decreased."""
        self.competing = False
        """Somebody else fills the path's queue; set from outside."""
        self.outgrown = False
        """More came through than the path was known to carry; cleared by who reads it."""
        self._updated_s: float | None = None

    def update(self, usage: Usage, acknowledged_bps: float | None, now: float, draining_bps: float) -> float:
        """The new estimate after a feedback message.

        acknowledged_bps: what comes through now. draining_bps: the same, measured while a queue is drained,
        which is what the bottleneck passes on (only looked at when overusing).
        """
        elapsed_s = 0.0 if self._updated_s is None else now - self._updated_s
        self._updated_s = now
        if usage is Usage.OVERUSING:
            self.state = RateState.DECREASE
        elif usage is Usage.UNDERUSING:
            self.state = RateState.HOLD  # queues are being emptied: let them
        elif self.state is RateState.HOLD:
            self.state = RateState.INCREASE
        if self.state is RateState.INCREASE:
            self._increase(acknowledged_bps, min(1.0, elapsed_s))
        elif self.state is RateState.DECREASE:
            if self._may_decrease(draining_bps, now):
                self._decrease(draining_bps, now)
            self.state = RateState.HOLD
        return self.bitrate_bps

    def set_estimate(self, bitrate_bps: float, now: float) -> None:
        """Take a measured rate, as from a probe."""
        self.bitrate_bps = min(self.max_bps, max(self.min_bps, bitrate_bps))
        self._updated_s = now

    def _increase(self, acknowledged_bps: float | None, elapsed_s: float) -> None:
        current = self.bitrate_bps
        if acknowledged_bps is not None and self.capacity.is_above(acknowledged_bps):
            self.capacity.forget()
            self.outgrown = True
        if self.capacity.mean_bps is not None:
            grown = current + self.additive_bps_per_s() * elapsed_s
        else:
            grown = max(current * GROWTH_PER_S**elapsed_s, current + 1000 * elapsed_s)
        if acknowledged_bps is not None:
            limit = MAX_ABOVE_ACKNOWLEDGED * acknowledged_bps + ABOVE_ACKNOWLEDGED_BPS
            grown = max(current, min(grown, limit))
        self.bitrate_bps = min(self.max_bps, grown)

    def additive_bps_per_s(self) -> float:
        """About one packet in each response time."""
        frame_bits = self.bitrate_bps / FRAMES_PER_S
        packet_bits = frame_bits / math.ceil(frame_bits / PACKET_BITS)
        if self.competing:
            return max(MIN_ADDITIVE_BPS_PER_S, PACKET_BITS / max(self.rtt_s, MIN_RENO_RTT_S) ** 2)
        return max(MIN_ADDITIVE_BPS_PER_S, packet_bits / (self.rtt_s + RESPONSE_S))

    def _may_decrease(self, acknowledged_bps: float, now: float) -> bool:
        if self.decreased_s is None or acknowledged_bps < self.bitrate_bps / 2:
            return True
        interval_s = min(MAX_DECREASE_INTERVAL_S, max(MIN_DECREASE_INTERVAL_S, self.rtt_s))
        return now - self.decreased_s >= interval_s

    def _decrease(self, acknowledged_bps: float, now: float) -> None:
        decreased = BETA * acknowledged_bps
        known = self.capacity.mean_bps
        if decreased > self.bitrate_bps and known is not None:
            decreased = BETA * known
        self.bitrate_bps = max(self.min_bps, min(self.bitrate_bps, decreased))
        if self.capacity.is_below(acknowledged_bps):
            self.capacity.forget()
        self.capacity.overused(acknowledged_bps)
        self.decreased_s = now
