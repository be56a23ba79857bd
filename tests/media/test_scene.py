"""The rendered scene: what it shows, what it says is true, and that a calibration can find it again."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from media.simulated.camera import Camera, Illuminant
from media.simulated.chart import REFERENCE_LAB_D50, reference_linear
from media.simulated.color import (
    WHITE_D65,
    decode_srgb,
    encode_srgb,
    lab_from_linear,
    linear_from_lab,
    planckian_xy,
)
from media.simulated.i420 import i420_from_rgb, write_y4m
from media.simulated.placeholder import Placeholder
from media.simulated.scene import Scene, SceneOptions, SceneTruth
from media.simulated.skin import Tone
from media.simulated.still import MODEL, encode_jpeg
from media.simulated.view import Noise, View
from media.yuv import rgb_from_yuv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import colour

SMALL = (640, 360)
WRONG_LIGHT = (Illuminant.TUNGSTEN, Illuminant.FLUORESCENT, Illuminant.COOL_LED)


def scene(tone: Tone = Tone.LIGHT, illuminant: Illuminant = Illuminant.TUNGSTEN, **more: float) -> Scene:
    width, height = SMALL
    return Scene(SceneOptions(tone, illuminant, width, height, **more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tungsten() -> Scene:
    return scene()


def mean_in(frame: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    x0, y0, x1, y1 = box
    return np.asarray(frame[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0, dtype=np.float64))


def patches(frame: NDArray[np.uint8], truth: SceneTruth, half: int = 4) -> NDArray[np.float64]:
    return np.array(
        [
            mean_in(frame, (round(x) - half, round(y) - half, round(x) + half + 1, round(y) + half + 1))
            for x, y in truth.chart_centers
        ]
    )


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """CIEDE2000 between two sRGB colors of 0..255, by colour-science."""
    first, second = (lab_from_linear(decode_srgb(color / 255)) for color in (one, other))
    return float(colour.difference.delta_E_CIE2000(first, second))


class TestColor:
    def test_lab_agrees_with_colour_science(self) -> None:
        srgb = np.random.default_rng(0).uniform(0, 1, (50, 3))
        white = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D65"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = colour.XYZ_to_Lab(colour.sRGB_to_XYZ(srgb), white)
        np.testing.assert_allclose(lab_from_linear(decode_srgb(srgb)), expected, atol=0.05)

    def test_lab_leads_back(self) -> None:
        linear = np.random.default_rng(1).uniform(0, 1, (50, 3))
        np.testing.assert_allclose(linear_from_lab(lab_from_linear(linear), WHITE_D65), linear, atol=1e-9)

    def test_srgb_leads_back(self) -> None:
        codes = np.arange(256) / 255
        np.testing.assert_allclose(encode_srgb(decode_srgb(codes)), codes, atol=1e-9)

    @pytest.mark.parametrize(
        ("kelvin", "xy"),
        [(2000, (0.5267, 0.4133)), (3000, (0.4369, 0.4041)), (6500, (0.3135, 0.3237))],
    )
    def test_black_bodies_lie_where_they_should(self, kelvin: float, xy: tuple[float, float]) -> None:
        np.testing.assert_allclose(planckian_xy(kelvin), xy, atol=0.001)


def test_reference_colors_are_the_published_ones() -> None:
    chart = colour.CCS_COLOURCHECKERS["ColorChecker24 - After November 2014"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = colour.XYZ_to_Lab(colour.xyY_to_XYZ(np.array(list(chart.data.values()))), chart.illuminant)
    np.testing.assert_allclose(REFERENCE_LAB_D50, expected, atol=0.1)


def test_reference_neutrals_are_neutral_in_srgb() -> None:
    neutrals = 255 * encode_srgb(reference_linear())[18:]
    assert np.ptp(neutrals, axis=1).max() < 8


def test_noise_is_the_same_at_every_resolution() -> None:
    noise = Noise(5, 0.05, 0.4, 2.0)
    fine = noise.over(View(-0.2, 0.1, 800.0, 400, 300))
    coarse = noise.over(View(-0.2, 0.1, 200.0, 100, 75))
    shrunk = cv2.resize(fine, (100, 75), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - coarse).max() < 0.05


class TestScene:
    def test_equal_options_give_equal_pictures(self, tungsten: Scene) -> None:
        np.testing.assert_array_equal(scene().frame(0.7), tungsten.frame(0.7))

    def test_another_seed_gives_another_patient(self, tungsten: Scene) -> None:
        other = scene(seed=2)
        assert not np.array_equal(other.truth(0).lesion_outline, tungsten.truth(0).lesion_outline)

    def test_the_loop_closes(self) -> None:
        still = scene(noise_codes=0.0, loop_s=4.0)
        np.testing.assert_array_equal(still.frame(0.0), still.frame(4.0))
        assert not np.array_equal(still.frame(0.0), still.frame(1.3))

    def test_the_hand_moves_little_and_smoothly(self, tungsten: Scene) -> None:
        centers = np.array([tungsten.truth(n / 30).chart_centers.mean(axis=0) for n in range(240)])
        steps = np.hypot(*np.diff(centers, axis=0).T)
        assert 0.02 < steps.max() < 1.0
        assert np.ptp(centers, axis=0).max() < 12

    def test_a_tripod_holds_still(self) -> None:
        still = scene(motion=0.0)
        np.testing.assert_array_equal(still.truth(0).chart_centers, still.truth(1.7).chart_centers)

    @pytest.mark.parametrize("illuminant", list(Illuminant))
    def test_the_chart_is_found_where_the_truth_says(self, illuminant: Illuminant) -> None:
        one = scene(Tone.TAN, illuminant)
        detector = cv2.mcc.CCheckerDetector.create()
        detector.setColorChartType(cv2.mcc.MCC24)
        assert detector.process(np.ascontiguousarray(one.frame(1.0)[..., ::-1]), 1)
        found = np.asarray(detector.getBestColorChecker().getBox()).mean(axis=0)
        assert np.abs(found - one.truth(1.0).chart_centers.mean(axis=0)).max() < 2

    def test_truth_is_what_a_perfect_camera_sees(self) -> None:
        one = scene(Tone.TAN, Illuminant.DAYLIGHT, noise_codes=0.0)
        frame, truth = one.frame(0.4), one.truth(0.4)
        matrix, offset = fit(patches(frame, truth), truth.chart_srgb)
        for region in truth.regions:
            seen = correct(mean_in(frame, region.box), matrix, offset)
            assert difference(seen, np.array(region.srgb)) < 2

    @pytest.mark.parametrize("tone", list(Tone))
    @pytest.mark.parametrize("illuminant", WRONG_LIGHT)
    def test_raw_skin_is_off_and_the_chart_brings_it_back(self, tone: Tone, illuminant: Illuminant) -> None:
        one = scene(tone, illuminant)
        frame, truth = one.frame(0.4), one.truth(0.4)
        matrix, offset = fit(patches(frame, truth), truth.chart_srgb)
        for name in ("forearm", "elbow", "wrist"):
            region = truth.region(name)
            raw = mean_in(frame, region.box)
            before = difference(raw, np.array(region.srgb))
            after = difference(correct(raw, matrix, offset), np.array(region.srgb))
            assert 5.5 < before < 15
            assert after < before / 2

    def test_no_patch_is_clipped(self) -> None:
        for illuminant in Illuminant:
            one = scene(Tone.LIGHT, illuminant)
            assert patches(one.frame(0), one.truth(0))[18].max() < 252

    def test_the_lesion_is_darker_and_redder_than_skin(self, tungsten: Scene) -> None:
        truth = tungsten.truth(0)
        lesion, skin = (
            lab_from_linear(decode_srgb(np.array(truth.region(name).srgb) / 255))
            for name in ("lesion", "forearm")
        )
        assert lesion[0] < skin[0] - 8
        assert lesion[1] > skin[1] + 3

    def test_regions_lie_on_skin_and_the_lesion_inside_its_outline(self, tungsten: Scene) -> None:
        truth = tungsten.truth(2.1)
        outline = truth.lesion_outline.astype(np.float32)
        for region in truth.regions:
            x0, y0, x1, y1 = region.box
            assert 0 <= x0 < x1 <= SMALL[0]
            assert 0 <= y0 < y1 <= SMALL[1]
            middle = ((x0 + x1) / 2, (y0 + y1) / 2)
            inside = cv2.pointPolygonTest(outline, middle, False) > 0
            assert inside == (region.name == "lesion")

    def test_an_unknown_region_is_an_error(self, tungsten: Scene) -> None:
        with pytest.raises(KeyError):
            tungsten.truth(0).region("knee")

    def test_noise_is_there_and_small(self, tungsten: Scene) -> None:
        clean = scene(noise_codes=0.0)
        noise = tungsten.frame(0.4).astype(int) - clean.frame(0.4)
        assert 1.0 < noise[100:200, 100:200].std() < 2.5

    def test_the_camera_keeps_the_order_of_grays(self) -> None:
        ramp = np.repeat(np.linspace(0, 1, 200, dtype=np.float32)[None, :, None], 3, axis=2)
        for illuminant in Illuminant:
            assert (np.diff(Camera(illuminant).expose(ramp).astype(int), axis=1) >= 0).all()


class TestStill:
    def test_it_shows_the_video_s_scene_in_more_detail(self, tungsten: Scene) -> None:
        still, truth = tungsten.still(1200, 900), tungsten.still_truth(1200, 900)
        assert still.shape == (900, 1200, 3)
        frame, seen = tungsten.frame(0.0), tungsten.truth(0.0)
        np.testing.assert_allclose(patches(still, truth, 8), patches(frame, seen), atol=3)
        for region in truth.regions:
            np.testing.assert_allclose(
                mean_in(still, region.box), mean_in(frame, seen.region(region.name).box), atol=4
            )

    def test_a_phone_wrote_it(self) -> None:
        picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        image = Image.open(BytesIO(encode_jpeg(picture, at)))
        assert image.format == "JPEG"
        assert image.size == (64, 48)
        assert image.getexif()[ExifTags.Base.Model] == MODEL
        assert image.getexif()[ExifTags.Base.DateTime] == "2026:03:04 05:06:07"
        assert image.info["icc_profile"]
        assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)

    def test_a_place_is_written_when_asked(self) -> None:
        picture = np.zeros((16, 16, 3), np.uint8)
        jpeg = encode_jpeg(picture, datetime(2026, 1, 1, tzinfo=UTC), position=(-33.5, 151.25))
        place = Image.open(BytesIO(jpeg)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert place[ExifTags.GPS.GPSLatitudeRef] == "S"
        assert place[ExifTags.GPS.GPSLatitude] == (33.0, 30.0, 0.0)
        assert place[ExifTags.GPS.GPSLongitude] == (151.0, 15.0, 0.0)


class TestI420:
    def test_it_leads_back_by_the_inverse_of_bt601(self) -> None:
        colors = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        rgb = np.kron(colors, np.ones((8, 8, 1), np.uint8))
        planes = i420_from_rgb(rgb)
        luma = planes[:48]
        cb, cr = planes[48:].reshape(2, 24, 32)
        yuv = np.stack([luma[4::8, 4::8], cb[2::4, 2::4], cr[2::4, 2::4]], axis=-1).astype(np.float64)
        back = yuv @ rgb_from_yuv(0.299, 0.114, False)[:, :3].T + rgb_from_yuv(0.299, 0.114, False)[:, 3]
        assert np.abs(back - colors).max() < 3

    def test_black_and_white_are_16_and_235(self) -> None:
        rgb = np.zeros((2, 4, 3), np.uint8)
        rgb[:, 2:] = 255
        np.testing.assert_array_equal(
            i420_from_rgb(rgb), [[16, 16, 235, 235], [16, 16, 235, 235], [128, 128, 128, 128]]
        )

    def test_y4m_is_read_back(self, tmp_path: Path) -> None:
        path = tmp_path / "doctor.y4m"
        placeholder = Placeholder(320, 180, loop_s=1.0)
        write_y4m(path, placeholder, fps=10, seconds=1.0)
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 10
        assert (frames[0].width, frames[0].height, frames[0].format.name) == (320, 180, "yuv420p")
        rgb = i420_from_rgb(placeholder.frame(0.3))
        luma = np.frombuffer(memoryview(frames[3].planes[0]), np.uint8).reshape(180, -1)[:, :320]
        np.testing.assert_array_equal(luma, rgb[:180])


def test_the_placeholder_moves_and_loops() -> None:
    doctor = Placeholder()
    np.testing.assert_array_equal(doctor.frame(0.0), doctor.frame(4.0))
    assert not np.array_equal(doctor.frame(0.0), doctor.frame(0.5))
    assert doctor.frame(0).shape == (doctor.height_px, doctor.width_px, 3)


def fit(
    seen: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The plainest calibration there is: one affine matrix in linear light, from the 24 patches."""
    known = np.hstack([decode_srgb(seen / 255), np.ones((24, 1))])
    solution = np.asarray(np.linalg.lstsq(known, decode_srgb(true / 255), rcond=None)[0], np.float64)
    return solution[:3], solution[3]


def correct(
    color: NDArray[np.float64], matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    return 255 * encode_srgb(decode_srgb(color / 255) @ matrix + offset)
