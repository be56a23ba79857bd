"""Stills as they come from homes: sharp, blurred, shaken, dark, burnt out, shiny, tilted, without a chart."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import colorcal
from bench.color_scene.halves import SCORING, TRAINING
from bench.color_scene.render import Scene, Setup, draw_setup, render
from colorcal.interface import ChartDetection, StillQuality, StillReason, StillVerdict
from colorcal.still_quality import judge_still

GOOD = Setup(camera="bells 1", seed=3, pitch_px=60.0, rotation_deg=8.0, tilt_deg=10.0)
FINE_MM_PER_PX = 0.05


@cache
def scene(setup: Setup = GOOD) -> Scene:
    return render(setup)


def judged(setup: Setup = GOOD, mm_per_px: float | None = FINE_MM_PER_PX) -> StillQuality:
    made = scene(setup)
    chart = ChartDetection(made.centers, 1.0, "classic", setup.pitch_px)
    return judge_still(made.rgb, chart, mm_per_px)


def without_chart(setup: Setup = GOOD) -> StillQuality:
    return judge_still(render(setup, with_chart=False).rgb, None)


def test_a_good_still_with_a_scale_is_accepted() -> None:
    quality = judged()
    assert (quality.verdict, quality.reason) == (StillVerdict.ACCEPT, None)
    assert quality.px_per_mm == pytest.approx(20)
    assert quality.blur_px is not None
    assert quality.blur_mm == pytest.approx(quality.blur_px * FINE_MM_PER_PX)
    assert quality.chart_visible
    assert "Take it again" not in quality.words_en
    assert quality.words_zh


@pytest.mark.parametrize("tone_camera", ["bells 0", "bells 4", "Nikon 5100 (NPL)"])
@pytest.mark.parametrize("light", ["D55", "FL12", "LED-B2", "Incandescent"])
def test_no_light_or_camera_makes_a_good_still_bad(tone_camera: str, light: str) -> None:
    quality = judged(replace(GOOD, camera=tone_camera, light=light, seed=9))
    assert quality.verdict is StillVerdict.ACCEPT, quality


@pytest.mark.parametrize("blur_px", [0.7, 1.5, 3.0, 6.0])
def test_blur_is_the_width_of_edges(blur_px: float) -> None:
    quality = judged(replace(GOOD, blur_px=blur_px))
    assert quality.blur_px == pytest.approx(2.56 * blur_px, rel=0.12, abs=0.8)
    assert (quality.reason is StillReason.BLURRED) == (blur_px > 2)


def test_a_shaken_still_is_blurred_whatever_its_direction() -> None:
    quality = judged(replace(GOOD, motion_px=12.0))
    assert (quality.verdict, quality.reason) == (StillVerdict.RETAKE, StillReason.BLURRED)


@pytest.mark.parametrize("index", [0, 7, 12, 19, 22, 30])
def test_without_a_chart_the_sharpest_edges_tell(index: int) -> None:
    def reason(**fixed: float) -> StillReason | None:
        return without_chart(draw_setup(TRAINING, index, **fixed)).reason

    assert reason() is StillReason.NO_CHART
    assert reason(blur_px=4.0) is StillReason.BLURRED
    assert reason(motion_px=20.0) is StillReason.BLURRED


def test_one_instruction_comes_with_each_retake() -> None:
    quality = judged(replace(GOOD, blur_px=5.0, exposure=0.08))
    assert quality.reason is StillReason.BLURRED
    assert quality.words_en.count("Take it again") == 1
    assert "dark" not in quality.words_en


def test_dark() -> None:
    assert judged(replace(GOOD, exposure=0.1)).reason is StillReason.DARK
    assert without_chart(replace(GOOD, exposure=0.02)).reason is StillReason.DARK


def test_overexposed() -> None:
    quality = judged(replace(GOOD, exposure=3.0))
    assert (quality.verdict, quality.reason) == (StillVerdict.RETAKE, StillReason.OVEREXPOSED)
    assert without_chart(replace(GOOD, exposure=6.0)).reason is StillReason.OVEREXPOSED


def with_a_lamp_on_the_skin(made: Scene, radius_px: float) -> Scene:
    """A lamp's reflection in the middle of a spot of skin, added in picture values."""
    spot = made.spots[1]
    y, x = np.ogrid[: made.rgb.shape[0], : made.rgb.shape[1]]
    shine = 400 * np.exp(-0.5 * ((x - spot.x) ** 2 + (y - spot.y) ** 2) / radius_px**2)
    rgb = np.clip(made.rgb + shine[..., None], 0, 255).astype(np.uint8)
    return replace(made, rgb=rgb)


