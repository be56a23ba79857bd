"""A ColorChecker Classic as data and as paint: 24 patches on a black card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.simulated.color import WHITE_D50, linear_from_lab
from media.simulated.view import View, coverage

REFERENCE_LAB_D50 = np.array(
    [
        [37.54, 14.37, 14.92],
        [64.66, 19.27, 17.50],
        [49.32, -3.82, -22.54],
        [43.46, -12.74, 22.72],
        [54.94, 9.61, -24.79],
        [70.48, -32.26, -0.37],
        [62.73, 35.83, 56.50],
        [39.43, 10.75, -45.17],
        [50.57, 48.64, 16.67],
        [30.10, 22.54, -20.87],
        [71.77, -24.13, 58.19],
        [71.51, 18.24, 67.37],
        [28.37, 15.42, -49.80],
        [54.38, -39.72, 32.27],
        [42.43, 51.05, 28.62],
        [81.80, 2.67, 80.41],
        [50.63, 51.28, -14.12],
        [49.57, -29.71, -28.32],
        [95.19, -1.03, 2.93],
        [81.29, -0.57, 0.44],
        [66.89, -0.75, -0.06],
        [50.76, -0.13, 0.14],
        [35.63, -0.46, -0.48],
        [20.64, 0.07, -0.46],
    ]
)
"""CIELAB (D50, 2 degrees) of charts made after November 2014, dark skin first, black last.

Source: X-Rite, "New color specifications for ColorChecker SG and Classic charts" (2016).
"""

COLUMNS, ROWS = 6, 4
PATCH = 0.88
"""Side of a patch, in pitches (distance between centers)."""

BORDER = 0.22
"""Black around the outer patches, in pitches."""

_CARD_LINEAR = 0.012
"""Reflectance of the card between the patches."""


def reference_linear() -> NDArray[np.float64]:
    """The 24 patches in linear sRGB, D65; cyan lies outside the gamut (a negative red)."""
    return linear_from_lab(REFERENCE_LAB_D50, WHITE_D50)


class Chart:
    """The chart as it lies in the scene: center and pitch in scene units, turn in radians."""

    def __init__(self, center: tuple[float, float], pitch: float, turn: float) -> None:
        self._center = np.array(center)
        self._pitch = pitch
        self._axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    @property
    def center(self) -> NDArray[np.float64]:
        """Middle of the card, in scene units."""
        return self._center

    def patch_centers(self) -> NDArray[np.float64]:
        """Scene positions of the patches, [24, 2], in reference order."""
        column, row = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
        offsets = np.stack([column - (COLUMNS - 1) / 2, row - (ROWS - 1) / 2], axis=-1).reshape(-1, 2)
        return np.asarray(self._center + self._pitch * offsets @ self._axes.T)

    def paint(self, view: View, canvas: NDArray[np.float32]) -> None:
        """Paint the card over canvas (linear RGB of the view), with a soft shadow under its edge."""
        reach = self._pitch * COLUMNS
        low, high = self._center - reach, self._center + reach
        view, rows, columns = view.crop(low[0], low[1], high[0], high[1])
        if view.width_px == 0 or view.height_px == 0:
            return
        canvas = canvas[rows, columns]
        x, y = view.grid()
        x, y = x - self._center[0], y - self._center[1]
        u = (x * self._axes[0, 0] + y * self._axes[1, 0]) / self._pitch
        v = (x * self._axes[0, 1] + y * self._axes[1, 1]) / self._pitch
        pixel = 1 / (view.scale * self._pitch)
        half = np.array([COLUMNS / 2 - 0.5 + PATCH / 2 + BORDER, ROWS / 2 - 0.5 + PATCH / 2 + BORDER])
        shadow = np.maximum(_rounded(u - 0.10, v - 0.12, half, 0.1), 0)
        canvas *= (1 - 0.5 * np.exp(-shadow / 0.09))[..., None]
        card = coverage(_rounded(u, v, half, 0.1), pixel)
        canvas += card[..., None] * (_CARD_LINEAR - canvas)
        column = np.clip(np.floor(u + COLUMNS / 2), 0, COLUMNS - 1)
        row = np.clip(np.floor(v + ROWS / 2), 0, ROWS - 1)
        inside = _rounded(
            u - column + (COLUMNS - 1) / 2, v - row + (ROWS - 1) / 2, np.array([PATCH, PATCH]) / 2, 0.03
        )
        patch = coverage(inside, pixel)
        colors = reference_linear().astype(np.float32)[(row * COLUMNS + column).astype(np.intp)]
        canvas += patch[..., None] * (colors - canvas)


def _rounded(
    u: NDArray[np.float32], v: NDArray[np.float32], half: NDArray[np.float64], radius: float
) -> NDArray[np.float32]:
    """Signed distance to a rectangle with round corners; negative inside."""
    du, dv = np.abs(u) - np.float32(half[0] - radius), np.abs(v) - np.float32(half[1] - radius)
    outside = np.hypot(np.maximum(du, 0), np.maximum(dv, 0))
    distance: NDArray[np.float32] = outside + np.minimum(np.maximum(du, dv), 0) - np.float32(radius)
    return distance
