"""A phone's camera in the wrong light: what it makes of true colors, and the noise it adds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from media.simulated.color import linear_from_xy, planckian_xy


class Illuminant(StrEnum):
    """The light of the room."""

    DAYLIGHT = "daylight"
    TUNGSTEN = "tungsten"
    FLUORESCENT = "fluorescent"
    COOL_LED = "cool_led"


_ILLUMINANT_XY = {
    Illuminant.DAYLIGHT: (0.3127, 0.3290),
    Illuminant.TUNGSTEN: planckian_xy(3000.0),
    # CIE F2 and a little greener, as old tubes are.
    Illuminant.FLUORESCENT: (0.3750, 0.3950),
    Illuminant.COOL_LED: (0.2870, 0.2960),
}

_UNBALANCED = {
    Illuminant.DAYLIGHT: 1.0,
    Illuminant.TUNGSTEN: 0.58,
    Illuminant.FLUORESCENT: 1.0,
    Illuminant.COOL_LED: 1.0,
}
"""The part of the light's cast (as an exponent) that automatic white balance leaves in the picture."""

# Rows sum to one: white stays white, colors bleed into each other as through a sensor's overlapping filters.
_CROSSTALK = np.array([[0.86, 0.13, 0.01], [0.06, 0.87, 0.07], [0.02, 0.11, 0.87]])
_WHITE = 0.93
"""Automatic exposure puts the brightest channel of a white paper here, and so clips nothing on the chart."""
_CONTRAST = 0.16
_LEVELS = 4096


@dataclass(frozen=True, slots=True)
class Camera:
    """Turns scene-linear sRGB into the 8-bit picture of a phone under one illuminant.

    noise_codes: standard deviation of the noise in mid gray, in 8-bit codes.
    """

    illuminant: Illuminant
    noise_codes: float = 1.6

    def gains(self) -> NDArray[np.float64]:
        """What light and white balance together do to a white paper: factors of linear R, G, B."""
        cast = linear_from_xy(*_ILLUMINANT_XY[self.illuminant])
        left: NDArray[np.float64] = np.clip(cast, 0.05, None) ** _UNBALANCED[self.illuminant]
        return left

    def expose(self, linear: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Scene-linear sRGB [H, W, 3] to an encoded picture without noise, uint8."""
        matrix = _CROSSTALK @ np.diag(self.gains())
        matrix *= _WHITE / matrix.sum(axis=1).max()
        seen = cv2.transform(linear, matrix.astype(np.float32))
        index = np.clip(seen * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1).astype(np.uint16)
        return np.asarray(_tone_table()[index])

    def noise(self, seed: int, height_px: int, width_px: int) -> NDArray[np.int8]:
        """A field of sensor noise as the camera's own processing leaves it: colored, slightly soft."""
        rng = np.random.default_rng(seed)
        field = rng.standard_normal((height_px, width_px, 3), np.float32)
        luma = rng.standard_normal((height_px, width_px, 1), np.float32)
        soft = np.asarray(cv2.GaussianBlur(0.55 * field + 0.95 * luma, (3, 3), 0.6), np.float32)
        soft *= np.float32(self.noise_codes / soft.std())
        return np.clip(np.rint(soft), -127, 127).astype(np.int8)


def _tone_table() -> NDArray[np.uint8]:
    """sRGB's curve with a phone's gentle contrast on top, for _LEVELS linear steps."""
    linear = np.linspace(0, 1, _LEVELS)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    curved = (1 - _CONTRAST) * encoded + _CONTRAST * (3 * encoded**2 - 2 * encoded**3)
    return np.asarray(np.rint(255 * curved), np.uint8)
