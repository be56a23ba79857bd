"""Tone curves, gamut and the correction's shape over the whole cube."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from colorcal import tone
from colorcal.color_math import Floats, srgb_decode
from colorcal.correction import FEATURES, Correction, Mixture, features, into_gamut

shapes = st.tuples(*(st.floats(-3 * s, 3 * s) for s in tone.SHAPE_SIGMAS)).map(np.array)


@given(shapes)
def test_inverse_curve_rises_strictly(shape: Floats) -> None:
    curve = tone.inverse_curve(shape)
    assert (np.diff(curve) > 0).all()
    assert curve[0] == 0
    assert abs(curve[-1] - 1) < 1e-9


def test_inverse_curve_undoes_exposure() -> None:
    shape = np.array([0.1, -0.2, 0.3])
    linear = np.linspace(0.001, 0.99, 200)
    curve = tone.inverse_curve(shape)
    back = np.interp(tone.expose(linear, shape), np.linspace(0, 1, len(curve)), curve)
    assert np.abs(back - linear).max() < 2e-3


def test_slopes_are_the_derivatives_of_the_bends() -> None:
    u = np.linspace(0.01, 0.99, 99)
    numeric = (tone.bends(u + 1e-6) - tone.bends(u - 1e-6)) / 2e-6
    assert np.abs(numeric - tone.bend_slopes(u)).max() < 1e-6


@given(st.lists(st.tuples(*[st.floats(-2, 4)] * 3), min_size=1, max_size=20))
def test_gamut_is_kept(colors: list[tuple[float, float, float]]) -> None:
    result = into_gamut(np.array(colors))
    assert np.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1


def test_colors_well_inside_are_left_alone() -> None:
    inside = np.array([[0.5, 0.3, 0.2], [0.8, 0.7, 0.6], [0.05, 0.04, 0.03]])
    assert np.abs(into_gamut(inside) - inside).max() < 1e-12


def test_what_is_out_of_range_keeps_its_order() -> None:
    over = np.linspace(0.7, 3.0, 50)[:, None] * np.array([1.0, 0.6, 0.4])
    assert (np.diff(into_gamut(over)[:, 0]) > 0).all()
    under = np.column_stack([np.full(50, 0.6), np.linspace(0.2, -0.5, 50), np.full(50, 0.3)])
    assert (np.diff(into_gamut(under)[:, 1]) < 0).all()


def test_features_scale_with_exposure() -> None:
    light = np.random.default_rng(0).uniform(0, 1, (20, 3))
    assert np.allclose(features(2.5 * light), 2.5 * features(light))


def test_identity_and_mixture() -> None:
    same = Correction(np.zeros(3), np.ones(3), 0.0, np.eye(FEATURES, 3))
    half = Correction(np.zeros(3), np.full(3, 2.0), 0.0, same.matrix)
    probe = np.array([[0.5, 0.4, 0.3], [0.8, 0.7, 0.5]])
    assert np.abs(same(probe) - probe).max() < 2e-3
    assert np.abs(srgb_decode(half(probe)) - srgb_decode(probe) / 2).max() < 2e-3
    assert np.allclose(Mixture((same, half))(probe), (same(probe) + half(probe)) / 2)
    assert Mixture((same, half)).parts == (same, half)
