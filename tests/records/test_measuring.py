"""Size of an outline: worked examples, invariances, and a plane seen at a slant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.clinical import Annotation, Form, Quantity
from records.errors import InvalidEntry, NoScale
from records.measuring import Plane, crosses_itself, measure, outline_of

TENTH = Plane.of_scale(Quantity(0.1, 0.0))
"""10 px a mm, without error."""


def test_a_rectangle_by_hand() -> None:
    """3 mm by 4 mm: diagonal 5 mm; the longest chord across it is 2 * 3 * 4 / 5 * ... = 4.6875 mm at most."""
    size = measure([(0, 0), (40, 0), (40, 30), (0, 30)], TENTH, 0.0)
    assert size.longest_mm.value == pytest.approx(5.0)
    assert size.area_mm2.value == pytest.approx(12.0)
    # Through the corner (4, 0), along (-3, 4)/5: it leaves by the top edge at (4 - 3 * 3 / 4, 3).
    assert size.perpendicular_mm.value == pytest.approx(math.hypot(2.25, 3.0))
    assert size.longest_mm.uncertainty == 0


def test_an_ellipse_has_its_axes_and_its_area() -> None:
    tilt = math.radians(33)
    u, v = (60 * math.cos(tilt), 60 * math.sin(tilt)), (-25 * math.sin(tilt), 25 * math.cos(tilt))
    drawn = Annotation(Form.ELLIPSE, ((200, 150), (200 + u[0], 150 + u[1]), (200 + v[0], 150 + v[1])))
    size = measure(outline_of(drawn), TENTH, 0.0)
    assert size.longest_mm.value == pytest.approx(12.0, rel=1e-4)
    assert size.perpendicular_mm.value == pytest.approx(5.0, rel=1e-3)
    assert size.area_mm2.value == pytest.approx(math.pi * 6 * 2.5, rel=2e-4)


def test_uncertainty_by_hand() -> None:
    """10 mm square, scale 2 %, border 1 px = 0.1 mm: see the formulas of `measure`."""
    square = [(0, 0), (100, 0), (100, 100), (0, 100)]
    size = measure(square, Plane.of_scale(Quantity(0.1, 0.002)), 1.0)
    diagonal = 10 * math.sqrt(2)
    assert size.longest_mm.uncertainty == pytest.approx(math.hypot(diagonal * 0.02, math.sqrt(2) * 0.1))
    assert size.area_mm2.uncertainty == pytest.approx(math.hypot(2 * 100 * 0.02, 40 * 0.1))


def test_without_a_scale_there_are_no_millimetres() -> None:
    with pytest.raises(NoScale):
        measure([(0, 0), (40, 0), (40, 30)], None, 1.0)


@pytest.mark.parametrize(
    "outline",
    [
        [(0, 0), (10, 0)],
        [(0, 0), (10, 10), (10, 0), (0, 10)],
        [(0, 0), (5, 5), (10, 10)],
        [(0, 0), (10, 0), (math.nan, 5)],
        [(0, 0), (10, 0), (10, 10), (5, -5)],
    ],
)
def test_what_is_no_outline_is_refused(outline: list[tuple[float, float]]) -> None:
    with pytest.raises(InvalidEntry):
        measure(outline, TENTH, 1.0)


def test_only_what_encloses_is_measured() -> None:
    with pytest.raises(InvalidEntry):
        outline_of(Annotation(Form.ARROW, ((0, 0), (1, 1))))


def test_a_concave_outline_does_not_cross_itself() -> None:
    concave = np.array([(0, 0), (10, 0), (10, 10), (5, 2), (0, 10)], float)
    assert not crosses_itself(concave)
    assert measure(concave, TENTH, 0.0).area_mm2.value == pytest.approx(0.6)


@pytest.mark.parametrize("tilt_deg", [0, 20, 40])
def test_a_tilted_disk_of_6_mm_is_measured_as_if_seen_head_on(tilt_deg: float) -> None:
    """A camera of 4000 px focal length, 300 mm away, looks at a tilted plane."""
    tilt = math.radians(tilt_deg)
    focal_px, distance_mm = 4000.0, 300.0
    # Plane coordinates (X, Y) in mm turn around the x-axis, then are seen through a pinhole.
    mm_to_px = np.array(
        [
            [focal_px, 2000 * math.sin(tilt), 2000 * distance_mm],
            [0, focal_px * math.cos(tilt) + 1500 * math.sin(tilt), 1500 * distance_mm],
            [0, math.sin(tilt), distance_mm],
        ]
    )
    turn = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    disk_mm = np.column_stack([3 * np.cos(turn) + 5, 3 * np.sin(turn) - 8, np.ones(180)])
    seen = disk_mm @ mm_to_px.T
    outline_px = seen[:, :2] / seen[:, 2:]
    plane = Plane.of_homography(np.linalg.inv(mm_to_px), 0.01)
    size = measure(outline_px, plane, 0.5)
    assert size.longest_mm.value == pytest.approx(6.0, rel=0.001)
    assert size.perpendicular_mm.value == pytest.approx(6.0, rel=0.001)
    assert size.area_mm2.value == pytest.approx(math.pi * 9, rel=0.001)
    center = (float(outline_px[:, 0].mean()), float(outline_px[:, 1].mean()))
    around = np.array([center, (center[0] + 0.01, center[1]), (center[0], center[1] + 0.01)])
    a, b, c = plane.to_mm(around)
    area = abs((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0])
    assert plane.mm_per_px_at(center) == pytest.approx(math.sqrt(area) / 0.01, rel=1e-3)


def test_an_outline_across_the_horizon_is_refused() -> None:
    plane = Plane.of_homography(np.array([[1, 0, 0], [0, 1, 0], [0, 0.01, -1]]), 0.0)
    with pytest.raises(InvalidEntry):
        measure([(0, 50), (50, 50), (0, 150)], plane, 1.0)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.eye(2), np.full((3, 3), math.nan), np.ones((3, 3))])
def test_what_maps_no_plane_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(InvalidEntry):
        Plane.of_homography(matrix, 0.0)


def test_a_scale_is_above_zero() -> None:
    with pytest.raises(InvalidEntry):
        Plane.of_scale(Quantity(0.0, 0.1))


radii = st.lists(st.floats(20, 60), min_size=5, max_size=24)


@given(radii, st.floats(0, 2 * math.pi), st.floats(0, 900), st.floats(0.5, 3))
def test_size_keeps_under_moves_and_turns_and_grows_with_the_scale(
    rays: list[float], turn: float, shift: float, factor: float
) -> None:
    angles = np.linspace(0, 2 * math.pi, len(rays), endpoint=False)
    star = np.column_stack([np.array(rays) * np.cos(angles), np.array(rays) * np.sin(angles)])
    c, s = math.cos(turn), math.sin(turn)
    moved = star @ np.array([[c, s], [-s, c]]) + shift
    one = measure(star, TENTH, 1.0)
    two = measure(moved[::-1], Plane.of_scale(Quantity(0.1 * factor, 0.0)), 1.0)
    assert two.longest_mm.value == pytest.approx(one.longest_mm.value * factor, rel=1e-6)
    assert two.area_mm2.value == pytest.approx(one.area_mm2.value * factor**2, rel=1e-6)
    assert one.perpendicular_mm.value <= one.longest_mm.value * (1 + 1e-9)
    box = one.longest_mm.value * one.perpendicular_mm.value
    assert one.area_mm2.value <= box * (1 + 1e-9)
