"""The reference values and spectra agree with each other and with colour-science."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from colorcal import reference, spectra
from colorcal.chart_reference import chart_reflectance
from colorcal.color_math import WHITE_D50, de00, lab_to_xyz, linear_rgb_to_lab, xyz_to_lab
from colorcal.reference import Batch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import colour

THEIRS = {
    Batch.BEFORE_2014: "ColorChecker24 - Before November 2014",
    Batch.AFTER_2014: "ColorChecker24 - After November 2014",
}


@pytest.mark.parametrize("batch", list(Batch))
def test_lab_agrees_with_colour_science(batch: Batch) -> None:
    chart = colour.CCS_COLOURCHECKERS[THEIRS[batch]]
    xyz = colour.xyY_to_XYZ(np.array(list(chart.data.values())))
    theirs = colour.XYZ_to_Lab(xyz, chart.illuminant)
    assert np.abs(reference.lab_d50(batch) - theirs).max() < 0.02


def test_lab_of_linear_rgb_is_lab_adapted() -> None:
    white = lab_to_xyz(np.array([100.0, 0, 0]), WHITE_D50)
    assert xyz_to_lab(white, WHITE_D50) == pytest.approx(np.array([100.0, 0, 0]))
    greys = linear_rgb_to_lab(reference.linear_rgb(Batch.AFTER_2014)[list(reference.GREYS)])
    assert np.abs(greys[:, 0] - reference.lab_d50(Batch.AFTER_2014)[list(reference.GREYS), 0]).max() < 0.2


@pytest.mark.parametrize("batch", list(Batch))
def test_spectra_render_the_reference(batch: Batch) -> None:
    rendered = linear_rgb_to_lab(chart_reflectance(batch) @ spectra.D65_TO_LINEAR_RGB)
    difference = de00(rendered, linear_rgb_to_lab(reference.linear_rgb(batch)))
    assert np.median(difference) < 1.0
    assert difference.max() < 2.0


@pytest.mark.parametrize("kelvin", [5003.0, 6504.0])
def test_daylight_agrees_with_colour_science(kelvin: float) -> None:
    name = {5003.0: "D50", 6504.0: "D65"}[kelvin]
    theirs = colour.SDS_ILLUMINANTS[name].copy().align(colour.SpectralShape(400, 700, 10)).values
    assert np.abs(100 * spectra.daylight(kelvin) - theirs).max() < 0.6


def test_black_body_agrees_with_illuminant_a() -> None:
    theirs = colour.SDS_ILLUMINANTS["A"].copy().align(colour.SpectralShape(400, 700, 10)).values
    assert spectra.black_body(2856) * 100 == pytest.approx(theirs, rel=0.01)
