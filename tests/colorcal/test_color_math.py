"""Color spaces and differences against published values and colour-science."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorcal import color_math as cm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import colour

# Sharma, Wu and Dalal 2005, table 1: L a b of both colors and their difference.
SHARMA = (
    (50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425),
    (50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615),
    (50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412),
    (50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000),
    (50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000),
    (50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000),
    (50, 0, 0, 50, -1, 2, 2.3669),
    (50, -1, 2, 50, 0, 0, 2.3669),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195),
    (50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045),
    (50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045),
    (50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461),
    (50, 2.5, 0, 50, 0, -2.5, 4.3065),
    (50, 2.5, 0, 73, 25, -18, 27.1492),
    (50, 2.5, 0, 61, -5, 29, 22.8977),
    (50, 2.5, 0, 56, -27, -3, 31.9030),
    (50, 2.5, 0, 58, 24, 15, 19.4535),
    (50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000),
    (50, 2.5, 0, 50, 3.2972, 0, 1.0000),
    (50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000),
    (50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
    (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
    (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
    (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
    (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
    (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
)
unit = st.floats(0, 1)
color = st.tuples(unit, unit, unit)
lab = st.tuples(st.floats(0, 100), st.floats(-120, 120), st.floats(-120, 120))


def test_de00_of_published_pairs() -> None:
    table = np.array(SHARMA)
    assert np.abs(cm.de00(table[:, :3], table[:, 3:6]) - table[:, 6]).max() < 5.1e-5


def test_de00_agrees_with_colour_science() -> None:
    rng = np.random.default_rng(1)
    one, two = (rng.uniform((0, -110, -110), (100, 110, 110), (4000, 3)) for _ in range(2))
    assert np.abs(cm.de00(one, two) - colour.delta_E(one, two, method="CIE 2000")).max() < 1e-9


@given(lab, lab)
def test_de00_is_symmetric_and_zero_only_at_home(one: tuple[float, ...], two: tuple[float, ...]) -> None:
    forth, back = float(cm.de00(one, two)), float(cm.de00(two, one))
    assert forth == pytest.approx(back, abs=1e-7)
    assert forth >= 0
    assert float(cm.de00(one, one)) == 0


@given(color)
def test_srgb_round_trip(rgb: tuple[float, ...]) -> None:
    assert cm.srgb_encode(cm.srgb_decode(rgb)) == pytest.approx(np.array(rgb), abs=1e-7)


@given(lab)
def test_lab_round_trip(value: tuple[float, ...]) -> None:
    assert cm.xyz_to_lab(cm.lab_to_xyz(value)) == pytest.approx(np.array(value), abs=1e-6)


def test_srgb_to_lab_agrees_with_colour_science() -> None:
    rgb = np.random.default_rng(2).uniform(0, 1, (500, 3))
    xyz = colour.sRGB_to_XYZ(rgb)
    theirs = colour.XYZ_to_Lab(xyz, colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D65"])
    assert np.abs(cm.srgb_to_lab(rgb) - theirs).max() < 0.05


def test_bradford_maps_white_to_white() -> None:
    assert cm.bradford(cm.WHITE_D50, cm.WHITE_D65) @ cm.WHITE_D50 == pytest.approx(cm.WHITE_D65)
    theirs = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        cm.WHITE_D50, cm.WHITE_D65, transform="Bradford"
    )
    assert cm.bradford(cm.WHITE_D50, cm.WHITE_D65) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("xy", "kelvin"), [((0.31271, 0.32902), 6504), ((0.44757, 0.40745), 2856)])
def test_cct_of_standard_lights(xy: tuple[float, float], kelvin: float) -> None:
    found = cm.cct_k(*xy)
    assert found == pytest.approx(kelvin, rel=0.01)


@pytest.mark.parametrize("xy", [(0.3, 0.6), (0.15, 0.06), (0.7, 0.3), (0.0, 0.0)])
def test_no_cct_far_from_white(xy: tuple[float, float]) -> None:
    assert cm.cct_k(*xy) is None


@pytest.mark.parametrize("kelvin", [2300.0, 3200.0, 6500.0, 10000.0])
def test_planckian_locus_agrees_with_cct(kelvin: float) -> None:
    assert cm.cct_k(*cm.planckian_xy(kelvin)) == pytest.approx(kelvin, rel=0.04)
