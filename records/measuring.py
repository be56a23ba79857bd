"""Size of an outline on a picture, in mm, with its uncertainty; pure geometry. No scale, no millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from records.clinical import Annotation, Form, Quantity, Size
from records.errors import InvalidEntry, NoScale

Floats = NDArray[np.float64]
ELLIPSE_CORNERS = 256
"""A polygon of so many corners on an ellipse lacks 0.01 % of its area."""


@dataclass(frozen=True, slots=True)
class Plane:
    """How the plane of the skin lies in a picture: homography px to mm [3, 3], row-major, on (x, y, 1).

    relative_uncertainty: standard uncertainty of a length in mm, as a share of it: of the scale itself, and
    of skin that lies nearer or farther than what gave the scale (dz / Z).
    """

    px_to_mm: tuple[tuple[float, float, float], ...]
    relative_uncertainty: float

    @classmethod
    def of_scale(cls, mm_per_px: Quantity) -> Plane:
        """A plane that is seen head-on; raises InvalidEntry unless the scale is above zero."""
        scale = mm_per_px.value
        if scale <= 0:
            raise InvalidEntry("a scale is above zero")
        return cls(((scale, 0.0, 0.0), (0.0, scale, 0.0), (0.0, 0.0, 1.0)), mm_per_px.uncertainty / scale)

    @classmethod
    def of_homography(cls, px_to_mm: ArrayLike, relative_uncertainty: float) -> Plane:
        """A tilted plane; raises InvalidEntry for a matrix that maps no plane."""
        matrix = np.asarray(px_to_mm, np.float64)
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-15:
            raise InvalidEntry("a homography is a regular matrix of 3 by 3 numbers")
        if not 0 <= relative_uncertainty < math.inf:
            raise InvalidEntry("an uncertainty is a number from 0 up")
        first, second, third = ((float(x), float(y), float(z)) for x, y, z in matrix)
        return cls((first, second, third), relative_uncertainty)

    def to_mm(self, points_px: ArrayLike) -> Floats:
        """Points [N, 2] in mm; raises InvalidEntry for points beyond the plane's horizon."""
        points = np.asarray(points_px, np.float64)
        mapped = np.column_stack([points, np.ones(len(points))]) @ np.asarray(self.px_to_mm).T
        depth = mapped[:, 2]
        if not ((depth > 1e-12).all() or (depth < -1e-12).all()):
            raise InvalidEntry("the outline leaves the plane of the scale")
        flat: Floats = mapped[:, :2] / depth[:, None]
        return flat

    def mm_per_px_at(self, point_px: tuple[float, float]) -> float:
        """Mean scale at a point: the root of the area in mm2 that one square px covers."""
        x, y = point_px
        matrix = np.asarray(self.px_to_mm)
        depth = float(matrix[2] @ (x, y, 1.0))
        if abs(depth) <= 1e-12:
            raise InvalidEntry("the outline leaves the plane of the scale")
        # The Jacobian determinant of a homography is det(H) / depth^3.
        return math.sqrt(abs(float(np.linalg.det(matrix))) / abs(depth) ** 3)


