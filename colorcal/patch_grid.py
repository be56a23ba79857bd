"""Lay a chart on the lattices of a picture: of every place and turn, the one whose colors follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.chart_reference import ChartReference
from colorcal.color_math import Floats
from colorcal.lattice import Lattice, find_lattices, find_squares, fit_homography, project
from colorcal.matching import Match, a_camera_explains, best_match
from colorcal.reference import COLUMNS, GRID, PATCHES, ROWS

_SURE: Final = 0.6
"""Confidence from which no other lattice is looked at."""
# under tilt a diagonal neighbour can look like the next one: the same points, seen through another basis
_SHEARS: Final = tuple(
    np.array(matrix)
    for matrix in (
        ((1, 0), (0, 1)),
        ((1, 1), (0, 1)),
        ((1, -1), (0, 1)),
        ((1, 0), (1, 1)),
        ((1, 0), (-1, 1)),
    )
)


@dataclass(frozen=True, slots=True)
class Laid:
    """A chart's patches on a picture: centers float64 [24, 2] in px of that picture, confidence 0 to 1."""

    centers: Floats
    confidence: float

    @property
    def pitch_px(self) -> float:
        """Mean distance of neighbouring patches."""
        across, down = self._steps()
        return float(np.sqrt(np.hypot(*across) * np.hypot(*down)))

    @property
    def plausible(self) -> bool:
        """Finite, large enough to be seen, and not mirrored."""
        across, down = self._steps()
        upright = across[0] * down[1] - across[1] * down[0] > 0
        return bool(np.isfinite(self.centers).all() and self.pitch_px >= 4 and upright)

    def _steps(self) -> tuple[Floats, Floats]:
        grid = self.centers.reshape(ROWS, COLUMNS, 2)
        across = (grid[:, -1] - grid[:, 0]).mean(axis=0) / (COLUMNS - 1)
        down = (grid[-1] - grid[0]).mean(axis=0) / (ROWS - 1)
        return across, down


@dataclass(frozen=True, slots=True)
class _Places:
    """Every place and quarter turn of a chart on one lattice.

    cells: int [H, 24, 2], on the lattice. colors: float64 [H, 24, 3]; visible: bool [H, 24].
    """

    lattice: Lattice
    cells: NDArray[np.int64]
    colors: Floats
    visible: NDArray[np.bool_]

    def centers(self, index: int) -> Floats:
        """Centers of the patches at one of the places, by the squares seen there if they are enough."""
        lattice, cells = self.lattice, self.cells[index]
        seen = {(int(x), int(y)): point for (x, y), point in zip(lattice.cells, lattice.points, strict=True)}
        pairs = [(i, seen[x, y]) for i, (x, y) in enumerate(cells.tolist()) if (x, y) in seen]
        homography: Floats | None = None
        if len(pairs) >= 8:
            source = GRID[[i for i, _ in pairs]]
            homography = fit_homography(source, np.array([point for _, point in pairs]))
        if homography is None:
            return project(lattice.homography, cells.astype(float))
        return project(homography, GRID)


