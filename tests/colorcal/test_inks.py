"""Spectra recovered from Lab: they have that Lab, are physical, and come near those of other printers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.color_scene.prints import lab_of, measured, printed
from colorcal.card import NOMINAL_LAB
from colorcal.color_math import WHITE_D50, Floats, de00, xyz_to_lab
from colorcal.inks import reflectance_of_lab
from colorcal.spectra import daylight, xyz_weights


def lab_d50(reflectance: Floats) -> Floats:
    weights = xyz_weights(daylight(5003.0))
    return xyz_to_lab(reflectance @ weights / weights.sum(axis=0) * WHITE_D50, WHITE_D50)


def test_the_nominal_card_has_its_lab() -> None:
    reflectance = reflectance_of_lab(NOMINAL_LAB)
    assert reflectance.shape == (24, 31)
    assert de00(lab_d50(reflectance), NOMINAL_LAB).max() < 1e-6
    assert reflectance.min() > 0.01
    assert reflectance.max() < 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32))
def test_prints_that_are_off_have_their_lab_too(seed: int) -> None:
    lab = NOMINAL_LAB + np.random.default_rng(seed).normal(0, 4, (24, 3))
    lab[:, 0] = np.clip(lab[:, 0], 12, 97)
    reflectance = reflectance_of_lab(lab)
    assert np.isfinite(reflectance).all()
    assert np.median(de00(lab_d50(reflectance), lab)) < 0.05
    assert ((reflectance > 0) & (reflectance <= 1.2)).all()


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_spectra_of_another_model_s_printer_are_met(number: int) -> None:
    recovered = reflectance_of_lab(lab_of(printed(number)[:24]))
    assert np.abs(recovered - measured(number)).mean() < 0.045
