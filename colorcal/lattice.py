"""Squares in a picture, and the regular lattices that they form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats

MAX_SQUARES: Final = 220
_MIN_AREA_PX: Final = 36
_SURE_FILL: Final = 0.72
_ALIKE: Final = 0.7
"""Largest logarithm of the ratio of two squares' sides on one lattice, near each other."""
_EDGE_THRESHOLDS: Final = ((6, 1.0), (11, 1.3), (20, 1.7), (36, 2.2))
"""Largest range inside a flat region, in codes, and in units of the picture's own noise."""
_ROUNDS_OF_GROWTH: Final = (1.6, 2.6, 3.6, 5.6, 7.6, 7.6)


@dataclass(frozen=True, slots=True)
class Lattice:
    """A plane grid seen in perspective.

    homography: float64 [3, 3], lattice units to px. cells: int [N, 2], the cells where a square was seen.
    points: float64 [N, 2], the centers of those squares in px.
    """

    homography: Floats
    cells: NDArray[np.int64]
    points: Floats

    def seen_through(self, basis: NDArray[np.int64]) -> Lattice:
        """The same points with cells counted by another basis, int [2, 2] of determinant 1."""
        change = np.eye(3)
        change[:2, :2] = basis
        return Lattice(self.homography @ np.linalg.inv(change), self.cells @ basis.T, self.points)


