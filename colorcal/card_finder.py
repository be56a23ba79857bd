"""Find the consult card by its corner markers: place, print batch, and that its colors are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.card import CENTERS_MM, MODULE_MM, batches_by_ids, dictionary, marker_corners_mm
from colorcal.color_math import Floats
from colorcal.lattice import fit_homography, project

_CORNERS: Final = 4
_IDS_PER_CORNER: Final = 11
_MAX_CANDIDATES: Final = 3
"""Markers that may claim one corner: several cards, or another print that looks like one."""
_MAX_ERROR_MM: Final = 0.6 * MODULE_MM
"""Largest distance of a marker's corner from where the others put it, on a card that is a little bent."""


@dataclass(frozen=True, slots=True)
class CardSighting:
    """A card by its markers: homography from mm on it to px [3, 3], how many markers agree, the batch."""

    homography: Floats
    markers: int
    print_batch: int

    @property
    def centers(self) -> Floats:
        """Centers of the patches in px [24, 2]."""
        return project(self.homography, CENTERS_MM)


def find_cards(picture: NDArray[np.uint8]) -> list[CardSighting]:
    """Cards of which two markers or more agree, best supported first. picture: H x W x 3 or H x W."""
    grey: Any = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    quads, ids, _ = _detector().detectMarkers(grey)
    if ids is None:
        return []
    by_corner: list[list[tuple[int, Floats]]] = [[] for _ in range(_CORNERS)]
    for quad, marker_id in zip(quads, np.asarray(ids).ravel().tolist(), strict=True):
        corner = marker_id // _IDS_PER_CORNER
        if corner < _CORNERS and len(by_corner[corner]) < _MAX_CANDIDATES:
            by_corner[corner].append((marker_id, np.asarray(quad, np.float64).reshape(4, 2)))
    sightings = [one for markers in _choices(by_corner) if (one := _sighting(markers)) is not None]
    return sorted(sightings, key=lambda one: -one.markers)


@cache
def _detector() -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.adaptiveThreshWinSizeMin = 7
    parameters.adaptiveThreshWinSizeMax = 27
    parameters.adaptiveThreshWinSizeStep = 20
    parameters.minMarkerPerimeterRate = 0.025
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    return cv2.aruco.ArucoDetector(dictionary(), parameters)


def _choices(by_corner: list[list[tuple[int, Floats]]]) -> Iterator[dict[int, tuple[int, Floats]]]:
    """Every way to take one marker for each corner of two corners or more, more corners first."""
    seen = [corner for corner in range(_CORNERS) if by_corner[corner]]
    for count in range(len(seen), 1, -1):
        for corners in combinations(seen, count):
            for markers in product(*(by_corner[corner] for corner in corners)):
                yield dict(zip(corners, markers, strict=True))


def _sighting(markers: dict[int, tuple[int, Floats]]) -> CardSighting | None:
    """The card that has these markers, if one print batch has them and they lie as on one plane."""
    batch = _batch({corner: marker_id for corner, (marker_id, _) in markers.items()})
    if batch is None:
        return None
    on_card = np.concatenate([marker_corners_mm(corner) for corner in markers])
    seen = np.concatenate([quad for _, quad in markers.values()])
    homography = fit_homography(on_card, seen)
    if homography is None:
        return None
    back = project(np.asarray(np.linalg.inv(homography), np.float64), seen)
    if np.hypot(*(back - on_card).T).max() > _MAX_ERROR_MM:
        return None
    return CardSighting(homography, len(markers), batch)


def _batch(ids: dict[int, int]) -> int | None:
    for codeword, batch in batches_by_ids().items():
        if all(codeword[corner] == marker_id for corner, marker_id in ids.items()):
            return batch
    return None
