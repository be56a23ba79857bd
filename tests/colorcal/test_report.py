"""Reports: grades follow what was seen, and words say it in both languages."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import colorcal
from bench.color_scene.render import Setup, render
from colorcal.interface import CalibrationReport, ChartDetection, Grade


@cache
def report_of(setup: Setup) -> CalibrationReport:
    truth = render(setup)
    found = ChartDetection(truth.centers, 1.0, "classic", setup.pitch_px)
    calibration = colorcal.calibrate(truth.rgb, found)
    assert calibration is not None
    return calibration.report


PLAIN = Setup(camera="bells 1", light="D55", width=960, height=640, seed=2)


def test_a_good_picture() -> None:
    report = report_of(PLAIN)
    assert report.grade is Grade.GOOD
    assert report.residual_de00 < report.raw_de00
    assert report.residual_de00 < 2.5
    assert report.expected_de00_low <= report.expected_de00 <= report.expected_de00_high
    assert report.dropped_patches == ()
    assert report.clipped_patches == ()
    assert report.scale_mm_per_px is None
    assert "calibrated" in report.words_en
    assert "已校准" in report.words_zh


def test_covered_patches_are_named() -> None:
    report = report_of(replace(PLAIN, finger=True))
    assert set(report.dropped_patches) & {0, 5, 18, 23}
    assert str(len(report.dropped_patches)) in report.words_en
    assert "色块" in report.words_zh


def test_overexposure_is_named() -> None:
    report = report_of(replace(PLAIN, exposure=1.5))
    assert 18 in report.clipped_patches
    assert report.grade is not Grade.GOOD or len(report.clipped_patches) <= 3
    assert "overexposed" in report.words_en
    assert "过曝" in report.words_zh


def test_nonsense_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    truth = render(PLAIN)
    calibration = colorcal.calibrate(noise, ChartDetection(truth.centers * 0.5, 1.0, "classic", 25.0))
    assert calibration is not None
    assert calibration.report.grade is Grade.REFUSE
    assert "不可信" in calibration.report.words_zh


@pytest.mark.parametrize(("cast", "warm"), [((1.0, 1.0, 1.0), False), ((1.4, 1.0, 0.7), True)])
def test_illuminant_is_near_white_only_when_balanced(cast: tuple[float, float, float], warm: bool) -> None:
    report = report_of(replace(PLAIN, cast=cast))
    x, y = report.illuminant_xy
    distance = np.hypot(x - 0.3127, y - 0.3290)
    assert (distance > 0.02) == warm
    if not warm:
        assert report.illuminant_cct_k == pytest.approx(6504, rel=0.12)