def edge_strength(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Largest local range over the channels of an H x W x 3 picture, uint8 [H, W]."""
    smooth = cv2.GaussianBlur(picture, (5, 5), 0)
    kernel = np.ones((3, 3), np.uint8)
    spread: Any = cv2.subtract(cv2.dilate(smooth, kernel), cv2.erode(smooth, kernel))
    strongest: NDArray[np.uint8] = cv2.max(cv2.max(spread[..., 0], spread[..., 1]), spread[..., 2])
    return strongest


def find_squares(picture: NDArray[np.uint8]) -> Floats:
    """Centers and sides of flat, roughly square regions, float64 [N, 3] as x, y, side in px.

    Flatness is tried at several edge thresholds, so that both a soft and a noisy picture give regions.
    """
    edges = edge_strength(picture)
    height, width = edges.shape
    found: list[tuple[float, float, float, float]] = []
    # below the noise of the picture a threshold only finds specks
    floor = 1.5 * float(np.median(edges))
    for threshold in sorted({max(one, round(floor * share)) for one, share in _EDGE_THRESHOLDS}):
        flat = cv2.erode((edges < threshold).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(flat, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            if len(contour) < 12 or len(contour) > (width + height) // 2:
                continue
            (x, y), (long, short), _ = cv2.minAreaRect(contour)
            box = long * short
            if short < 3 or max(long, short) > 2.6 * min(long, short):
                continue
            area = cv2.contourArea(contour)
            if not _MIN_AREA_PX <= area <= 0.06 * width * height:
                continue
            fill = area / box
            # a square under tilt is a parallelogram, which fills its box less; a disc fills 0.785 of it
            if fill < 0.6:
                continue
            found.append((fill, x + 0.5, y + 0.5, area**0.5 + 4))
    # noise makes many small specks: where there are too many regions, the larger ones are kept
    found.sort(
        key=lambda one: (one[0] > _SURE_FILL, one[3] if len(found) > MAX_SQUARES else one[0]), reverse=True
    )
    kept = np.empty((0, 3))
    for _, x, y, side in found:
        if len(kept) == MAX_SQUARES:
            break
        near = np.hypot(kept[:, 0] - x, kept[:, 1] - y) < 0.5 * np.minimum(kept[:, 2], side)
        if not near.any():
            kept = np.vstack([kept, (x, y, side)])
    return kept


def find_lattices(squares: Floats, most: int = 4) -> list[Lattice]:
    """Lattices through the squares, best supported first, each square in one of them at most."""
    lattices: list[Lattice] = []
    left = squares
    for _ in range(most):
        if len(left) < 5:
            break
        lattice, used = _best_lattice(left)
        if lattice is None:
            break
        lattices.append(lattice)
        left = left[~used]
    return lattices


def _best_lattice(squares: Floats) -> tuple[Lattice | None, NDArray[np.bool_]]:
    origins, bases = _local_bases(squares)
    none = np.zeros(len(squares), bool)
    if len(origins) == 0:
        return None, none
    # how many squares each local basis explains within its neighbourhood
    inverse = np.linalg.inv(bases)
    offsets = squares[None, :, :2] - squares[origins][:, None, :2]
    steps = np.einsum("hij,hnj->hni", inverse, offsets)
    nearest = np.round(steps)
    close = (np.abs(steps - nearest).max(-1) < 0.22) & (np.abs(nearest).max(-1) <= 2)
    close &= np.abs(np.log(squares[None, :, 2] / squares[origins, 2][:, None])) < _ALIKE
    votes = close.sum(1)
    best: tuple[Lattice | None, NDArray[np.bool_]] = (None, none)
    for index in np.argsort(-votes, kind="stable")[:6]:
        if votes[index] < 4:
            break
        lattice, used = _grow(squares, int(origins[index]), bases[index])
        if lattice is not None and used.sum() > best[1].sum():
            best = (lattice, used)
            if used.sum() >= 20:
                break
    return best


def _local_bases(squares: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Pairs of right-handed steps from each square to two of its neighbours: origins [H], bases [H, 2, 2]."""
    offsets = squares[None, :, :2] - squares[:, None, :2]
    distance = np.hypot(offsets[..., 0], offsets[..., 1])
    side = squares[:, 2]
    alike = np.abs(np.log(side[:, None] / side[None, :])) < _ALIKE
    reach = distance / np.sqrt(side[:, None] * side[None, :])
    neighbour = alike & (reach > 0.7) & (reach < 2.0)
    distance = np.where(neighbour, distance, np.inf)
    order = np.argsort(distance, axis=1)[:, :6]
    origins: list[int] = []
    bases: list[Floats] = []
    for i, nearest in enumerate(order):
        own = [int(j) for j in nearest if np.isfinite(distance[i, j])]
        for j in own:
            for k in own:
                a, b = offsets[i, j], offsets[i, k]
                cross = a[0] * b[1] - a[1] * b[0]
                lengths = distance[i, j] * distance[i, k]
                if j == k or cross < 0.7 * lengths or not 0.5 < distance[i, j] / distance[i, k] < 2.0:
                    continue
                # one basis of the four that are quarter turns of each other is enough
                if a[0] > 0 and abs(a[1]) <= 1.01 * a[0]:
                    origins.append(i)
                    bases.append(np.column_stack([a, b]))
    if not bases:
        return np.empty(0, np.int64), np.empty((0, 2, 2))
    return np.array(origins), np.array(bases)


def _grow(squares: Floats, origin: int, basis: Floats) -> tuple[Lattice | None, NDArray[np.bool_]]:
    """Extend a local basis outwards, refitting the perspective as more squares join."""
    homography = np.eye(3)
    homography[:2, :2] = basis
    homography[:2, 2] = squares[origin, :2]
    used = np.zeros(len(squares), bool)
    cells = np.zeros((len(squares), 2), np.int64)
    alike = np.abs(np.log(squares[:, 2] / squares[origin, 2])) < 1.3 * _ALIKE
    for reach in _ROUNDS_OF_GROWTH:
        steps = project(np.asarray(np.linalg.inv(homography), np.float64), squares[:, :2])
        nearest = np.round(np.clip(steps, -50, 50))
        error = np.abs(steps - nearest).max(-1)
        inside = alike & (error < 0.22) & (np.abs(nearest).max(-1) <= reach)
        used, cells = _one_square_a_cell(inside, nearest.astype(np.int64), error)
        if used.sum() < 4:
            return None, np.zeros(len(squares), bool)
        fitted = fit_homography(cells[used].astype(np.float64), squares[used, :2])
        if fitted is None:
            return None, np.zeros(len(squares), bool)
        homography = fitted
    return Lattice(homography, cells[used], squares[used, :2]), used


def _one_square_a_cell(
    inside: NDArray[np.bool_], cells: NDArray[np.int64], error: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    used = np.zeros(len(inside), bool)
    taken: set[tuple[int, int]] = set()
    for i in np.argsort(error, kind="stable"):
        cell = (int(cells[i, 0]), int(cells[i, 1]))
        if inside[i] and cell not in taken:
            taken.add(cell)
            used[i] = True
    return used, cells


def fit_homography(source: Floats, target: Floats) -> Floats | None:
    """Homography [3, 3] from source [N, 2] to target [N, 2]; affine below 7 points; None if degenerate."""
    spread = source - source.mean(axis=0)
    if len(source) < 3 or np.linalg.matrix_rank(spread) < 2:
        return None
    if len(source) < 7:
        design = np.column_stack([source, np.ones(len(source))])
        solution, *_ = np.linalg.lstsq(design, target, rcond=None)
        matrix = np.vstack([solution.T, [0.0, 0.0, 1.0]])
    else:
        found: Any = cv2.findHomography(source, target, 0)[0]
        if found is None:
            return None
        matrix = np.asarray(found, np.float64)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
        return None
    return matrix


def project(homography: Floats, points: Floats) -> Floats:
    """Points [N, 2] through a homography; behind the horizon they land far away, not at infinity."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    scale = mapped[:, 2:]
    return mapped[:, :2] / np.where(np.abs(scale) < 1e-9, 1e-9, scale)