class PatchGrids:
    """A picture, uint8 [H, W, 3], with its lattices; what is sampled on them serves every reference."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture
        self._lattices = find_lattices(find_squares(picture))
        self._places: dict[tuple[int, int], _Places | None] = {}

    def lay(self, reference: ChartReference, proof: Callable[[Laid], bool] | None = None) -> Laid | None:
        """The place of a chart with these reference colors, or None.

        proof: decides on a place whose colors are in doubt; by default some camera has to explain them.
        """
        best: Laid | None = None
        for lattice in range(len(self._lattices)):
            for shear in range(len(_SHEARS)):
                found = self._match(self._sampled(lattice, shear), reference, proof)
                if found is not None:
                    if best is None or found.confidence > best.confidence:
                        best = found
                    break
            if best is not None and best.confidence > _SURE:
                break
        return best

    def _match(
        self, places: _Places | None, reference: ChartReference, proof: Callable[[Laid], bool] | None
    ) -> Laid | None:
        if places is None:
            return None
        judge = trusted_match if proof is None else best_match
        match = judge(places.colors, places.visible, reference)
        if match is None:
            return None
        laid = Laid(places.centers(match.index), match.confidence)
        if not laid.plausible or (proof is not None and not match.sure and not proof(laid)):
            return None
        return laid

    def _sampled(self, lattice: int, shear: int) -> _Places | None:
        key = (lattice, shear)
        if key not in self._places:
            seen = self._lattices[lattice].seen_through(_SHEARS[shear])
            self._places[key] = _sample_places(self._picture, seen)
        return self._places[key]


def _sample_places(picture: NDArray[np.uint8], lattice: Lattice) -> _Places | None:
    low, high = lattice.cells.min(axis=0), lattice.cells.max(axis=0)
    margin = 2 if len(lattice.cells) >= 8 else 4
    first, last = low - margin, high + margin
    columns, rows = (last - first + 1).tolist()
    placements = _placements(lattice, first, rows, columns)
    if not len(placements):
        return None
    cell_xy = np.array([(x, y) for y in range(rows) for x in range(columns)], float) + first
    colors, visible = sample_cells(picture, project(lattice.homography, cell_xy), _pitch(lattice))
    x, y = placements[..., 0], placements[..., 1]
    return _Places(
        lattice,
        placements + first,
        colors.reshape(rows, columns, 3)[y, x],
        visible.reshape(rows, columns)[y, x],
    )


def trusted_match(colors: Floats, visible: NDArray[np.bool_], reference: ChartReference) -> Match | None:
    """The best of the hypotheses [H, 24, 3], [H, 24], if it is beyond doubt or a camera explains it."""
    match = best_match(colors, visible, reference)
    if match is None or match.sure or a_camera_explains(colors[match.index], visible[match.index], reference):
        return match
    return None


def sample_cells(
    picture: NDArray[np.uint8], points: Floats, pitch: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean color, 0 to 1, of the middle of each cell, and whether it lies in the picture."""
    height, width = picture.shape[:2]
    side = int(np.clip(pitch * 0.35, 1, 31)) | 1
    visible = np.asarray(((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1), bool)
    place = np.clip(points, 0, (width - 1, height - 1)).round().astype(int)
    inside = place[visible]
    colors = np.zeros((len(points), 3))
    if len(inside):
        x0, y0 = np.maximum(inside.min(axis=0) - side, 0)
        x1, y1 = inside.max(axis=0) + side + 1
        smooth: Any = cv2.blur(picture[y0:y1, x0:x1], (side, side))
        colors[visible] = smooth[inside[:, 1] - y0, inside[:, 0] - x0] / 255.0
    return colors, visible


def _pitch(lattice: Lattice) -> float:
    corners = project(lattice.homography, lattice.cells.mean(axis=0) + np.array([[0.0, 0], [1, 0], [0, 1]]))
    return float(min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[0]))))


def _placements(lattice: Lattice, first: NDArray[np.int64], rows: int, columns: int) -> NDArray[np.int64]:
    """Cells [H, 24, 2] of each way to lay the chart on the sampled cells, counted from `first`."""
    seen = np.zeros((rows, columns), int)
    seen[lattice.cells[:, 1] - first[1], lattice.cells[:, 0] - first[0]] = 1
    grid = GRID.astype(np.int64)
    turned = np.column_stack([ROWS - 1 - grid[:, 1], grid[:, 0]])
    ways: list[NDArray[np.int64]] = []
    for shape, (wide, tall) in ((grid, (COLUMNS, ROWS)), (turned, (ROWS, COLUMNS))):
        for y in range(rows - tall + 1):
            for x in range(columns - wide + 1):
                # most of the squares in view belong to the chart it is laid on
                if seen[y : y + tall, x : x + wide].sum() < max(4, 0.5 * min(seen.sum(), PATCHES)):
                    continue
                placed = shape + np.array((x, y))
                ways += [placed, placed[::-1]]
    return np.array(ways) if ways else np.empty((0, PATCHES, 2), np.int64)
