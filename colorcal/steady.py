"""Calibrations over time: corrected color kept steady, a switched lamp followed, an old calibration named."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np

from colorcal.calibration import FittedCalibration
from colorcal.color_math import Floats, de00, srgb_encode, srgb_to_lab
from colorcal.correction import Mixture
from colorcal.interface import Grade
from colorcal.skin import library
from colorcal.spectra import D65_TO_LINEAR_RGB

_NEWEST: Final = 2
"""How many calibrations have to agree that what is shown is left behind."""
_HOLD_SHARE: Final = 0.6
"""What the newest differ from what is shown, on skin, in shares of their own expected error: up to this it is
noise, and what is shown stays, so that nothing flickers. Mixing in further calibrations of the same light was
tried: it moves what is shown, and brings it no nearer to the mean of all."""
_SWITCH_DE00: Final = 3.0
"""Two calibrations that differ by more on skin were made under different lights or settings."""
_SWITCH_WAIT_S: Final = 1.5
"""A difference is believed when a second calibration confirms it, or when none came for this long."""
_OUTDATED_S: Final = 60.0


@dataclass
class SteadyCalibration:
    """A filter over the calibrations of one camera; time comes in, none is read.

    update() takes each new result (None when no chart was in view) and returns the calibration to show.
    """

    _recent: list[tuple[float, FittedCalibration]] = field(default_factory=list)
    _doubt: tuple[float, FittedCalibration] | None = None
    _shown: FittedCalibration | None = None

    def update(self, calibration: FittedCalibration | None, now_s: float) -> FittedCalibration | None:
        """The calibration to show now: the last one shown, until the newest have drifted away from it.

        A calibration graded "refuse" is not taken. One that differs is taken, and those before it are
        dropped, as soon as a second one agrees with it.
        """
        if calibration is None or calibration.report.grade is Grade.REFUSE:
            return self._shown
        if self._recent and skin_difference(self._recent[-1][1], calibration) > _SWITCH_DE00:
            confirmed = (
                self._doubt is not None and skin_difference(self._doubt[1], calibration) <= _SWITCH_DE00
            )
            if not confirmed and now_s - self._recent[-1][0] < _SWITCH_WAIT_S:
                self._doubt = (now_s, calibration)
                return self._shown
            self._recent = [self._doubt] if confirmed and self._doubt is not None else []
            self._shown = None
        self._doubt = None
        self._recent = [*self._recent, (now_s, calibration)][-_NEWEST:]
        newest = _blend([one for _, one in self._recent])
        if self._shown is None or (
            skin_difference(self._shown, newest) > _HOLD_SHARE * newest.report.expected_de00
        ):
            self._shown = newest
        return self._shown

    def age_s(self, now_s: float) -> float | None:
        """Seconds since the newest calibration that is shown, or None before the first."""
        return now_s - self._recent[-1][0] if self._recent else None

    def outdated(self, now_s: float) -> bool:
        """Whether the shown calibration no longer holds: too old, or the last picture contradicts it."""
        age_s = self.age_s(now_s)
        return age_s is not None and (age_s > _OUTDATED_S or self._doubt is not None)


def _blend(calibrations: list[FittedCalibration]) -> FittedCalibration:
    newest = calibrations[-1]
    if len(calibrations) == 1:
        return newest
    parts = tuple(part for one in calibrations for part in one.correction.parts)
    return FittedCalibration(Mixture(parts), newest.report, newest.detection)


def skin_difference(one: FittedCalibration, other: FittedCalibration) -> float:
    """Mean CIEDE2000 between what two calibrations make of the same skin-colored picture values."""
    skin = probes()
    return float(de00(srgb_to_lab(one.correction(skin)), srgb_to_lab(other.correction(skin))).mean())


@cache
def probes() -> Floats:
    """Picture values of skin, in bright and in dim light, by which changes are judged: [N, 3], 0 to 1."""
    skin = np.clip(library()[::6] @ D65_TO_LINEAR_RGB, 0, 1)
    return srgb_encode(np.vstack([0.6 * skin, skin]))
