"""What a path has proved to carry: mean and spread of the rates that came through at overuse (libwebrtc
link_capacity_estimator; GCC 5.5 on being close to convergence)."""

from __future__ import annotations

import math

GAIN = 0.05
"""Weight of a new rate at overuse (GCC 5.5 on R_hat's average; libwebrtc link_capacity_estimator)."""
PROBE_GAIN = 0.5
"""Weight of a probe's rate (libwebrtc link_capacity_estimator)."""
MIN_SPREAD = 0.4
MAX_SPREAD = 2.5
"""Bounds of the normalised variance, in kbit/s (libwebrtc link_capacity_estimator)."""
DEVIATIONS = 3
"""A rate this many standard deviations away is another capacity (GCC 5.5)."""


class LinkCapacity:
    """A running mean with a normalised variance, in kbit/s; unknown until there was an overuse or a probe."""

    __slots__ = ("_mean_kbps", "_spread")

    def __init__(self) -> None:
        self._mean_kbps: float | None = None
        self._spread = MIN_SPREAD

    @property
    def mean_bps(self) -> float | None:
        """The estimate, or None while unknown."""
        return None if self._mean_kbps is None else self._mean_kbps * 1e3

    def overused(self, acknowledged_bps: float) -> None:
        """So much came through while the path was full."""
        self._update(acknowledged_bps / 1e3, GAIN)

    def probed(self, bitrate_bps: float) -> None:
        """A probe measured so much."""
        self._update(bitrate_bps / 1e3, PROBE_GAIN)

    def forget(self) -> None:
        """The path is another one."""
        self._mean_kbps = None

    def is_above(self, bitrate_bps: float) -> bool:
        """Whether a rate is more than this path is known to carry, noise included."""
        mean = self._mean_kbps
        return mean is not None and bitrate_bps / 1e3 > mean + DEVIATIONS * math.sqrt(self._spread * mean)

    def is_below(self, bitrate_bps: float) -> bool:
        """Whether a rate is less than this path is known to carry, noise included."""
        mean = self._mean_kbps
        return mean is not None and bitrate_bps / 1e3 < mean - DEVIATIONS * math.sqrt(self._spread * mean)

    def _update(self, sample: float, gain: float) -> None:
        mean = self._mean_kbps
        mean = sample if mean is None else (1 - gain) * mean + gain * sample
        error = mean - sample
        spread = (1 - gain) * self._spread + gain * error * error / max(mean, 1.0)
        self._spread = min(MAX_SPREAD, max(MIN_SPREAD, spread))
        self._mean_kbps = mean
