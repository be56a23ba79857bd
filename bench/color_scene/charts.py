"""What the charts of the renderer look like: which material lies where on a ColorChecker and on the card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.color_scene.prints import printed
from bench.color_scene.spectra import BANDS, chart
from colorcal import card
from colorcal.color_math import Floats
from colorcal.reference import COLUMNS, GRID, ROWS

CELL_PX: Final = 60
_MARGIN: Final = 0.75
"""The black border around the outer patches' centers, in units of the pitch."""
_HALF_PATCH: Final = {
    "classic": (0.43, 0.43),
    "mini": (0.40, 0.40),
    "passport": (0.413, 0.413),
    "nano": (0.373, 0.338),
}
"""Half a patch's sides in units of the pitch in a row and in a column."""
_FRAME: Final = 24


@dataclass(frozen=True, slots=True)
class ChartArt:
    """labels: uint8 [H, W], which of the materials, reflectances [M, BANDS], lies at each point.

    to_units: float64 [3, 3], from a point of the drawing to units of the pitch, patch 0 at (0, 0).
    """

    labels: NDArray[np.uint8]
    materials: Floats
    to_units: Floats


def chart_art(layout: str, colors: str, print_number: int, frame: float) -> ChartArt:
    """The drawing of a chart. colors: a ColorChecker's, a name of spectra.CHARTS; frame: its reflectance."""
    if layout == "card":
        inks = printed(print_number)
        # markers are printed with all the black there is
        return ChartArt(
            _card_labels(print_number), np.vstack([inks, 0.9 * inks[23:24]]), _to_units(_card_origin())
        )
    materials = np.vstack([chart(colors), np.full((1, BANDS), frame)])
    return ChartArt(_checker_labels(layout), materials, _to_units((_MARGIN, _MARGIN)))


def _to_units(origin: tuple[float, float]) -> Floats:
    return np.array([[1 / CELL_PX, 0, -origin[0]], [0, 1 / CELL_PX, -origin[1]], [0, 0, 1]])


@cache
def _checker_labels(layout: str) -> NDArray[np.uint8]:
    tall, wide = (int((count - 1 + 2 * _MARGIN) * CELL_PX) for count in (ROWS, COLUMNS))
    labels = np.full((tall, wide), _FRAME, np.uint8)
    half_x, half_y = (int(half * CELL_PX) for half in _HALF_PATCH[layout])
    for index, (column, row) in enumerate(GRID):
        x, y = int((column + _MARGIN) * CELL_PX), int((row + _MARGIN) * CELL_PX)
        labels[y - half_y : y + half_y, x - half_x : x + half_x] = index
    return labels


def _card_origin() -> tuple[float, float]:
    x, y = card.FIRST_CENTER_MM
    return x / card.PITCH_MM, y / card.PITCH_MM


@cache
def _card_labels(batch: int) -> NDArray[np.uint8]:
    per_mm = CELL_PX / card.PITCH_MM
    labels = np.full((round(card.HEIGHT_MM * per_mm), round(card.WIDTH_MM * per_mm)), card.WHITE, np.uint8)
    for one in card.rectangles(batch):
        left, top = round(one.left * per_mm), round(one.top * per_mm)
        right, bottom = round((one.left + one.width) * per_mm), round((one.top + one.height) * per_mm)
        labels[top : max(bottom, top + 1), left : max(right, left + 1)] = one.ink
    return labels
