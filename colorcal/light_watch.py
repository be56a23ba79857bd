"""Notices, without a chart in view, that white balance or exposure are no longer those of the calibration.

Nobody can tell a light from skin of unknown color. But two frames half a second apart mostly show the same
surfaces, and a gain that is common to all of them is the camera's or the lamp's: these gains add up from the
calibration on. Where a phone has swung round, nothing is compared, and only age tells.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.calibration import FittedCalibration
from colorcal.color_math import Floats, de00, linear_rgb_to_lab
from colorcal.errors import check_picture
from colorcal.interface import LightChange
from colorcal.steady import probes

_LONG_SIDE_PX: Final = 160
_USABLE: Final = (0.06, 0.94)
"""Encoded values outside are noise, or clipped."""
_MIN_SHARE: Final = 0.25
"""Share of the frame that must be comparable."""
_MAX_SCATTER: Final = 0.09
"""Largest scatter of the color gains over a frame: more, and it shows other things than the one before."""
_MIN_ALIKE: Final = 0.5
"""Least correlation of what two frames show in detail; other surfaces of even color correlate in nothing."""
_MAX_COLOR_DE00: Final = 3.0
_MAX_EXPOSURE_DE00: Final = 5.0
_IN_A_ROW: Final = 2


class LightWatch:
    """Follows the frames of one camera between calibrations; a few kilobytes, and picklable.

    A change of color stays until there is a new calibration, even if the gains come back: a camera that has
    balanced a new lamp away shows the old gains and other colors. An exposure that comes back is the old one.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._log_gains: Floats = np.zeros(3)
        self._doubts = {LightChange.COLOR: 0, LightChange.EXPOSURE: 0}
        self._color_changed = False

    def calibrated(self, rgb: NDArray[np.uint8]) -> None:
        """The calibration in use was made from this frame, uint8 [H, W, 3]."""
        self.__init__()  # type: ignore[misc]
        self._last = _small(rgb)

    def look(self, rgb: NDArray[np.uint8], calibration: FittedCalibration) -> LightChange | None:
        """What has changed up to this frame since the calibration; None also where nothing can be told."""
        frame = _small(rgb)
        if self._last is not None:
            gains = _common_gains(self._last, frame, calibration)
            if gains is not None:
                self._log_gains = self._log_gains + gains
        self._last = frame
        color_de00, exposure_de00 = _seen_on_skin(self._log_gains, calibration)
        self._count(LightChange.COLOR, color_de00 > _MAX_COLOR_DE00)
        self._count(LightChange.EXPOSURE, exposure_de00 > _MAX_EXPOSURE_DE00)
        self._color_changed |= self._doubts[LightChange.COLOR] >= _IN_A_ROW
        if self._color_changed:
            return LightChange.COLOR
        return LightChange.EXPOSURE if self._doubts[LightChange.EXPOSURE] >= _IN_A_ROW else None

    def _count(self, change: LightChange, doubtful: bool) -> None:
        self._doubts[change] = self._doubts[change] + 1 if doubtful else 0


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture: Any = check_picture(rgb)
    scale = min(1.0, _LONG_SIDE_PX / max(picture.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _common_gains(
    before: NDArray[np.uint8], after: NDArray[np.uint8], calibration: FittedCalibration
) -> Floats | None:
    """Logarithms of the gains [3] that most of two frames share, in linear light, or None."""
    if before.shape != after.shape or min(before.shape[:2]) < 16:
        return None
    one, two = _overlap(before, after)
    if one.shape[0] * one.shape[1] < _MIN_SHARE * before.shape[0] * before.shape[1]:
        return None
    if float((_pattern(one) * _pattern(two)).mean()) < _MIN_ALIKE:
        return None
    low, high = (255 * limit for limit in _USABLE)
    usable = (np.minimum(one, two).min(axis=2) >= low) & (np.maximum(one, two).max(axis=2) <= high)
    if usable.sum() < _MIN_SHARE * before.shape[0] * before.shape[1]:
        return None
    curve = calibration.correction.parts[-1]
    ratios = np.log(curve.to_linear(two[usable] / 255)) - np.log(curve.to_linear(one[usable] / 255))
    gains: Floats = np.median(ratios, axis=0)
    colors = ratios[:, [0, 2]] - ratios[:, 1:2]
    scatter = np.median(np.abs(colors - np.median(colors, axis=0)), axis=0)
    return gains if scatter.max() <= _MAX_SCATTER else None


def _overlap(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """What both frames show, smoothed, the hand's movement taken out: float64 [H, W, 3] each."""
    (dx, dy), _ = cv2.phaseCorrelate(_pattern(before), _pattern(after), cv2.createHanningWindow(
        (before.shape[1], before.shape[0]), cv2.CV_64F
    ))  # fmt: skip
    height, width = before.shape[:2]
    x, y = (int(np.clip(round(shift), -side + 1, side - 1)) for shift, side in ((dx, width), (dy, height)))
    one, two = (np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.5), np.float64) for frame in (before, after))
    rows, columns = height - abs(y), width - abs(x)
    return (
        one[max(0, -y) : max(0, -y) + rows, max(0, -x) : max(0, -x) + columns],
        two[max(0, y) : max(0, y) + rows, max(0, x) : max(0, x) + columns],
    )


def _pattern(frame: NDArray[Any]) -> Floats:
    """Luma without its level and contrast, so that a lamp moves nothing."""
    grey = np.asarray(frame.mean(axis=2), np.float64)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 6)
    return np.asarray(detail / max(float(detail.std()), 1e-6), np.float64)


def _seen_on_skin(log_gains: Floats, calibration: FittedCalibration) -> tuple[float, float]:
    """Mean CIEDE2000 on corrected skin that the gains make: by their color, and by their exposure."""
    curve = calibration.correction.parts[-1]
    light = curve.to_linear(probes())
    as_it_was = linear_rgb_to_lab(curve.from_linear(light))

    def change(gains: Floats) -> float:
        return float(de00(linear_rgb_to_lab(curve.from_linear(light * gains)), as_it_was).mean())

    return change(np.exp(log_gains - log_gains[1])), change(np.exp(np.full(3, log_gains[1])))
