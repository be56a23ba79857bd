"""The correction itself: picture value to linear light to sRGB, smooth and sane over the whole cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from colorcal.color_math import Floats, srgb_encode
from colorcal.tone import inverse_curve

FEATURES: Final = 13
_TOE: Final = 0.003
_KNEE: Final = 0.88
"""Where out-of-range light starts to be compressed instead of clipped."""
_FOOT: Final = 0.05
"""Share of the strongest channel below which another is compressed."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Parameters of one fitted correction; small, and picklable.

    shape: tone curve (tone.py). gains: linear exposure [3]. flare: linear light to take away.
    matrix: float64 [FEATURES, 3], from root-polynomial features to linear sRGB.
    """

    shape: Floats
    gains: Floats
    flare: float
    matrix: Floats

    @property
    def parts(self) -> tuple[Correction, ...]:
        """The corrections that this one is made of: itself."""
        return (self,)

    def __call__(self, encoded: Floats) -> Floats:
        """Corrected sRGB (0 to 1) of picture values [N, 3], 0 to 1."""
        return srgb_encode(self.from_linear(self.to_linear(encoded)))

    def to_linear(self, encoded: Floats) -> Floats:
        """Scene-linear camera values of picture values, any shape, 0 to 1."""
        curve = inverse_curve(self.shape)
        linear: Floats = np.interp(encoded, np.linspace(0, 1, len(curve)), curve)
        return linear

    def even_light(self, encoded: Floats, lighting: Floats) -> Floats:
        """Scene-linear camera values [N, 3] as they were if the light on each [N] were 1."""
        return (self.to_linear(encoded) - self.flare) / lighting[:, None] + self.flare

    def from_linear(self, linear: Floats) -> Floats:
        """Linear sRGB within 0 to 1, of scene-linear camera values [N, 3]."""
        light = _toe(linear - self.flare) / self.gains
        return into_gamut(features(light) @ self.matrix)


@dataclass(frozen=True, slots=True)
class Mixture:
    """The mean of the results of several corrections: what a steady picture is corrected with."""

    parts: tuple[Correction, ...]

    def __call__(self, encoded: Floats) -> Floats:
        """Corrected sRGB (0 to 1) of picture values [N, 3], 0 to 1."""
        return np.asarray(np.mean([part(encoded) for part in self.parts], axis=0), np.float64)


def features(light: Floats) -> Floats:
    """Root-polynomial features of third degree [N, 13] (Finlayson et al. 2015): they scale with exposure."""
    r, g, b = light[..., 0], light[..., 1], light[..., 2]
    red, green, blue = np.cbrt(r), np.cbrt(g), np.cbrt(b)
    square = [np.sqrt(r * g), np.sqrt(g * b), np.sqrt(r * b)]
    cubic = [
        red * green * green, green * blue * blue, red * blue * blue,
        green * red * red, blue * green * green, blue * red * red,
    ]  # fmt: skip
    return np.stack([r, g, b, *square, *cubic, red * green * blue], axis=-1)


def _toe(light: Floats) -> Floats:
    """Keep light positive and rising where flare is taken away, exactly as it is well above."""
    result: Floats = 0.5 * (light + np.sqrt(light * light + _TOE * _TOE))
    return result


def into_gamut(linear: Floats) -> Floats:
    """Bring linear sRGB [N, 3] into 0 to 1 without flat areas and without a change of hue.

    A channel far below the strongest one fades towards 0 instead of being cut there; where the strongest
    one passes the knee, the whole color is scaled so that it rolls off towards 1.
    """
    strongest = np.maximum(linear.max(axis=-1, keepdims=True), 1e-6)
    foot = _FOOT * strongest
    positive = np.where(linear < foot, foot / np.maximum(2 - linear / foot, 1.0), linear)
    result: Floats = np.clip(positive * (_roll_off(strongest) / strongest), 0, 1)
    return result


def _roll_off(value: Floats) -> Floats:
    over = np.maximum(value - _KNEE, 0) / (1 - _KNEE)
    result: Floats = np.where(value > _KNEE, _KNEE + (1 - _KNEE) * over / (1 + over), value)
    return result
