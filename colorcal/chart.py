"""Find a ColorChecker Classic in a picture, turned and tilted as it may be, and follow it in video."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats
from colorcal.errors import check_picture
from colorcal.interface import ChartDetection
from colorcal.lattice import Lattice, find_lattices, find_squares, fit_homography, project
from colorcal.matching import Match, a_camera_explains, best_match
from colorcal.reference import COLUMNS, GRID, PATCHES, ROWS

_LONG_SIDES_PX: Final = (880, 1760)
"""Working sizes: the first is enough from a phone's video, the second for a far chart in a still."""
_FALLBACK_LONG_SIDE_PX: Final = 800
_TRACK_PITCH_PX: Final = 20.0
_MAX_ASPECT: Final = 60
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


def detect_chart(
    rgb: NDArray[np.uint8] | NDArray[np.uint16], *, turn: int | None = None
) -> ChartDetection | None:
    """Find the chart, or None. rgb: H x W x 3, sRGB-encoded uint8 or uint16; ColorInputError if not.

    turn: in a video, how many frames were searched in vain before this one. The first finder looks at each
    frame and finds nearly every chart; of the others one in turn, for most frames of a call hold none.
    """
    picture = _to_uint8(check_picture(rgb))
    height, width = picture.shape[:2]
    if min(height, width) < 40 or max(height, width) > _MAX_ASPECT * min(height, width):
        return None
    first, *others = _finders(picture)
    if turn is not None:
        others = [others[turn % len(others)]]
    for find in (first, *others):
        found = find()
        if found is not None:
            return found
    return None


def _finders(picture: NDArray[np.uint8]) -> list[Callable[[], ChartDetection | None]]:
    """The lattice at each working size, and OpenCV's finder."""
    scales: list[float] = []
    for long_side in _LONG_SIDES_PX:
        scale = min(1.0, long_side / max(picture.shape[:2]))
        if not scales or scale > 1.2 * scales[-1]:
            scales.append(scale)
    lattices = [partial(_detect_at, picture, scale) for scale in scales]
    return [*lattices, partial(_detect_with_mcc, picture)]


def track_chart(
    rgb: NDArray[np.uint8] | NDArray[np.uint16], previous: ChartDetection
) -> ChartDetection | None:
    """Find a chart again near its place in the frame before, at a fraction of detect_chart's cost.

    None when it moved by more than about one patch, or is gone: then detect_chart has to look everywhere.
    """
    picture = check_picture(rgb)
    height, width = picture.shape[:2]
    centers = previous.centers
    if centers.shape != (PATCHES, 2) or not np.isfinite(centers).all() or previous.patch_pitch_px < 4:
        return None
    margin = 1.6 * previous.patch_pitch_px
    low = np.floor(np.clip(centers.min(axis=0) - margin, 0, (width, height))).astype(int)
    high = np.ceil(np.clip(centers.max(axis=0) + margin, 0, (width, height))).astype(int)
    if (high - low).min() < 24:
        return None
    region = _to_uint8(np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]))
    found = _detect_at(region, min(1.0, _TRACK_PITCH_PX / previous.patch_pitch_px))
    if found is None:
        return None
    return ChartDetection(found.centers + low, found.confidence, found.layout, found.patch_pitch_px)


def _to_uint8(picture: NDArray[Any]) -> NDArray[np.uint8]:
    if picture.dtype == np.uint8:
        return picture
    high_byte: NDArray[np.uint8] = (picture >> 8).astype(np.uint8)
    return high_byte


def _detect_at(picture: NDArray[np.uint8], scale: float) -> ChartDetection | None:
    small: Any = picture
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ratio = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]])
    best: ChartDetection | None = None
    for lattice in find_lattices(find_squares(small)):
        for shear in _SHEARS:
            found = _match_lattice(small, lattice.seen_through(shear), ratio)
            if found is not None and (best is None or found.confidence > best.confidence):
                best = found
            if found is not None:
                break
        if best is not None and best.confidence > 0.6:
            break
    return best


