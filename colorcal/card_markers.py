"""Read a card's markers where they must lie: soft or small ones that a search for squares does not find."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.card import (
    MARKER_CENTERS_MM,
    MARKER_MODULES,
    MAX_BATCH,
    MODULE_MM,
    marker_ids,
    marker_modules,
)
from colorcal.color_math import Floats

_CORNERS: Final = 4
_SYMBOLS: Final = 11
_POINTS: Final = 4
"""Points along a module at which a marker is sampled."""
_SHIFT: Final = 3
"""How far, in points, a marker may lie from where the patches say."""
_AGREES: Final = 0.7
"""Correlation of a marker with what its batch has there."""
_FEWEST: Final = 2
_MARGIN: Final = 0.04
"""By how much the mean correlation of the best batch exceeds that of any other."""


def read_batch(picture: NDArray[np.uint8], homography: Floats) -> int | None:
    """The print batch of a card that lies by a homography [3, 3], mm to px; None where no card's markers are.

    picture: uint8 [H, W, 3]. At least two of the four markers agree with one batch, with no other as well.
    """
    grey: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    likeness = np.array([_likeness(grey, homography, corner) for corner in range(_CORNERS)])
    of_batch = likeness[np.arange(_CORNERS), _symbols()]
    agreeing = (of_batch > _AGREES).sum(axis=1)
    # a covered corner says nothing, rather than no
    score = np.sort(of_batch, axis=1)[:, -3:].mean(axis=1)
    order = np.argsort(-score)
    best, second = int(order[0]), int(order[1])
    if agreeing[best] < _FEWEST or score[best] - score[second] < _MARGIN:
        return None
    return best


@cache
def _symbols() -> NDArray[np.int64]:
    """Symbol at each corner of each batch, int [MAX_BATCH + 1, 4]."""
    return np.array([marker_ids(batch) for batch in range(MAX_BATCH + 1)]) % _SYMBOLS


@cache
def _templates(corner: int) -> Floats:
    """The corner's markers as unit vectors of zero mean [11, 36]; white is positive."""
    ids = range(corner * _SYMBOLS, (corner + 1) * _SYMBOLS)
    light = np.array([~marker_modules(one) for one in ids], np.float64).reshape(_SYMBOLS, -1)
    light -= light.mean(axis=1, keepdims=True)
    unit: Floats = light / np.linalg.norm(light, axis=1, keepdims=True)
    return unit


def _likeness(grey: NDArray[np.uint8], homography: Floats, corner: int) -> Floats:
    """Correlation of what lies at a corner with each of its markers, at the best small shift [11]."""
    side = MARKER_MODULES * _POINTS + 2 * _SHIFT
    center_x, center_y = MARKER_CENTERS_MM[corner]
    step = MODULE_MM / _POINTS
    first = -(side - 1) / 2 * step
    to_mm = np.array([[step, 0, center_x + first], [0, step, center_y + first], [0, 0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen: Any = cv2.warpPerspective(
        grey, homography @ to_mm, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    windows = np.lib.stride_tricks.sliding_window_view(
        np.asarray(seen, np.float64), (MARKER_MODULES * _POINTS,) * 2
    )
    shape = (-1, MARKER_MODULES, _POINTS, MARKER_MODULES, _POINTS)
    modules = windows.reshape(shape).mean(axis=(2, 4)).reshape(-1, MARKER_MODULES**2)
    modules = modules - modules.mean(axis=1, keepdims=True)
    modules /= np.maximum(np.linalg.norm(modules, axis=1, keepdims=True), 1.0)
    likeness: Floats = (modules @ _templates(corner).T).max(axis=0)
    return likeness
