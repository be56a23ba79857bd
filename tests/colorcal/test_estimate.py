"""The physical fit: it recovers made cameras, drops bad patches, knows its batch and its uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from colorcal import skin
from colorcal.camera_fit import fit_camera
from colorcal.camera_prior import MODES, response_prior
from colorcal.chart_reference import chart_reflectance, color_checker
from colorcal.color_math import Floats, de00, linear_rgb_to_lab, srgb_to_lab
from colorcal.estimate import estimate
from colorcal.patches import PatchSamples
from colorcal.reference import Batch
from colorcal.spectra import CHART_REFLECTANCE, D65_TO_LINEAR_RGB
from colorcal.tone import expose

SHAPE = np.array([0.05, -0.15, 0.2])
GAINS = np.array([0.8, 0.75, 0.9])


def made_response(seed: int) -> Floats:
    """A response within the prior [3, 31]."""
    prior = response_prior()
    coefficients = np.random.default_rng(seed).normal(0, 0.7, MODES)
    return prior.mean + np.tensordot(coefficients, prior.modes, axes=1)


def picture_of(reflectance: Floats, response: Floats) -> Floats:
    return expose(reflectance @ response.T * GAINS + 0.004, SHAPE)


def samples_of(mean: Floats) -> PatchSamples:
    good = np.ones(24, bool)
    return PatchSamples(mean, np.full((24, 3), 0.002), np.asarray((mean > 0.985).any(axis=1)), good)


@pytest.mark.parametrize("seed", range(6))
def test_skin_of_a_made_camera_comes_out_right(seed: int) -> None:
    response = made_response(seed)
    made = estimate(samples_of(picture_of(chart_reflectance(Batch.BEFORE_2014), response)))
    subject = np.array([skin.reflectance(m, b, 0.7) for m in (0.02, 0.1, 0.3) for b in (0.006, 0.05)])
    corrected = made.correction(picture_of(subject, response))
    error = de00(srgb_to_lab(corrected), linear_rgb_to_lab(subject @ D65_TO_LINEAR_RGB))
    assert np.median(error) < 2.0
    assert error.max() < 4.5


def test_covered_patches_get_no_say() -> None:
    mean = picture_of(CHART_REFLECTANCE, made_response(1))
    clean = fit_camera(samples_of(mean), color_checker(Batch.BEFORE_2014))
    covered = mean.copy()
    covered[[4, 5, 11]] = (0.8, 0.6, 0.5)
    fit = fit_camera(samples_of(covered), color_checker(Batch.BEFORE_2014))
    assert (fit.weights[[4, 5, 11]] < 0.1).all()
    assert (np.delete(fit.weights, [4, 5, 11]) > 0.25).all()
    assert np.abs(fit.gains - clean.gains).max() < 0.06


def test_patches_out_of_the_picture_have_no_weight() -> None:
    samples = samples_of(picture_of(CHART_REFLECTANCE, made_response(2)))
    samples.visible[:6] = False
    assert (fit_camera(samples, color_checker(Batch.BEFORE_2014)).weights[:6] == 0).all()


@pytest.mark.parametrize("batch", list(Batch))
def test_the_batch_of_the_chart_is_told(batch: Batch) -> None:
    right = 0
    for seed in range(8):
        made = estimate(samples_of(picture_of(chart_reflectance(batch), made_response(seed))))
        right += made.fit.reference is color_checker(batch)
    assert right >= 6


def test_a_strange_chart_is_less_certain() -> None:
    response = made_response(3)
    plain = estimate(samples_of(picture_of(CHART_REFLECTANCE, response)))
    noise = np.random.default_rng(0).normal(0, 0.06, (24, 3))
    strange = estimate(samples_of(np.clip(picture_of(CHART_REFLECTANCE, response) + noise, 0, 1)))
    assert strange.skin_de00.mean() > plain.skin_de00.mean()


def test_prior_responses_are_of_unit_sum() -> None:
    prior = response_prior()
    assert prior.mean.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.abs(prior.modes.sum(axis=2)).max() < 1e-9


def test_skin_library_spans_tones_and_redness() -> None:
    lab = linear_rgb_to_lab(skin.library() @ D65_TO_LINEAR_RGB)
    assert lab[:, 0].min() < 30
    assert lab[:, 0].max() > 68
    pale, red = (
        linear_rgb_to_lab(skin.reflectance(0.03, blood, 0.7) @ D65_TO_LINEAR_RGB) for blood in (0.004, 0.06)
    )
    assert red[1] > pale[1] + 4
    assert (skin.library() > 0).all()
    assert (skin.library() < 1).all()
