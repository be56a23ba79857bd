"""End to end: pictures in, corrected skin out; and any input gives a result or a typed error."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

import colorcal
from bench.color_scene.coding import through_codec
from bench.color_scene.render import Scene, Setup, render
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import ChartDetection, Grade

Picture = NDArray[np.uint8] | NDArray[np.uint16]


@cache
def scene(**setup: object) -> Scene:
    return render(Setup(**setup))  # type: ignore[arg-type]


@cache
def calibrated(**setup: object) -> tuple[Scene, colorcal.FittedCalibration]:
    truth = scene(**setup)
    calibration = colorcal.calibrate(truth.rgb)
    assert calibration is not None
    return truth, calibration


def skin_error(truth: Scene, picture: Picture) -> Floats:
    return de00(srgb_to_lab(truth.skin(np.asarray(picture, np.uint8))), srgb_to_lab(truth.truth))


@pytest.mark.parametrize(
    ("camera", "light"), [("bells 1", "FL12"), ("Nikon 5100 (NPL)", "Incandescent"), ("bells 4", "LED-B2")]
)
def test_skin_seen_through_vp8_comes_closer_to_truth_by_half(camera: str, light: str) -> None:
    truth = scene(camera=camera, light=light, cast=(1.15, 1.0, 0.9), seed=4)
    decoded = through_codec([truth.rgb], "vp8", 4)[0]
    calibration = colorcal.calibrate(decoded)
    assert calibration is not None
    raw, corrected = skin_error(truth, decoded), skin_error(truth, calibration.apply(decoded))
    assert np.median(corrected) <= 0.5 * np.median(raw)
    assert corrected.mean() <= 0.5 * raw.mean()


def test_a_good_picture_stays_good() -> None:
    truth, calibration = calibrated(camera="bells 1", light="D55", flare=0.0, gradient=0.0)
    assert skin_error(truth, calibration.apply(truth.rgb)).mean() < 2.0
    assert calibration.report.grade is Grade.GOOD


def test_fast_path_agrees_with_the_formula() -> None:
    truth, calibration = calibrated(camera="bells 1", light="FL12")
    fast = calibration.apply(truth.rgb).astype(int)
    exact = np.round(calibration.correction(truth.rgb / 255) * 255).astype(int)
    assert np.abs(fast - exact).max() <= 4
    assert (np.abs(fast - exact) > 2).mean() < 1e-3
    assert np.abs(fast - exact).mean() < 0.4


def test_lut_is_the_correction_on_a_grid() -> None:
    _, calibration = calibrated(camera="bells 1", light="FL12")
    lut = calibration.lut(5)
    assert lut.shape == (5, 5, 5, 3)
    assert lut.dtype == np.uint8
    probe = calibration.correction(np.array([[0.25, 0.5, 0.75]]))
    assert lut[1, 2, 3] == pytest.approx(probe[0] * 255, abs=0.51)


def test_sixteen_bits_do_not_band() -> None:
    _, calibration = calibrated(camera="bells 1", light="FL12")
    ramp = np.linspace(8000, 60000, 4096).astype(np.uint16)
    picture = np.repeat(ramp[None, :, None], 3, axis=2)
    corrected = calibration.apply(picture)
    assert corrected.dtype == np.uint16
    steps = np.diff(corrected[0].astype(int), axis=0)
    assert steps.min() >= 0
    assert len(np.unique(corrected[0, :, 1])) > 3900


@pytest.mark.parametrize("light", ["Incandescent", "FL12", "LED-V1"])
def test_the_whole_cube_stays_sane(light: str) -> None:
    _, calibration = calibrated(camera="bells 4", light=light, width=960, height=640)
    lut = calibration.lut(17).astype(int)
    axis = np.arange(17)
    greys = lut[axis, axis, axis].sum(axis=1)
    assert (np.diff(greys) >= 0).all()
    assert (np.diff(greys)[:12] > 10).all()
    # skin to blood: as red leaves the others behind, no two steps fall on one flat color
    t = np.linspace(0, 1, 12)[:, None]
    path = np.array([0.75, 0.55, 0.45]) * (1 - t) + np.array([0.55, 0.03, 0.05]) * t
    colors = calibration.correction(path)
    steps = np.abs(np.diff(colors, axis=0)).max(axis=1)
    assert steps.min() > 0.004
    # neighbours in the cube stay neighbours
    for dimension in range(3):
        assert np.abs(np.diff(lut, axis=dimension)).max() < 110


def test_calibration_pickles_small_and_equal() -> None:
    truth, calibration = calibrated(camera="bells 1", light="FL12")
    calibration.apply(truth.rgb)
    data = pickle.dumps(calibration)
    assert len(data) < 10_000
    again = pickle.loads(data)
    assert (again.lut() == calibration.lut()).all()
    assert again.report == calibration.report
    assert (again.detection.centers == calibration.detection.centers).all()


def test_no_chart_no_calibration() -> None:
    assert colorcal.calibrate(np.full((480, 640, 3), 127, np.uint8)) is None


dtypes: st.SearchStrategy[Any] = st.sampled_from(
    [np.uint8, np.uint16, np.float32, np.float64, np.int16, np.bool_, np.dtype(">u2")]
)
pictures: st.SearchStrategy[NDArray[Any]] = npst.arrays(
    dtype=dtypes,
    shape=npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=90)
    | st.tuples(st.integers(0, 90), st.integers(0, 90), st.just(3)),
    elements={"allow_nan": True},
    fill=st.nothing() | st.just(0),
)


def is_picture(array: NDArray[Any]) -> bool:
    return (
        array.dtype.newbyteorder("=") in (np.uint8, np.uint16)
        and array.ndim == 3
        and array.shape[2] == 3
        and array.size > 0
    )


@settings(max_examples=150)
@given(pictures)
def test_any_array_gives_a_result_or_a_typed_error(picture: NDArray[Any]) -> None:
    with_place = ChartDetection(np.random.default_rng(0).uniform(-50, 150, (24, 2)), 1.0, "classic", 9.0)
    as_card = replace(with_place, layout="card")
    calls = (
        colorcal.detect_chart,
        colorcal.calibrate,
        lambda rgb: colorcal.track_chart(rgb, with_place),
        lambda rgb: colorcal.track_chart(rgb, as_card),
    )
    if not is_picture(picture):
        for call in calls:
            with pytest.raises(colorcal.ColorInputError, match="picture") as caught:
                call(picture)
            assert caught.value.error_id.startswith("color.")
        return
    assert [call(picture) for call in calls] == [None] * 4
    calibration = colorcal.calibrate(picture, with_place)
    assert calibration is not None
    assert calibration.apply(picture).shape == picture.shape
    assert calibration.lut(3).shape == (3, 3, 3, 3)


@settings(max_examples=25)
@given(st.integers(0, 1 << 32), st.integers(8, 120), st.integers(8, 200))
def test_noise_holds_no_chart(seed: int, height: int, width: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert colorcal.detect_chart(noise) is None


@settings(max_examples=40)
@given(st.integers(0, 1 << 32), st.floats(0, 1), st.floats(0, 1))
def test_any_patch_colors_give_a_finite_result(seed: int, low: float, high: float) -> None:
    rng = np.random.default_rng(seed)
    mean = np.clip(rng.uniform(min(low, high), max(low, high) + 1e-6, (24, 3)), 0, 1)
    samples = colorcal.PatchSamples(mean, np.zeros((24, 3)), mean.max(1) > 0.985, rng.random(24) < 0.8)
    detection = ChartDetection(np.zeros((24, 2)), 0.5, "classic", 10.0)
    calibration = colorcal.calibrate_samples(samples, detection)
    assert np.isfinite(calibration.correction(rng.uniform(0, 1, (50, 3)))).all()
    assert np.isfinite(calibration.report.expected_de00)
    assert calibration.report.expected_de00_low <= calibration.report.expected_de00
    assert calibration.report.expected_de00 <= calibration.report.expected_de00_high


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (39, 39, 3), (3, 50_000, 3)])
def test_thin_and_tiny_pictures(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert colorcal.detect_chart(picture) is None
    _, calibration = calibrated(camera="bells 1", light="FL12")
    assert calibration.apply(picture).shape == shape


def test_a_picture_of_100_megapixels_gives_a_result() -> None:
    picture = np.zeros((10_000, 10_000, 3), np.uint8)
    picture[::500] = 200
    assert colorcal.detect_chart(picture) is None
    _, calibration = calibrated(camera="bells 1", light="FL12")
    assert calibration.apply(picture).shape == picture.shape


def test_a_picture_beyond_every_camera_is_refused_before_anything_is_allocated() -> None:
    huge = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (20_000, 20_000, 3))
    with pytest.raises(colorcal.ColorInputError) as caught:
        colorcal.detect_chart(huge)
    assert caught.value.error_id == "color.too_large"


@pytest.mark.parametrize("size", [0, 1, 130, -3, 2.5, True, None])
def test_a_bad_lut_size_is_refused(size: object) -> None:
    _, calibration = calibrated(camera="bells 1", light="FL12")
    with pytest.raises(colorcal.ColorInputError) as caught:
        calibration.lut(size)  # type: ignore[arg-type]
    assert caught.value.error_id == "color.bad_lut_size"


@pytest.mark.parametrize(
    "centers", [np.zeros((23, 2)), np.full((24, 2), np.nan), np.full((24, 2), 1e9), np.zeros(0)]
)
def test_a_bad_detection_is_refused(centers: Floats) -> None:
    with pytest.raises(colorcal.ColorInputError) as caught:
        colorcal.calibrate(scene(width=960, height=640).rgb, ChartDetection(centers, 1.0, "classic", 10.0))
    assert caught.value.error_id == "color.bad_detection"


def test_the_error_crosses_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(colorcal.ColorInputError("color.empty", "no pixels")))
    assert (error.error_id, str(error)) == ("color.empty", "no pixels")


def test_the_mean_of_an_even_area_is_right_to_a_fraction_of_a_code() -> None:
    """Skin that a codec has smoothed holds a few codes: rounding each pixel alone would shift its mean."""
    _, calibration = calibrated()
    for codes in ((97, 64, 50), (150, 110, 96), (58, 41, 36), (201, 166, 150)):
        area = np.full((64, 64, 3), codes, np.uint8)
        exact = calibration.correction(np.array([codes]) / 255)[0] * 255
        shown = np.asarray(calibration.apply(area), np.float64).mean(axis=(0, 1))
        assert shown == pytest.approx(exact, abs=0.35)
        assert np.ptp(np.asarray(calibration.apply(area), np.int64), axis=(0, 1)).max() <= 1
