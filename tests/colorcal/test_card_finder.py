"""The card found by its markers, by its patches where they are soft, and nowhere else."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import colorcal
from bench.color_scene.prints import measured
from bench.color_scene.render import Scene, Setup, render
from colorcal import card
from colorcal.card_finder import find_cards
from colorcal.card_markers import read_batch
from colorcal.card_prints import from_spectra
from colorcal.color_math import Floats
from colorcal.interface import ChartDetection, Grade
from colorcal.lattice import fit_homography


@cache
def scene(**setup: Any) -> Scene:
    return render(Setup(**{"layout": "card", "print_number": 7, "width": 960, "height": 640, **setup}))


def off_in_pitches(found: ChartDetection | None, truth: Scene) -> float:
    assert found is not None
    return float(np.hypot(*(found.centers - truth.centers).T).max() / truth.setup.pitch_px)


@pytest.mark.parametrize("rotation_deg", [0.0, 37.0, 90.0, 180.0, -121.0])
def test_any_rotation(rotation_deg: float) -> None:
    truth = scene(rotation_deg=rotation_deg, pitch_px=40.0)
    found = colorcal.detect_chart(truth.rgb)
    assert off_in_pitches(found, truth) < 0.06
    assert found is not None
    assert (found.layout, found.print_batch, found.pitch_mm) == ("card", 7, (15.0, 15.0))
    assert found.patch_pitch_px == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tilt(seed: int) -> None:
    truth = scene(tilt_deg=45.0, rotation_deg=25.0, seed=seed, pitch_px=45.0)
    assert off_in_pitches(colorcal.detect_chart(truth.rgb), truth) < 0.15


@pytest.mark.parametrize(
    "trouble",
    [
        {"pitch_px": 25.0},
        {"pitch_px": 25.0, "blur_px": 1.6},
        {"motion_px": 5.0},
        {"finger": True},
        {"glare": 0.8},
        {"gradient": 0.5},
    ],
)
def test_far_soft_moved_covered_or_shiny(trouble: dict[str, Any]) -> None:
    truth = scene(**{"rotation_deg": 12.0, "seed": 5, "pitch_px": 45.0, **trouble})
    found = colorcal.detect_chart(truth.rgb)
    assert off_in_pitches(found, truth) < 0.2
    assert found is not None
    assert found.print_batch == 7


@pytest.mark.parametrize("batch", [0, 1, 60, card.MAX_BATCH])
def test_every_way_reads_the_batch(batch: int) -> None:
    picture = drawn(batch)
    assert [one.print_batch for one in find_cards(picture)][:1] == [batch]
    seen = find_cards(picture)[0]
    assert read_batch(np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8), seen.homography) == batch


def test_two_corners_are_enough_and_one_is_not() -> None:
    picture = drawn(33)
    height, width = picture.shape[:2]
    picture[:, : width // 4] = 200
    assert [(one.markers, one.print_batch) for one in find_cards(picture)] == [(2, 33)]
    picture[: height // 2] = 200
    assert find_cards(picture) == []


def test_markers_of_two_batches_do_not_make_one_card() -> None:
    picture, other = drawn(33), drawn(34)
    picture[: picture.shape[0] // 2] = other[: picture.shape[0] // 2]
    assert all(one.markers < 4 for one in find_cards(picture))


def test_no_markers_no_card_though_the_colors_are_there() -> None:
    truth = scene(pitch_px=45.0)
    x, y = truth.centers.min(axis=0).astype(int) - 30
    right, bottom = truth.centers.max(axis=0).astype(int) + 30
    picture = np.full_like(truth.rgb, 128)
    picture[y:bottom, x:right] = truth.rgb[y:bottom, x:right]
    found = colorcal.detect_chart(picture)
    assert found is None or found.layout != "card"


def test_markers_alone_are_no_card() -> None:
    picture = drawn(5)
    left, top = (card.CENTERS_MM.min(axis=0) - 8) * PX_PER_MM
    right, bottom = (card.CENTERS_MM.max(axis=0) + 8) * PX_PER_MM
    picture[int(top) : int(bottom), int(left) : int(right)] = 90
    assert find_cards(picture)
    assert colorcal.detect_chart(picture) is None


def test_another_order_of_colors_is_no_card() -> None:
    assert colorcal.detect_chart(drawn(5, order=np.random.default_rng(0).permutation(24))) is None


def test_only_what_was_declared_is_looked_for() -> None:
    truth = scene(pitch_px=45.0)
    assert colorcal.detect_chart(truth.rgb, colorcal.DeclaredChart("passport")) is None
    assert colorcal.detect_chart(truth.rgb, colorcal.DeclaredChart("card")) is not None
    checker = render(Setup(width=960, height=640))
    assert colorcal.detect_chart(checker.rgb, colorcal.DeclaredChart("card")) is None


@pytest.mark.parametrize("layout", ["mini", "passport", "nano"])
def test_other_proportions_are_found_and_are_what_was_declared(layout: str) -> None:
    truth = render(Setup(layout=layout, pitch_px=40.0, rotation_deg=30.0, tilt_deg=25.0))
    undeclared = colorcal.detect_chart(truth.rgb)
    assert off_in_pitches(undeclared, truth) < 0.15
    assert undeclared is not None
    assert (undeclared.layout, undeclared.pitch_mm) == ("classic", None)
    declared = colorcal.detect_chart(truth.rgb, colorcal.DeclaredChart(layout, 12.0))
    assert declared is not None
    assert declared.layout == layout
    calibration = colorcal.calibrate(truth.rgb, declared)
    assert calibration is not None
    scale = calibration.report.scale_mm_per_px
    assert scale == pytest.approx(12.0 / 40.0, rel=0.12)


def test_track_follows_a_hand_and_keeps_what_is_known() -> None:
    truth = scene(rotation_deg=10.0, pitch_px=40.0)
    first = colorcal.detect_chart(truth.rgb)
    assert first is not None
    followed = colorcal.track_chart(np.roll(truth.rgb, (9, -14), axis=(0, 1)), first)
    assert followed is not None
    assert np.abs(followed.centers - first.centers - np.array((-14, 9))).max() < 2.0
    assert (followed.layout, followed.print_batch, followed.pitch_mm) == ("card", 7, (15.0, 15.0))
    assert colorcal.track_chart(np.full_like(truth.rgb, 120), first) is None


def test_a_card_that_was_printed_too_small_has_the_size_that_was_measured() -> None:
    truth = scene(rotation_deg=10.0, pitch_px=40.0)
    first = colorcal.detect_chart(truth.rgb, colorcal.DeclaredChart("card", 14.5))
    assert first is not None
    assert first.pitch_mm == (14.5, 14.5)
    followed = colorcal.track_chart(truth.rgb, first)
    assert followed is not None
    assert followed.pitch_mm == (14.5, 14.5)


def test_a_measured_batch_gives_a_scale_and_may_be_good() -> None:
    truth = scene(camera="bells 1", light="D55", pitch_px=45.0)
    calibration = colorcal.calibrate(truth.rgb, None, {7: from_spectra(7, measured(7))})
    assert calibration is not None
    report = calibration.report
    assert (report.layout, report.reference) == ("card", "consult card, batch 7, measured spectra")
    assert report.scale_mm_per_px == pytest.approx(15 / 45, rel=0.03)
    assert report.scale_mm_per_px is not None
    assert report.scale_low_mm_per_px is not None
    assert report.scale_high_mm_per_px is not None
    assert report.scale_low_mm_per_px < report.scale_mm_per_px < report.scale_high_mm_per_px
    assert report.grade is Grade.GOOD
    assert "never measured" not in report.words_en


def test_a_batch_that_nobody_measured_is_usable_at_most_and_says_why() -> None:
    truth = scene(camera="bells 1", light="D55", pitch_px=45.0)
    calibration = colorcal.calibrate(truth.rgb, None, {8: from_spectra(8, measured(8))})
    assert calibration is not None
    assert calibration.report.grade is not Grade.GOOD
    assert "never measured" in calibration.report.words_en
    assert "未经测量" in calibration.report.words_zh


def test_a_batch_cannot_be_read_where_there_is_none() -> None:
    homography = fit_homography(card.CENTERS_MM, card.CENTERS_MM * 5)
    assert homography is not None
    noise = np.random.default_rng(1).integers(0, 256, (480, 720, 3), dtype=np.uint8)
    assert read_batch(noise, homography) is None
    assert read_batch(np.full((480, 720, 3), 90, np.uint8), homography) is None
    assert read_batch(noise[:1, :1], homography) is None


PX_PER_MM = 6


def drawn(batch: int, order: NDArray[Any] | None = None) -> NDArray[np.uint8]:
    """The card itself, straight from its definition, on a grey ground."""
    inks: list[Floats] = list(card.ink_rgb(card.NOMINAL_LAB)[np.arange(24) if order is None else order])
    inks += [card.ink_rgb(card.FRAME_LAB), np.zeros(3)]
    size = (int(card.HEIGHT_MM * PX_PER_MM), int(card.WIDTH_MM * PX_PER_MM), 3)
    picture = np.full(size, 255, np.uint8)
    for one in card.rectangles(batch):
        left, top = round(one.left * PX_PER_MM), round(one.top * PX_PER_MM)
        right, bottom = round((one.left + one.width) * PX_PER_MM), round((one.top + one.height) * PX_PER_MM)
        color = np.ones(3) if one.width == card.MODULE_MM else inks[one.ink]
        picture[top:bottom, left:right] = np.round(color * 255)
    return picture
