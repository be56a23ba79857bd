"""Rate control by loss: how much of it is the path's own and how much is ours for sending too fast.

The model is that of libwebrtc's loss_based_bwe_v2: a path loses each packet with an inherent probability p
and drops what exceeds its bandwidth B, so that at a sending rate s a share p + (1 - p) max(0, 1 - B/s) is
lost. B is chosen by likelihood among a few candidates, the highest that the evidence allows; below a
threshold of loss nothing is limited (GCC 6). Unlike GCC 6 alone it does not take 10 % of radio loss for
congestion.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

LOW_LOSS = 0.02
HIGH_LOSS = 0.10
"""Below the one the rate may grow, above the other it falls (GCC 6)."""
OBSERVATION_S = 0.25
"""Least time of one observation (libwebrtc loss_based_bwe_v2)."""
OBSERVATIONS = 20
"""Observations that are looked at (libwebrtc loss_based_bwe_v2)."""
AGEING = 0.9
"""Weight of an observation against the next one (libwebrtc loss_based_bwe_v2)."""
INHERENT_OFFSET = 0.05
INHERENT_BALANCE_BPS = 75_000
MAX_INHERENT = 0.3
"""Inherent loss is believed up to offset + balance / B: 13 % at 1 Mbit/s (libwebrtc loss_based_bwe_v2)."""
CANDIDATES = (1.02, 1.0, 0.95, 0.9, 0.8)
"""Bandwidths to weigh, as factors of the present one (libwebrtc loss_based_bwe_v2 has 1.02, 1.0 and 0.95; the
others let it fall in one second, emulator)."""
ACKNOWLEDGED_FACTOR = 0.95
"""A candidate is this share of what comes through (libwebrtc loss_based_bwe_v2, backoff lower bound)."""
EVIDENCE = 2.0
"""A lower bandwidth is believed when its log-likelihood is so much better: 95 % (Wilks 1938)."""
EM_STEPS = 6
"""Iterations of expectation and maximisation for p; then it moves by less than 1 % (measured)."""
DIP = 0.7
DIP_OBSERVATIONS = 3
DIP_INTERVAL = 40
"""While more than HIGH_LOSS is lost, every so many observations some are made at this share of the rate: at
one rate alone nothing tells a policer's loss from a radio's (emulator: 24 % loss at a policer without, 4 %
with)."""
RECOVERY_PER_S = 1.08
"""Growth of the limit where loss allows it: GCC's eta."""
_TINY = 1e-6


class _Observation(NamedTuple):
    came: int
    lost: int
    sending_bps: float


def inherent_ceiling(bandwidth_bps: float) -> float:
    """The most that a path of this bandwidth is believed to lose by itself."""
    return min(MAX_INHERENT, INHERENT_OFFSET + INHERENT_BALANCE_BPS / max(bandwidth_bps, 1.0))


