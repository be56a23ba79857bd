"""Where a stream states a matrix that its video was not made with, the chart says so, most of the time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import colorcal
from bench.color_scene.halves import TRAINING
from bench.color_scene.render import Scene, draw_setup, render
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import DecoderDifference
from colorcal.matrix import to_rgb
from tests.colorcal.test_decoder import BT601, BT709, BT2020, FULL, LIMITED, mistaken
from tests.colorcal.test_decoder import to_rgb as defined

SCENES = 8
Weights = tuple[float, float]


@cache
def scenes() -> tuple[tuple[Scene, colorcal.FittedCalibration], ...]:
    """Cameras and lights in turn, with tilt, uneven light, noise."""
    made = [render(draw_setup(TRAINING, index)) for index in range(SCENES)]
    return tuple((one, known) for one in made if (known := colorcal.calibrate(one.rgb)) is not None)


def judged(made_as: Weights, stated: Weights) -> list[tuple[DecoderDifference | None, float, float]]:
    """Of each scene: the mix-up that is found, and skin dE00 with a correction that knows it and without."""
    results = []
    for scene, known in scenes():
        picture = np.round(mistaken(scene.rgb / 255, (made_as, LIMITED), (stated, LIMITED)) * 255)
        samples = colorcal.sample_patches(picture.astype(np.uint8), known.detection.centers)
        skin, truth = scene.skin(picture.astype(np.uint8)), srgb_to_lab(scene.truth)
        mix_up = colorcal.matrix_mix_up(samples, *stated, False, known.detection)
        plain = colorcal.calibrate_samples(samples, known.detection).correction(skin)
        told = plain
        if mix_up is not None:
            undone = colorcal.PatchSamples(
                mix_up.undo(samples.mean), samples.spread, samples.clipped, samples.visible
            )
            fitted = colorcal.calibrate_samples(undone, known.detection)
            told = fitted.correction(mix_up.undo(skin))
        results.append((mix_up, _mean_de00(told, truth), _mean_de00(plain, truth)))
    return results


def _mean_de00(skin: Floats, truth: Floats) -> float:
    return float(de00(srgb_to_lab(skin), truth).mean())


@pytest.mark.parametrize(("stated", "made_as", "least"), [(BT709, BT601, 0.4), (BT601, BT709, 0.8)])
def test_a_wrong_matrix_is_found_and_undone(stated: Weights, made_as: Weights, least: float) -> None:
    results = judged(made_as, stated)
    assert np.mean([mix_up is not None for mix_up, _, _ in results]) >= least
    told, plain = (np.array([one[at] for one in results]) for at in (1, 2))
    assert told.mean() < 0.85 * plain.mean()


@pytest.mark.parametrize("stated", [BT601, BT709])
def test_a_right_matrix_is_believed(stated: Weights) -> None:
    results = judged(stated, stated)
    assert np.mean([mix_up is None for mix_up, _, _ in results]) >= 0.9
    told, plain = (np.array([one[at] for one in results]) for at in (1, 2))
    assert told.mean() < plain.mean() + 0.1


def test_what_is_found_leads_back_to_the_colors_that_were_made() -> None:
    colors = np.random.default_rng(3).uniform(0.2, 0.8, (50, 3))
    found = [one for one, _, _ in judged(BT709, BT601) if one is not None]
    wrong = mistaken(colors, (BT709, LIMITED), (BT601, LIMITED))
    np.testing.assert_allclose(found[0].undo(wrong), colors, atol=1e-9)
    assert found[0].de00 > 0.5


@pytest.mark.parametrize("full", [LIMITED, FULL])
@pytest.mark.parametrize("weights", [BT601, BT709, BT2020])
def test_the_conversion_is_that_of_its_definition(weights: Weights, full: bool) -> None:
    for ours, by_hand in zip(to_rgb(*weights, full), defined((weights, full)), strict=True):
        np.testing.assert_allclose(ours, by_hand)
    matrix, offset = to_rgb(*weights, full)
    black, white = (0.0, 1.0) if full else (16 / 255, 235 / 255)
    for luma, level in ((black, 0.0), (white, 1.0)):
        gray = matrix @ np.array([luma, 128 / 255, 128 / 255]) + offset
        np.testing.assert_allclose(gray, level, atol=1e-12)