def test_a_reflection_on_skin_is_glare_and_one_elsewhere_is_not() -> None:
    shiny = with_a_lamp_on_the_skin(scene(), 14.0)
    chart = ChartDetection(shiny.centers, 1.0, "classic", GOOD.pitch_px)
    quality = judge_still(shiny.rgb, chart, FINE_MM_PER_PX)
    assert (quality.verdict, quality.reason) == (StillVerdict.RETAKE, StillReason.GLARE)
    assert 0.004 < quality.glare_share < 0.05
    assert (
        judged(replace(GOOD, glare=0.8)).reason is None
    )  # on the chart: the calibration drops those patches


@pytest.mark.parametrize("tilt_deg", [0.0, 20.0, 42.0])
def test_tilt(tilt_deg: float) -> None:
    quality = judged(replace(GOOD, tilt_deg=tilt_deg))
    assert quality.tilt_deg == pytest.approx(tilt_deg, abs=4.0)
    assert (quality.reason is StillReason.TILTED) == (tilt_deg > 40)


def test_a_chart_whose_patches_lie_further_apart_in_rows_is_not_tilted() -> None:
    straight = scene(replace(GOOD, tilt_deg=0.0, rotation_deg=0.0)).centers
    chart = ChartDetection(straight @ np.diag((1.18, 1.0)), 1.0, "nano", GOOD.pitch_px)
    picture = np.full((720, 1600, 3), 128, np.uint8)
    assert judge_still(picture, chart, row_over_column=1.18).tilt_deg == pytest.approx(0, abs=3)


def test_without_scale_or_chart_or_from_afar_it_is_for_looking_at() -> None:
    for quality, reason in (
        (judged(mm_per_px=None), StillReason.NO_SCALE),
        (judged(mm_per_px=0.2), StillReason.TOO_FAR),
        (without_chart(), StillReason.NO_CHART),
    ):
        assert (quality.verdict, quality.reason) == (StillVerdict.NOT_MEASURABLE, reason)
    assert without_chart().blur_mm is None
    assert without_chart().tilt_deg is None


def test_dark_skin_is_not_a_dark_picture() -> None:
    """A close-up that is all skin of the darkest tone, well exposed."""
    made = scene(Setup(half=SCORING, camera="filters 0", light="D65", chart="babel", seed=5, exposure=0.9))
    spot = next(one for one in made.spots if one.tone == 3)
    reach = int(spot.radius)
    patch = made.rgb[
        round(spot.y) - reach : round(spot.y) + reach, round(spot.x) - reach : round(spot.x) + reach
    ]
    tiled = np.tile(patch, (12, 20, 1))
    assert judge_still(tiled, None).reason is StillReason.NO_CHART


def test_sixteen_bits_and_smallest_pictures() -> None:
    made = scene()
    chart = ChartDetection(made.centers, 1.0, "classic", GOOD.pitch_px)
    assert judge_still(made.rgb.astype(np.uint16) * 257, chart, FINE_MM_PER_PX) == judged()
    assert judge_still(np.full((1, 1, 3), 120, np.uint8), None).blur_px is None
    outside = ChartDetection(made.centers + 5000, 1.0, "classic", 60.0)
    assert judge_still(made.rgb, outside).blur_px is None
    with pytest.raises(colorcal.ColorInputError):
        judge_still(np.zeros((4, 4)), None)  # type: ignore[arg-type]
