"""A decoder that takes another matrix or range is found out on the patches, and undone in the correction."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colorcal
from bench.color_scene.render import Scene, Setup, render
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import DecoderDifference

BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
LIMITED, FULL = False, True
Decoder = tuple[tuple[float, float], bool]


def to_rgb(decoder: Decoder) -> tuple[Floats, Floats]:
    """R'G'B' = matrix @ (Y', Cb, Cr) + offset, all 0 to 1 (ITU-T H.273 section 8.3)."""
    (kr, kb), full = decoder
    kg = 1 - kr - kb
    columns = np.array(
        [[1, 0, 2 - 2 * kr], [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg], [1, 2 - 2 * kb, 0]]
    )
    matrix = columns * (np.ones(3) if full else np.array([255 / 219, 255 / 224, 255 / 224]))
    return matrix, -matrix @ np.array([0 if full else 16, 128, 128]) / 255


def mistaken(rgb: Floats, right: Decoder, wrong: Decoder) -> Floats:
    """What a decoder shows that takes video of another kind."""
    (matrix, offset), (other, other_offset) = to_rgb(right), to_rgb(wrong)
    yuv = (rgb - offset) @ np.linalg.inv(matrix).T
    return np.clip(yuv @ other.T + other_offset, 0, 1)


MIX_UPS = {
    "601 as 709": ((BT601, LIMITED), (BT709, LIMITED)),
    "709 as 601": ((BT709, LIMITED), (BT601, LIMITED)),
    "601 as 2020": ((BT601, LIMITED), (BT2020, LIMITED)),
    "limited as full": ((BT601, LIMITED), (BT601, FULL)),
    "full as limited": ((BT601, FULL), (BT601, LIMITED)),
    "both": ((BT601, LIMITED), (BT709, FULL)),
}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(Setup(camera="bells 1", light="FL12", cast=(1.1, 1.0, 0.9), seed=4, pitch_px=40.0))


@pytest.fixture(scope="module")
def calibration(scene: Scene) -> colorcal.FittedCalibration:
    made = colorcal.calibrate(scene.rgb)
    assert made is not None
    return made


def samples_of(scene: Scene, calibration: colorcal.FittedCalibration) -> colorcal.PatchSamples:
    return colorcal.sample_patches(scene.rgb, calibration.detection.centers)


def seen_as(
    samples: colorcal.PatchSamples, right: Decoder, wrong: Decoder, seed: int = 1
) -> colorcal.PatchSamples:
    """Rounded as a decoder rounds, and coded a little otherwise."""
    noise = np.random.default_rng(seed).normal(0, 0.6 / 255, samples.mean.shape)
    mean = np.clip(mistaken(samples.mean, right, wrong) + noise, 0, 1)
    return colorcal.PatchSamples(
        mean, samples.spread, samples.clipped | (mean > 0.985).any(1), samples.visible
    )


@pytest.mark.parametrize("name", MIX_UPS)
def test_a_mix_up_costs_nothing_once_it_is_undone(
    scene: Scene, calibration: colorcal.FittedCalibration, name: str
) -> None:
    samples = samples_of(scene, calibration)
    readings = [(samples, seen_as(samples, *MIX_UPS[name], seed)) for seed in (1, 2)]
    difference = colorcal.compare_decoders(readings)
    assert difference is not None
    assert difference.explained
    assert not difference.agrees

    truth = srgb_to_lab(scene.truth)
    wrong = mistaken(scene.rgb / 255, *MIX_UPS[name])
    picture = np.round(wrong * 255).astype(np.uint8)
    fitted = calibration.decoded_with(difference)
    best = de00(srgb_to_lab(scene.skin(np.asarray(calibration.apply(scene.rgb), np.uint8))), truth)
    mended = de00(srgb_to_lab(scene.skin(np.asarray(fitted.apply(picture), np.uint8))), truth)
    assert mended.mean() < best.mean() + 0.4
    assert fitted.report.words_en.startswith(calibration.report.words_en)
    assert f"{difference.de00:.1f}" in fitted.report.words_en
    assert f"{difference.de00:.1f}" in fitted.report.words_zh


def test_decoders_that_differ_by_rounding_agree(
    scene: Scene, calibration: colorcal.FittedCalibration
) -> None:
    samples = samples_of(scene, calibration)
    difference = colorcal.compare_decoders([(samples, seen_as(samples, (BT601, LIMITED), (BT601, LIMITED)))])
    assert difference is not None
    assert difference.agrees
    assert difference.explained


def test_a_reading_beside_the_patches_is_not_explained(
    scene: Scene, calibration: colorcal.FittedCalibration
) -> None:
    samples = samples_of(scene, calibration)
    good = samples, seen_as(samples, *MIX_UPS["601 as 709"])
    pitch = calibration.detection.patch_pitch_px
    moved = colorcal.sample_patches(scene.rgb, calibration.detection.centers + np.array([pitch, 0.0]))
    for readings in ([(samples, moved)], [good, good, good, (samples, moved)]):
        difference = colorcal.compare_decoders(readings)
        assert difference is None or not difference.explained


def test_patches_that_one_of_them_sees_under_a_finger_have_no_say(
    scene: Scene, calibration: colorcal.FittedCalibration
) -> None:
    samples = samples_of(scene, calibration)
    seen = seen_as(samples, *MIX_UPS["limited as full"])
    clean = colorcal.compare_decoders([(samples, seen)])
    mean = seen.mean.copy()
    mean[[0, 6, 12]] = (0.7, 0.5, 0.4)
    covered = colorcal.compare_decoders(
        [(samples, colorcal.PatchSamples(mean, seen.spread, seen.clipped, seen.visible))]
    )
    assert clean is not None
    assert covered is not None
    skin = scene.skin()
    assert de00(srgb_to_lab(covered.undo(skin)), srgb_to_lab(clean.undo(skin))).max() < 1.0


def test_too_few_patches_say_nothing(scene: Scene, calibration: colorcal.FittedCalibration) -> None:
    samples = samples_of(scene, calibration)
    hidden = colorcal.PatchSamples(
        samples.mean, samples.spread, samples.clipped, samples.visible & (np.arange(24) < 11)
    )
    assert colorcal.compare_decoders([(samples, hidden)]) is None
    assert colorcal.compare_decoders([(samples, samples), (samples, hidden)]) is None
    assert colorcal.compare_decoders([]) is None


def test_samples_of_another_shape_are_refused(scene: Scene, calibration: colorcal.FittedCalibration) -> None:
    samples = samples_of(scene, calibration)
    for mean in (samples.mean[:23], np.full((24, 3), np.nan)):
        broken = colorcal.PatchSamples(mean, samples.spread, samples.clipped, samples.visible)
        with pytest.raises(colorcal.ColorInputError) as refused:
            colorcal.compare_decoders([(samples, broken)])
        assert refused.value.error_id == "color.bad_samples"


@given(st.integers(0, 2**32 - 1))
def test_whatever_a_viewer_says_gives_a_bounded_result(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def anything() -> colorcal.PatchSamples:
        yes = np.ones(24, bool)
        return colorcal.PatchSamples(
            rng.choice([0.03, 0.5, 0.5001, 0.98], (24, 3)), rng.uniform(0, 1, (24, 3)), ~yes, yes
        )

    difference = colorcal.compare_decoders([(anything(), anything())])
    if difference is not None:
        assert np.isfinite(difference.matrix).all()
        undone = difference.undo(rng.uniform(0, 1, (50, 3)))
        assert 0 <= undone.min() <= undone.max() <= 1


def test_the_lut_and_a_pickle_hold_the_difference(calibration: colorcal.FittedCalibration) -> None:
    difference = DecoderDifference(np.eye(3) * 0.9, np.full(3, 0.05), 3.0, 0.1)
    fitted = calibration.decoded_with(difference)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.lut(9), fitted.lut(9))
    at = np.array([[0.5, 0.25, 0.75]])
    expected = np.round(calibration.correction(difference.undo(at)) * 255)[0]
    assert np.abs(fitted.lut(9)[4, 2, 6] - expected).max() <= 1
    deep = fitted.apply(np.full((1, 1, 3), 32768, np.uint16))
    plain = calibration.apply(np.full((1, 1, 3), round(65535 * (0.9 * 32768 / 65535 + 0.05)), np.uint16))
    assert np.abs(deep.astype(int) - plain).max() <= 2
