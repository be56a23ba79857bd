"""The consult card: where everything lies on it, its colors, and how its markers name the print batch.

Lengths are in mm from the card's upper left corner, x to the right and y down. The 24 patches lie and count
as on a ColorChecker: rows of six, dark skin first, black last, the greys in the last row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import WHITE_D50, WHITE_D65, XYZ_TO_RGB, Floats, bradford, lab_to_xyz, srgb_encode
from colorcal.reference import GRID

WIDTH_MM: Final = 140.0
HEIGHT_MM: Final = 88.0
PITCH_MM: Final = 15.0
PATCH_MM: Final = 13.0
FIRST_CENTER_MM: Final = (32.5, 21.5)
MODULE_MM: Final = 2.5
MARKER_MODULES: Final = 6
"""Modules along a marker's side, its black border included; around it one module stays white."""
MARKER_MM: Final = MODULE_MM * MARKER_MODULES
MARKER_CENTERS_MM: Final = ((12.5, 21.5), (127.5, 21.5), (127.5, 66.5), (12.5, 66.5))
"""Upper left, upper right, lower right, lower left."""
RULER_MM: Final = ((20.0, 79.0), 100.0)
"""Where the ruler begins, and its length: it proves that the card was printed at 100 %."""
MAX_BATCH: Final = 120
"""Print batches count from 1; 0 is a card that was printed without a batch."""
_FIELD: Final = 11
"""Symbols of the code that the markers carry: numbers modulo this prime."""

PATCHES: Final = (
    ("skin, very dark", (31.0, 10.0, 9.0)),
    ("skin, dark", (37.0, 12.0, 14.0)),
    ("skin, brown", (47.0, 14.0, 18.0)),
    ("skin, tan", (57.0, 14.0, 20.0)),
    ("skin, light", (66.0, 12.0, 18.0)),
    ("skin, very light", (75.0, 9.0, 15.0)),
    ("inflamed, very dark", (34.0, 17.0, 11.0)),
    ("inflamed, dark", (40.0, 23.0, 15.0)),
    ("inflamed, brown", (47.0, 26.0, 17.0)),
    ("inflamed, tan", (55.0, 27.0, 17.0)),
    ("inflamed, light", (62.0, 25.0, 15.0)),
    ("inflamed, very light", (70.0, 21.0, 12.0)),
    ("blue", (38.0, 5.0, -36.0)),
    ("green", (52.0, -32.0, 25.0)),
    ("red", (46.0, 46.0, 24.0)),
    ("yellow", (80.0, 2.0, 65.0)),
    ("magenta", (50.0, 46.0, -10.0)),
    ("cyan", (57.0, -24.0, -28.0)),
    ("white", (95.0, 0.0, -2.0)),
    ("grey 80", (80.0, 0.0, -1.0)),
    ("grey 66", (66.0, 0.0, -1.0)),
    ("grey 52", (52.0, 0.0, 0.0)),
    ("grey 38", (38.0, 0.0, 0.0)),
    ("black", (25.0, 0.0, 0.0)),
)
"""Names, and the nominal CIE Lab (D50, 2 degree observer); white is the bare paper, hardly bluish."""
FRAME_LAB: Final = (32.0, 0.0, 0.0)
NOMINAL_LAB: Final[Floats] = np.array([lab for _, lab in PATCHES])
WHITE: Final = 18
FRAME: Final = 24
BLACK: Final = 25
"""Inks beside the patches: their frame, and all the black that there is; WHITE is the bare paper."""
_TICK_MM: Final = 0.25
CENTERS_MM: Final[Floats] = GRID * PITCH_MM + FIRST_CENTER_MM
"""Centers of the patches, float64 [24, 2]."""


def ink_rgb(lab: tuple[float, float, float] | Floats) -> Floats:
    """Encoded sRGB [..., 3], 0 to 1, that a printer is given for a Lab (D50): relative to the bare paper."""
    white = lab_to_xyz(NOMINAL_LAB[WHITE], WHITE_D50)
    relative = lab_to_xyz(lab, WHITE_D50) / white * WHITE_D50
    linear = relative @ bradford(WHITE_D50, WHITE_D65).T @ XYZ_TO_RGB.T
    return np.asarray(np.clip(srgb_encode(linear), 0, 1), np.float64)


def marker_ids(batch: int) -> tuple[int, int, int, int]:
    """ArUco ids (DICT_4X4_50) of the four corners for a print batch, 0 to MAX_BATCH.

    The corner is the id divided by 11, the remainder a symbol of a Reed-Solomon code of length 4 and
    dimension 2 over the integers modulo 11: any two corners tell the batch, and a third one checks them.
    """
    high, low = divmod(batch, _FIELD)
    first, second, third, fourth = (
        corner * _FIELD + (high + low * (corner + 1)) % _FIELD for corner in range(4)
    )
    return first, second, third, fourth


@cache
def batches_by_ids() -> dict[tuple[int, int, int, int], int]:
    """The print batch of each quadruple of ids."""
    return {marker_ids(batch): batch for batch in range(MAX_BATCH + 1)}


def dictionary() -> cv2.aruco.Dictionary:
    """The markers' dictionary; ids from 44 on are on no card."""
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


def marker_modules(marker_id: int) -> NDArray[np.bool_]:
    """The black modules of a marker, bool [6, 6], row by row."""
    return np.asarray(dictionary().generateImageMarker(marker_id, MARKER_MODULES) == 0, bool)


def marker_corners_mm(corner: int) -> Floats:
    """Corners of a marker in mm, in the order in which OpenCV reports them: float64 [4, 2]."""
    half = MARKER_MM / 2
    offsets: Floats = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    corners: Floats = offsets + np.array(MARKER_CENTERS_MM[corner])
    return corners


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A printed rectangle, in mm. ink: a patch's index, FRAME or BLACK."""

    left: float
    top: float
    width: float
    height: float
    ink: int


def rectangles(batch: int) -> tuple[Rectangle, ...]:
    """All that is printed on a card but its words, later ones over earlier ones."""
    half, low, high = PITCH_MM / 2, CENTERS_MM.min(axis=0), CENTERS_MM.max(axis=0)
    field = Rectangle(
        low[0] - half, low[1] - half, high[0] - low[0] + PITCH_MM, high[1] - low[1] + PITCH_MM, FRAME
    )
    patches = [
        Rectangle(x - PATCH_MM / 2, y - PATCH_MM / 2, PATCH_MM, PATCH_MM, index)
        for index, (x, y) in enumerate(CENTERS_MM.tolist())
    ]
    return (field, *patches, *_marker_rectangles(batch), *_ruler_rectangles())


def _marker_rectangles(batch: int) -> Iterator[Rectangle]:
    for corner, marker_id in enumerate(marker_ids(batch)):
        left, top = marker_corners_mm(corner)[0]
        yield Rectangle(left, top, MARKER_MM, MARKER_MM, BLACK)
        for row, column in np.argwhere(~marker_modules(marker_id)).tolist():
            yield Rectangle(left + column * MODULE_MM, top + row * MODULE_MM, MODULE_MM, MODULE_MM, WHITE)


def _ruler_rectangles() -> Iterator[Rectangle]:
    (left, top), length = RULER_MM
    for mm in range(round(length) + 1):
        tick = 4.0 if mm % 10 == 0 else 2.8 if mm % 5 == 0 else 1.8
        yield Rectangle(left + mm - _TICK_MM / 2, top, _TICK_MM, tick, BLACK)
