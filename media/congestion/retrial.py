"""When to try a picture again towards a viewer whose path is known by its REMB alone: that measures what
comes, and while only sound does it tells of no more."""

from __future__ import annotations

REST_S = 3.0
MAX_REST_S = 24.0
"""Nothing is tried for the former after a pause; for twice as long after each trial that failed, up to the
latter: a picture that does not fit costs sound."""
TRIAL_S = 12.0
"""Time for a REMB to grow from sound to a picture's least: 8 % a second (GCC 5.5) are 2.5 times in it."""
FELL_BELOW = 0.97
"""A REMB or a loss that takes the viewer's estimate below this share of its best in the trial has said no
(libwebrtc's receive side sends such a fall at once)."""


class Retrial:
    """One viewer's trials."""

    __slots__ = ("_best_bps", "_ended_s", "_paused_s", "_rest_s", "_until_s")

    def __init__(self) -> None:
        self._paused_s: float | None = None
        self._until_s: float | None = None
        self._ended_s = float("-inf")
        self._rest_s = REST_S
        self._best_bps = 0.0

    def update(self, allowed_bps: float, paused: bool, now: float) -> bool:
        """Whether a picture is to be sent though it is not allowed. allowed_bps: what the viewer says;
        paused: no picture is sent."""
        if self._until_s is not None:
            self._best_bps = max(self._best_bps, allowed_bps)
            if now < self._until_s and allowed_bps >= FELL_BELOW * self._best_bps:
                return True
            self._until_s = self._paused_s = None
            self._ended_s = now
            return False
        if not paused:
            self._paused_s = None
            return False
        if self._paused_s is None:
            self._paused_s = now
            failed = now - self._ended_s <= MAX_REST_S
            self._rest_s = min(MAX_REST_S, 2 * self._rest_s) if failed else REST_S
        if now - self._paused_s < self._rest_s:
            return False
        self._until_s = now + TRIAL_S
        self._best_bps = allowed_bps
        return True
