"""Where a picture looks: scene units, pixels, and noise that is the same at every resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class View:
    """A window on the scene. One scene unit is the width of the video picture at rest.

    scale: px per scene unit. left, top: scene position of the window's corner.
    """

    left: float
    top: float
    scale: float
    width_px: int
    height_px: int

    def grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scene x [1, W] and y [H, 1] of every pixel's center, to be broadcast."""
        x = self.left + (np.arange(self.width_px) + 0.5) / self.scale
        y = self.top + (np.arange(self.height_px) + 0.5) / self.scale
        return x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]

    def to_px(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scene points [N, 2] in pixels of this window; whole numbers are the centers of pixels."""
        return np.asarray((points - np.array([self.left, self.top])) * self.scale - 0.5)

    def crop(self, left: float, top: float, right: float, bottom: float) -> tuple[View, slice, slice]:
        """The part of the window inside a rectangle of the scene, and its rows and columns here."""
        x0, x1 = (round(min(max((x - self.left) * self.scale, 0), self.width_px)) for x in (left, right))
        y0, y1 = (round(min(max((y - self.top) * self.scale, 0), self.height_px)) for y in (top, bottom))
        x, y = self.left + x0 / self.scale, self.top + y0 / self.scale
        return View(x, y, self.scale, x1 - x0, y1 - y0), slice(y0, y1), slice(x0, x1)

    def bands(self, rows: int) -> list[View]:
        """The same window cut into bands of so many rows, to bound memory."""
        return [
            View(
                self.left,
                self.top + at / self.scale,
                self.scale,
                self.width_px,
                min(rows, self.height_px - at),
            )
            for at in range(0, self.height_px, rows)
        ]


_GRID = 256
_UNIT_DEVIATION = np.float32(1.17)
"""Makes up for what interpolation between grid points takes from the variance."""


class Noise:
    """Smooth noise over the scene, of mean 0 and standard deviation 1, with details of size `cell`.

    Equal seeds give equal noise at every resolution; stretch: length of a detail, along turn, by its width.
    """

    def __init__(self, seed: int, cell: float, turn: float = 0.0, stretch: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        grid = rng.standard_normal((_GRID, _GRID)).astype(np.float32)
        # Two more cells on each side, so that cubic interpolation sees no border.
        self._grid = np.pad(grid, 2, mode="wrap")
        c, s = np.cos(turn), np.sin(turn)
        self._to_grid = np.array([[c / stretch, s / stretch], [-s, c]], np.float32) / np.float32(cell)

    def over(self, view: View) -> NDArray[np.float32]:
        """The noise of a view, float32 [H, W]."""
        x, y = view.grid()
        u = np.mod(self._to_grid[0, 0] * x + self._to_grid[0, 1] * y, _GRID) + np.float32(2)
        v = np.mod(self._to_grid[1, 0] * x + self._to_grid[1, 1] * y, _GRID) + np.float32(2)
        values = cv2.remap(self._grid, u, v, cv2.INTER_CUBIC)
        return np.asarray(values, np.float32) * _UNIT_DEVIATION


def coverage(distance: NDArray[np.float32], pixel: float) -> NDArray[np.float32]:
    """How much of each pixel lies inside, from a signed distance in units of which a pixel has `pixel`."""
    return np.asarray(np.clip(0.5 - distance / np.float32(pixel), 0, 1), np.float32)


def smooth_step(low: float, high: float, value: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 below low, 1 above high, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
