"""Millimetres a pixel: exact where the chart faces the camera, and honest where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.color_scene.render import Setup, set_stage
from colorcal.color_math import Floats
from colorcal.lattice import project
from colorcal.reference import GRID
from colorcal.scale import chart_scale


def test_a_chart_that_faces_the_camera_has_one_scale() -> None:
    scale = chart_scale(GRID * 60 + 100, (15.0, 15.0), 0.0)
    assert scale is not None
    assert scale.mm_per_px == pytest.approx(0.25)
    assert scale.low == pytest.approx(0.25)
    assert scale.high == pytest.approx(0.25)


def test_the_error_of_the_size_widens_it() -> None:
    scale = chart_scale(GRID * 60, (15.0, 15.0), 0.02)
    assert scale is not None
    assert (scale.low, scale.high) == pytest.approx((0.245, 0.255))


def test_patches_further_apart_in_a_row_than_in_a_column() -> None:
    scale = chart_scale(GRID * (59.0, 50.3), (5.9, 5.03), 0.0)
    assert scale is not None
    assert (scale.low, scale.mm_per_px, scale.high) == pytest.approx((0.1, 0.1, 0.1))


def homography(angle: float, tilt: float, distance: float, zoom: float) -> Floats:
    """A pinhole's view [3, 3] of a plane in pitches, tilted about a line through the chart's middle."""
    middle = GRID.mean(axis=0)
    move = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1.0]])
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    lean = np.array([[np.cos(tilt), 0, 0], [0, 1, 0], [np.sin(tilt) / distance, 0, 1]])
    view: Floats = np.diag([zoom, zoom, 1]) @ turn.T @ lean @ turn @ move
    return view


@settings(max_examples=100)
@given(st.floats(0, 6.2), st.floats(0, 0.78), st.floats(12, 60), st.floats(20, 200), st.floats(3, 45))
def test_every_length_on_the_chart_lies_between_low_and_high(
    angle: float, tilt: float, distance: float, zoom: float, pitch_mm: float
) -> None:
    view = homography(angle, tilt, distance, zoom)
    scale = chart_scale(project(view, GRID), (pitch_mm, pitch_mm), 0.0)
    assert scale is not None
    rng = np.random.default_rng(0)
    start = rng.uniform((0, 0), (5, 3), (200, 2))
    end = start + rng.normal(0, 0.01, (200, 2))
    px = np.hypot(*(project(view, end) - project(view, start)).T)
    per_px = pitch_mm * np.hypot(*(end - start).T) / px
    assert (per_px > scale.low * 0.995).all()
    assert (per_px < scale.high * 1.005).all()
    assert scale.low <= scale.mm_per_px <= scale.high
    assert scale.mm_per_px == pytest.approx(pitch_mm / (zoom * np.sqrt(np.cos(tilt))), rel=1e-6)


def test_tilt_of_a_rendered_chart_is_seen() -> None:
    flat = chart_scale(set_stage(Setup(width=640, height=480)).centers, (15.0, 15.0), 0.0)
    tilted = chart_scale(set_stage(Setup(width=640, height=480, tilt_deg=45.0)).centers, (15.0, 15.0), 0.0)
    assert flat is not None
    assert tilted is not None
    assert flat.high / flat.low < 1.01
    assert tilted.high / tilted.low > 1.4
    assert flat.mm_per_px == pytest.approx(15 / 55, rel=0.01)


@pytest.mark.parametrize("centers", [np.zeros((24, 2)), GRID * (60, 0), GRID * 1e9, GRID * 1e-9])
def test_what_is_no_plane_has_no_scale(centers: Floats) -> None:
    scale = chart_scale(centers, (15.0, 15.0), 0.0)
    assert scale is None or np.isfinite([scale.low, scale.mm_per_px, scale.high]).all()