def _match_lattice(small: NDArray[np.uint8], lattice: Lattice, ratio: Floats) -> ChartDetection | None:
    """Lay the chart on every place and quarter turn of a lattice and keep the one whose colors follow."""
    low, high = lattice.cells.min(axis=0), lattice.cells.max(axis=0)
    margin = 2 if len(lattice.cells) >= 8 else 4
    first, last = low - margin, high + margin
    columns, rows = (last - first + 1).tolist()
    cell_xy = np.array([(x, y) for y in range(rows) for x in range(columns)], float) + first
    colors, visible = _sample(small, project(lattice.homography, cell_xy), _pitch(lattice))
    grid_colors = colors.reshape(rows, columns, 3)
    grid_visible = visible.reshape(rows, columns)
    hypotheses = _placements(lattice, first, rows, columns)
    if not len(hypotheses):
        return None
    x, y = hypotheses[..., 0], hypotheses[..., 1]
    match = _trusted(grid_colors[y, x], grid_visible[y, x])
    if match is None:
        return None
    cells = hypotheses[match.index] + first
    seen = {(int(c[0]), int(c[1])): point for c, point in zip(lattice.cells, lattice.points, strict=True)}
    pairs = [(i, seen[cx, cy]) for i, (cx, cy) in enumerate(cells.tolist()) if (cx, cy) in seen]
    homography: Floats | None = None
    if len(pairs) >= 8:
        source = GRID[[i for i, _ in pairs]]
        homography = fit_homography(source, np.array([point for _, point in pairs]))
    centers = (
        project(lattice.homography, cells.astype(float)) if homography is None else project(homography, GRID)
    )
    return _detection(centers * ratio, match.confidence)


def _trusted(colors: Floats, visible: NDArray[np.bool_]) -> Match | None:
    """The best of the hypotheses [H, 24, 3], [H, 24], if it is beyond doubt or a camera explains it."""
    match = best_match(colors, visible)
    if match is None or match.sure or a_camera_explains(colors[match.index], visible[match.index]):
        return match
    return None


def _detection(centers: Floats, confidence: float) -> ChartDetection | None:
    grid = centers.reshape(ROWS, COLUMNS, 2)
    across = (grid[:, -1] - grid[:, 0]).mean(axis=0) / (COLUMNS - 1)
    down = (grid[-1] - grid[0]).mean(axis=0) / (ROWS - 1)
    pitch = float(np.sqrt(np.hypot(*across) * np.hypot(*down)))
    mirrored = across[0] * down[1] - across[1] * down[0] <= 0
    if not np.isfinite(centers).all() or pitch < 4 or mirrored:
        return None
    return ChartDetection(centers, confidence, "classic", pitch)


def _pitch(lattice: Lattice) -> float:
    corners = project(lattice.homography, lattice.cells.mean(axis=0) + np.array([[0.0, 0], [1, 0], [0, 1]]))
    return float(min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[0]))))


def _sample(small: NDArray[np.uint8], points: Floats, pitch: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean color, 0 to 1, of the middle of each cell, and whether it lies in the picture."""
    height, width = small.shape[:2]
    side = int(np.clip(pitch * 0.35, 1, 31)) | 1
    visible = np.asarray(((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1), bool)
    place = np.clip(points, 0, (width - 1, height - 1)).round().astype(int)
    inside = place[visible]
    colors = np.zeros((len(points), 3))
    if len(inside):
        x0, y0 = np.maximum(inside.min(axis=0) - side, 0)
        x1, y1 = inside.max(axis=0) + side + 1
        smooth: Any = cv2.blur(small[y0:y1, x0:x1], (side, side))
        colors[visible] = smooth[inside[:, 1] - y0, inside[:, 0] - x0] / 255.0
    return colors, visible


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


def _detect_with_mcc(picture: NDArray[np.uint8]) -> ChartDetection | None:
    """OpenCV's own finder as a second opinion for soft pictures; its proposals pass the same gate."""
    scale = min(1.0, _FALLBACK_LONG_SIDE_PX / max(picture.shape[:2]))
    small: Any = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ratio = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]])
    detector = cv2.mcc.CCheckerDetector.create()
    parameters = cv2.mcc.DetectorParametersMCC()
    parameters.minContoursAreaRate = 0.0003
    detector.setDetectionParams(parameters)
    detector.setColorChartType(cv2.mcc.MCC24)
    try:
        if not detector.process(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), 1):
            return None
        corners = np.asarray(detector.getBestColorChecker().getColorCharts(), float)
    except cv2.error:
        return None
    if corners.shape != (PATCHES * 4, 2) or not np.isfinite(corners).all():
        return None
    centers = corners.reshape(PATCHES, 4, 2).mean(axis=1)
    pitch = float(np.hypot(*(centers[COLUMNS - 1] - centers[0]))) / (COLUMNS - 1)
    colors, visible = _sample(small, centers, pitch)
    match = _trusted(np.stack([colors, colors[::-1]]), np.stack([visible, visible[::-1]]))
    if match is None:
        return None
    return _detection((centers if match.index == 0 else centers[::-1]) * ratio, match.confidence)
