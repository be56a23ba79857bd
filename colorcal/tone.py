"""Tone curves of cameras: sRGB's own curve bent by three shape numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from colorcal.color_math import Floats, srgb_decode, srgb_encode

SHAPES: Final = 3
SHAPE_SIGMAS: Final[Floats] = np.array([0.25, 0.30, 0.8])
"""Prior standard deviations: brightening, S-shape, and where the S lies."""
_KNOTS: Final[Floats] = np.linspace(0, 1, 1025)
_MIN_SLOPE: Final = 0.15


def bends(u: Floats) -> Floats:
    """The three bends [..., 3] over sRGB-encoded values u: each leaves 0 and 1 in place."""
    u = np.clip(u, 0, 1)
    body = u * (1 - u)
    return np.stack([body, body * (1 - 2 * u), body * body * (5 * u - 2)], axis=-1)


def bend_slopes(u: Floats) -> Floats:
    """Derivatives of the bends, [..., 3]; 0 outside 0 to 1."""
    inside = ((u >= 0) & (u <= 1))[..., None]
    u = np.clip(u, 0, 1)
    slopes = [1 - 2 * u, 1 - 6 * u + 6 * u * u, u * (-4 + u * (27 + u * (-48 + 25 * u)))]
    result: Floats = np.stack(slopes, axis=-1) * inside
    return result


def expose(linear: Floats, shape: Floats) -> Floats:
    """Picture value of scene-linear light: clipped to 0 to 1 like a sensor."""
    u = srgb_encode(np.maximum(linear, 0.0))
    result: Floats = np.clip(u + bends(u) @ shape, 0, 1)
    return result


def inverse_curve(shape: Floats) -> Floats:
    """Scene-linear light of the picture values linspace(0, 1, 1025), strictly rising.

    A shape that would fold the curve is straightened to a small slope, so that an inverse always exists.
    """
    curve = _KNOTS + bends(_KNOTS) @ shape
    rises = np.maximum(np.diff(curve), _MIN_SLOPE / (len(_KNOTS) - 1))
    curve = np.concatenate([[0.0], np.cumsum(rises)])
    curve /= curve[-1]
    return srgb_decode(np.interp(_KNOTS, curve, _KNOTS))