class LossControl:
    """Limits the rate only while loss speaks against it."""

    __slots__ = ("_bytes", "_came", "_closed_s", "_lost", "_observations", "_since_dip", "limit_bps", "loss")

    def __init__(self) -> None:
        self._observations: deque[_Observation] = deque(maxlen=OBSERVATIONS)
        self._came = 0
        self._lost = 0
        self._bytes = 0
        self._closed_s: float | None = None
        self._since_dip = DIP_INTERVAL
        self.limit_bps: float | None = None
        """The limit, or None while loss does not limit."""
        self.loss = 0.0
        """Share of the packets lost, newer ones weighing more."""

    def update(self, came: int, lost: int, size_bytes: int, newest_sent_s: float) -> bool:
        """Count packets that came or were lost, size_bytes together; True when an observation is complete."""
        if self._closed_s is None:
            self._closed_s = newest_sent_s
            return False
        self._came += came
        self._lost += lost
        self._bytes += size_bytes
        span_s = newest_sent_s - self._closed_s
        if span_s < OBSERVATION_S:
            return False
        if self._came + self._lost:
            self._observations.append(_Observation(self._came, self._lost, self._bytes * 8 / span_s))
        self._came = self._lost = self._bytes = 0
        self._closed_s = newest_sent_s
        self.loss = self._mean_loss()
        self._since_dip += 1
        if self.loss > HIGH_LOSS and self._since_dip >= DIP_INTERVAL:
            self._since_dip = 0
        return True

    @property
    def dip(self) -> float:
        """Factor on what is sent: less than 1 while it is tested what loss does then."""
        return DIP if self._since_dip < DIP_OBSERVATIONS else 1.0

    def decide(self, delay_based_bps: float, acknowledged_bps: float | None) -> float | None:
        """The limit after a complete observation; delay_based_bps: what delay alone would allow."""
        present = delay_based_bps if self.limit_bps is None else min(self.limit_bps, delay_based_bps)
        if self.loss < LOW_LOSS:
            grown = present * RECOVERY_PER_S**OBSERVATION_S
        else:
            grown = self._likeliest(present, delay_based_bps, acknowledged_bps)
        self.limit_bps = None if grown >= delay_based_bps else grown
        return self.limit_bps

    def inherent(self, bandwidth_bps: float) -> float:
        """Share of the packets that the path itself loses, as far as that is believed."""
        return 0.0 if self.limit_bps is not None else min(self.loss, inherent_ceiling(bandwidth_bps))

    def _mean_loss(self) -> float:
        weight, lost, total = 1.0, 0.0, 0.0
        for observation in reversed(self._observations):
            lost += weight * observation.lost
            total += weight * (observation.came + observation.lost)
            weight *= AGEING
        return lost / total if total else 0.0

    def _likeliest(self, present: float, delay_based_bps: float, acknowledged_bps: float | None) -> float:
        bandwidths = {present * factor for factor in CANDIDATES}
        bandwidths.add(delay_based_bps)
        if acknowledged_bps is not None:
            bandwidths.add(min(present, ACKNOWLEDGED_FACTOR * acknowledged_bps))
        # From a limited state it rises step by step: a leap would only be cut again.
        highest = max(present * CANDIDATES[0], 1.0)
        judged = [(b, self._log_likelihood(b)) for b in sorted(bandwidths) if b <= highest or b == present]
        best = max(likelihood for _, likelihood in judged)
        return max(bandwidth for bandwidth, likelihood in judged if likelihood >= best - EVIDENCE)

    def _log_likelihood(self, bandwidth_bps: float) -> float:
        """Of the observations, with the inherent loss that suits them best."""
        rows: list[tuple[float, float, float]] = []
        weight = 1.0
        total = 0.0
        for came, lost, sending_bps in reversed(self._observations):
            excess = max(0.0, 1 - bandwidth_bps / sending_bps) if sending_bps > 0 else 0.0
            rows.append((weight * came, weight * lost, excess))
            total += weight * (came + lost)
            weight *= AGEING
        ceiling = inherent_ceiling(bandwidth_bps)
        inherent = min(ceiling, self.loss) + _TINY
        for _ in range(EM_STEPS):
            own = 0.0
            for _, lost_weight, excess in rows:
                if lost_weight:
                    own += lost_weight * inherent / (inherent + (1 - inherent) * excess)
            inherent = min(ceiling, own / total) + _TINY
        likelihood = 0.0
        for came_weight, lost_weight, excess in rows:
            probability = min(1 - _TINY, inherent + (1 - inherent) * excess)
            likelihood += lost_weight * math.log(probability) + came_weight * math.log(1 - probability)
        return likelihood


class LossThresholds:
    """GCC 6 as it stands, for a viewer without transport-cc: from the loss in receiver reports alone."""

    __slots__ = ("bitrate_bps",)

    def __init__(self, start_bps: float) -> None:
        self.bitrate_bps = start_bps

    def update(self, loss: float, elapsed_s: float, highest_bps: float) -> float:
        """loss: share lost since the last report, elapsed_s ago; highest_bps: no growth beyond."""
        if loss < LOW_LOSS:
            self.bitrate_bps = min(highest_bps, self.bitrate_bps * 1.05 ** min(elapsed_s, 1.0))
        elif loss > HIGH_LOSS:
            self.bitrate_bps *= 1 - 0.5 * loss
        return self.bitrate_bps
