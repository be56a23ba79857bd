"""ColorChecker Classic: reference colors before and after November 2014, names, grid and neutrals."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np

from colorcal.color_math import Floats, lab_d50_to_linear_rgb

ROWS: Final = 4
COLUMNS: Final = 6
PATCHES: Final = ROWS * COLUMNS
GREYS: Final = (18, 19, 20, 21, 22, 23)
"""Indices of the six neutrals, white first."""
GRID: Final[Floats] = np.array([(c, r) for r in range(ROWS) for c in range(COLUMNS)], dtype=np.float64)
"""Patch positions in units of the pitch, x then y, dark skin at (0, 0) and black at (5, 3)."""


class Batch(StrEnum):
    """When a chart was made; X-Rite changed the pigments in November 2014."""

    BEFORE_2014 = "before november 2014"
    AFTER_2014 = "after november 2014"


# CIE Lab, D50, 2 degree observer, as X-Rite publishes them ("New color specifications for ColorChecker SG
# and Classic charts", 2016): the name, then the values before and after November 2014.
_LAB_D50: Final = (
    ("dark skin", (37.99, 13.56, 14.06), (37.54, 14.37, 14.92)),
    ("light skin", (65.71, 18.13, 17.81), (64.66, 19.27, 17.50)),
    ("blue sky", (49.93, -4.88, -21.90), (49.32, -3.82, -22.54)),
    ("foliage", (43.14, -13.09, 21.90), (43.46, -12.74, 22.72)),
    ("blue flower", (55.11, 8.84, -25.40), (54.94, 9.61, -24.79)),
    ("bluish green", (70.72, -33.40, -0.20), (70.48, -32.26, -0.37)),
    ("orange", (62.66, 36.07, 57.10), (62.73, 35.83, 56.50)),
    ("purplish blue", (40.02, 10.41, -45.96), (39.43, 10.75, -45.17)),
    ("moderate red", (51.12, 48.24, 16.25), (50.57, 48.64, 16.67)),
    ("purple", (30.33, 22.98, -21.59), (30.10, 22.54, -20.87)),
    ("yellow green", (72.53, -23.71, 57.26), (71.77, -24.13, 58.19)),
    ("orange yellow", (71.94, 19.36, 67.86), (71.51, 18.24, 67.37)),
    ("blue", (28.78, 14.18, -50.30), (28.37, 15.42, -49.80)),
    ("green", (55.26, -38.34, 31.37), (54.38, -39.72, 32.27)),
    ("red", (42.10, 53.38, 28.19), (42.43, 51.05, 28.62)),
    ("yellow", (81.73, 4.04, 79.82), (81.80, 2.67, 80.41)),
    ("magenta", (51.94, 49.99, -14.57), (50.63, 51.28, -14.12)),
    ("cyan", (51.04, -28.63, -28.64), (49.57, -29.71, -28.32)),
    ("white", (96.54, -0.43, 1.19), (95.19, -1.03, 2.93)),
    ("neutral 8", (81.26, -0.64, -0.33), (81.29, -0.57, 0.44)),
    ("neutral 6.5", (66.77, -0.73, -0.50), (66.89, -0.75, -0.06)),
    ("neutral 5", (50.87, -0.15, -0.27), (50.76, -0.13, 0.14)),
    ("neutral 3.5", (35.66, -0.42, -1.23), (35.63, -0.46, -0.48)),
    ("black", (20.46, -0.08, -0.97), (20.64, 0.07, -0.46)),
)
NAMES: Final = tuple(name for name, _, _ in _LAB_D50)


@cache
def lab_d50(batch: Batch) -> Floats:
    """Reference Lab under D50, float64 [24, 3]."""
    return np.array([after if batch is Batch.AFTER_2014 else before for _, before, after in _LAB_D50])


@cache
def linear_rgb(batch: Batch) -> Floats:
    """Reference in linear sRGB adapted to D65, float64 [24, 3]; cyan's red lies below 0."""
    return lab_d50_to_linear_rgb(lab_d50(batch))
