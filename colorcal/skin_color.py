"""Color numbers of a lesion and of the skin around it, from a corrected picture; pure.

Erythema and melanin index: EI = log10(R / G) and MI = log10(1 / R) of linear, white-referenced RGB (Yamamoto
et al. 2008, doi 10.1111/j.1600-0846.2007.00256.x); they compare within one calibrated series only. ITA =
atan2(L* - 50, b*) in degrees (Chardon, Cretois and Hourseau 1991, Int J Cosmet Sci 13:191).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorcal.color_math import XYZ_TO_RGB, Floats, de00, lab_to_xyz, linear_rgb_to_lab, srgb_decode
from colorcal.interface import LesionColor, NotEnoughSkin, RegionColor, Uncertain

Mask = NDArray[np.bool_]

LEAST_PIXELS: Final = 30
_DARKEST: Final = 1e-4
"""Linear light below which a logarithm would only tell the noise."""
_GAP: Final = 0.15
_WIDTH: Final = 0.5
"""Of the outline's equivalent radius: how far off the ring of surrounding skin begins, and how wide it is."""


def erythema_index(linear_rgb: ArrayLike) -> Floats:
    """EI of linear RGB [..., 3], 1 is white."""
    rgb = np.maximum(np.asarray(linear_rgb, np.float64), _DARKEST)
    return np.log10(rgb[..., 0] / rgb[..., 1])


def melanin_index(linear_rgb: ArrayLike) -> Floats:
    """MI of linear RGB [..., 3], 1 is white."""
    rgb = np.maximum(np.asarray(linear_rgb, np.float64), _DARKEST)
    return -np.log10(rgb[..., 0])


def ita_deg(lab: ArrayLike) -> Floats:
    """Individual typology angle of Lab [..., 3], in degrees; told with four quadrants, so bluish skin too."""
    v = np.asarray(lab, np.float64)
    return np.degrees(np.arctan2(v[..., 0] - 50.0, v[..., 2]))


def lesion_mask(outline_px: ArrayLike, height: int, width: int) -> Mask:
    """Pixels [H, W] whose center lies within a closed outline [N, 2], x and y in px."""
    x, y = np.asarray(outline_px, np.float64).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    rows = np.arange(height)[:, None] + 0.5
    row, edge = np.nonzero((y <= rows) != (next_y <= rows))
    share = (row + 0.5 - y[edge]) / (next_y[edge] - y[edge])
    crossing = x[edge] + share * (next_x[edge] - x[edge])
    # From each crossing on, a row's pixels lie on the other side of the outline (even-odd rule).
    turns = np.zeros((height, width + 1), np.int32)
    np.add.at(turns, (row, np.clip(np.ceil(crossing - 0.5), 0, width).astype(int)), 1)
    inside: Mask = np.cumsum(turns, axis=1)[:, :width] % 2 == 1
    return inside


def surrounding_mask(inside: Mask, others: Mask | None = None) -> Mask:
    """A ring of skin around a lesion, as far off and as wide as the lesion's size says; without `others`,
    which are lesions too."""
    if not inside.any():  # cv2 crashes on nothing at all
        return np.zeros_like(inside)
    radius = math.sqrt(int(inside.sum()) / math.pi)
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near, far = max(2.0, _GAP * radius), max(2.0, _GAP * radius) + max(4.0, _WIDTH * radius)
    ring: Mask = (distance > near) & (distance <= far)
    return ring if others is None else ring & ~others


def measure_color(
    corrected: NDArray[np.uint8], inside: Mask, surrounding: Mask, expected_de00: float
) -> LesionColor:
    """Color of a lesion and of the skin around it in a corrected picture: uint8 sRGB [H, W, 3], masks [H, W].

    expected_de00: the calibration's expected error on skin (its CalibrationReport), which is taken as the
    standard uncertainty of each of L*, a*, b*, beside the mean's own; of what both regions share, so of the
    contrast, half is taken. Raises NotEnoughSkin where a region has fewer than LEAST_PIXELS pixels.
    """
    within = _region(corrected, inside, expected_de00)
    around = _region(corrected, surrounding, expected_de00)
    contrast = float(de00(_lab(within), _lab(around)))
    return LesionColor(within, around, Uncertain(contrast, expected_de00 / 2))


def measure_outline(
    corrected: NDArray[np.uint8], outline_px: NDArray[np.float64], expected_de00: float
) -> LesionColor:
    """`measure_color` inside a closed outline [N, 2] in px and in the ring around it; raises as it does.

    Only what lies near the outline is looked at, however large the picture.
    """
    reach = np.ptp(outline_px, axis=0).max() * (_GAP + _WIDTH) + 8
    left, top = np.maximum(np.floor(outline_px.min(axis=0) - reach), 0).astype(int)
    right, bottom = np.ceil(outline_px.max(axis=0) + reach).astype(int)
    corrected = corrected[top : max(bottom, 0), left : max(right, 0)]
    inside = lesion_mask(outline_px - (left, top), *corrected.shape[:2])
    return measure_color(corrected, inside, surrounding_mask(inside), expected_de00)


def _lab(region: RegionColor) -> Floats:
    return np.array([region.lightness.value, region.a.value, region.b.value])


def _region(corrected: NDArray[np.uint8], mask: Mask, expected_de00: float) -> RegionColor:
    pixels = corrected[mask]
    count = len(pixels)
    if count < LEAST_PIXELS:
        raise NotEnoughSkin("there are too few pixels to tell a color")
    linear = srgb_decode(pixels / 255.0)
    labs = linear_rgb_to_lab(linear)
    mean = linear_rgb_to_lab(linear.mean(axis=0))
    own = labs.std(axis=0) / math.sqrt(count)
    spread = de00(labs, mean)
    u_lab = np.hypot(own, expected_de00)
    ita = float(ita_deg(mean)) if mean[2] > 0 else None
    lightness, a, b = (Uncertain(float(v), float(u)) for v, u in zip(mean, u_lab, strict=True))
    return RegionColor(
        lightness=lightness,
        a=a,
        b=b,
        spread_de00=Uncertain(float(spread.mean()), float(spread.std() / math.sqrt(count))),
        erythema_index=_propagated(lambda lab: float(erythema_index(_to_linear(lab))), mean, u_lab),
        melanin_index=_propagated(lambda lab: float(melanin_index(_to_linear(lab))), mean, u_lab),
        ita_deg=None if ita is None else _propagated(lambda lab: float(ita_deg(lab)), mean, u_lab),
    )


def _to_linear(lab: Floats) -> Floats:
    return lab_to_xyz(lab) @ XYZ_TO_RGB.T


def _propagated(of: Callable[[Floats], float], lab: Floats, u_lab: Floats) -> Uncertain:
    """A function of Lab with the uncertainty that comes through each axis (JCGM 100:2008, 5.1.3, note 2)."""
    parts = []
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = u_lab[axis]
        parts.append((of(lab + step) - of(lab - step)) / 2)
    return Uncertain(of(lab), math.hypot(*parts))