def outline_of(annotation: Annotation) -> Floats:
    """Corners [N, 2] in px of what encloses a lesion; raises InvalidEntry for what encloses nothing."""
    points = np.asarray(annotation.points, np.float64)
    if annotation.form is Form.ELLIPSE:
        center, u, v = points[0], points[1] - points[0], points[2] - points[0]
        t = np.linspace(0, 2 * math.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
        return np.asarray(center + u * np.cos(t) + v * np.sin(t))
    if annotation.form is Form.POLYGON:
        return points
    raise InvalidEntry("only an outline is measured")


def measure(outline_px: ArrayLike, plane: Plane | None, drawing_uncertainty_px: float) -> Size:
    """Longest diameter, the greatest extent across it, and area of a closed outline [N, 2] in px.

    The longest diameter is the maximum Feret diameter; the other is the longest chord of the convex hull
    perpendicular to it (bidimensional measurement: WHO Handbook for Reporting Results of Cancer Treatment,
    1979). Area by the shoelace formula; under a homography straight edges stay straight, so both are exact
    for the corners given.

    drawing_uncertainty_px: standard uncertainty of where the border was drawn, at each point. Propagated to
    first order (JCGM 100:2008, 5.1): a diameter d has u^2 = (d r)^2 + 2 s^2 with r the plane's relative
    uncertainty and s the drawing's in mm, both ends apart; an area A of perimeter p has u^2 = (2 A r)^2 +
    (p s)^2, all of the border drawn too far out or in together, which is the worst case.

    Raises NoScale without a plane, InvalidEntry for an outline that crosses itself or encloses nothing.
    """
    if plane is None:
        raise NoScale("nothing in the picture gives a scale")
    pixels = np.asarray(outline_px, np.float64)
    if pixels.ndim != 2 or pixels.shape[1] != 2 or len(pixels) < 3 or not np.isfinite(pixels).all():
        raise InvalidEntry("an outline has at least three corners")
    if crosses_itself(pixels):
        raise InvalidEntry("the outline crosses itself")
    corners = plane.to_mm(pixels)
    area = abs(_signed_area(corners))
    if area < 1e-9:
        raise InvalidEntry("the outline encloses nothing")
    hull = _hull(corners)
    longest, along = _longest(hull)
    across = _greatest_chord(hull, along)
    center_x, center_y = (float(value) for value in pixels.mean(axis=0))
    drawn_mm = drawing_uncertainty_px * plane.mm_per_px_at((center_x, center_y))
    perimeter = float(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1).sum())
    relative = plane.relative_uncertainty
    return Size(
        Quantity(longest, math.hypot(longest * relative, math.sqrt(2) * drawn_mm)),
        Quantity(across, math.hypot(across * relative, math.sqrt(2) * drawn_mm)),
        Quantity(area, math.hypot(2 * area * relative, perimeter * drawn_mm)),
    )


def crosses_itself(corners: Floats) -> bool:
    """Whether two edges of a closed outline [N, 2] that are no neighbors meet."""
    count = len(corners)
    start, end = corners, np.roll(corners, -1, axis=0)

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
            c[..., 0] - a[..., 0]
        )

    for i in range(count - 2):
        others = np.arange(i + 2, count if i else count - 1)
        a, b, c, d = start[i], end[i], start[others], end[others]
        apart = (side(a, b, c) * side(a, b, d) > 0) | (side(c, d, a) * side(c, d, b) > 0)
        # Four points on one line are apart where their boxes are.
        boxes = (np.minimum(c, d) > np.maximum(a, b)).any(axis=1) | (np.maximum(c, d) < np.minimum(a, b)).any(
            axis=1
        )
        if (~(apart | boxes)).any():
            return True
    return False


def _signed_area(corners: Floats) -> float:
    x, y = (corners - corners.mean(axis=0)).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _hull(points: Floats) -> Floats:
    """Convex hull, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})

    def half(along: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in along:
            while len(kept) >= 2:
                (x1, y1), (x2, y2) = kept[-2:]
                if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _longest(hull: Floats) -> tuple[float, Floats]:
    """Greatest distance of two corners, and its direction."""
    apart = hull[:, None] - hull[None]
    distances = np.hypot(apart[..., 0], apart[..., 1])
    i, j = np.unravel_index(int(distances.argmax()), distances.shape)
    longest = float(distances[i, j])
    return longest, apart[i, j] / longest


def _greatest_chord(hull: Floats, along: Floats) -> float:
    """Longest chord of a convex polygon perpendicular to a direction: its length is concave along that
    direction and linear between corners, so the longest one goes through a corner."""
    position = hull @ along
    height = hull @ np.array([-along[1], along[0]])
    first, last = int(position.argmin()), int(position.argmax())
    lower = np.r_[first : last + 1] if first <= last else np.r_[first : len(hull), 0 : last + 1]
    upper = np.r_[last : first + 1] if last <= first else np.r_[last : len(hull), 0 : first + 1]
    upper = upper[::-1]
    low = np.interp(position, position[lower], height[lower])
    high = np.interp(position, position[upper], height[upper])
    return float(np.abs(high - low).max())
