"""Over time: steady under noise, quick at a switched lamp, honest about age."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import colorcal
from bench.color_scene.render import Setup, render
from colorcal.interface import Grade
from colorcal.steady import SteadyCalibration, skin_difference


@cache
def calibration(light: str, shake: int = 0) -> colorcal.FittedCalibration:
    """One frame of a scene: same scene and hand, other noise and framing."""
    cast = (1.0, 1.0, 1.0) if light == "FL12" else (1.3, 1.0, 0.7)
    setup = Setup(light=light, camera="bells 1", width=960, height=640, seed=3, cast=cast)
    truth = render(replace(setup, noise=0.012))
    picture = np.roll(truth.rgb, (shake, 2 * shake), axis=(0, 1)).astype(np.int16)
    picture += np.random.default_rng(shake).normal(0, 3, picture.shape).round().astype(np.int16)
    found = colorcal.calibrate(np.clip(picture, 0, 255).astype(np.uint8))
    assert found is not None
    return found


def test_nothing_before_the_first() -> None:
    steady = SteadyCalibration()
    assert steady.update(None, 0.0) is None
    assert steady.age_s(1.0) is None
    assert not steady.outdated(1.0)


def test_noise_moves_nothing() -> None:
    steady = SteadyCalibration()
    parts, shown = [], []
    for i in range(10):
        parts.append(calibration("FL12", i))
        now = steady.update(parts[-1], i * 0.5)
        assert now is not None
        shown.append(now)
    assert max(skin_difference(a, b) for a, b in pairwise(parts)) > 0.05
    assert all(one is shown[0] for one in shown)


@cache
def drifted(step: int) -> colorcal.FittedCalibration:
    """White balance that has drifted by so many hundredths, the chart in view all the time."""
    cast = (1 + 0.01 * step, 1.0, 1 - 0.01 * step)
    setup = Setup(light="FL12", camera="bells 1", width=960, height=640, seed=3, cast=cast)
    found = colorcal.calibrate(render(setup).rgb)
    assert found is not None
    return found


def test_white_balance_that_drifts_in_view_of_the_chart_is_followed() -> None:
    """Never further behind than the error that the calibration expects of itself."""
    steady = SteadyCalibration()
    for step in range(12):
        shown = steady.update(drifted(step), 0.5 * step)
        assert shown is not None
        assert skin_difference(shown, drifted(step)) < shown.report.expected_de00
    assert skin_difference(drifted(0), drifted(11)) > 1.5 * drifted(11).report.expected_de00


def test_what_follows_a_drift_is_the_mean_of_the_newest_two() -> None:
    steady = SteadyCalibration()
    for step in (0, 6, 7):
        shown = steady.update(drifted(step), 0.5 * step)
    assert shown is not None
    mean = np.mean([drifted(step).lut(5).astype(float) for step in (6, 7)], axis=0)
    assert shown.lut(5) == pytest.approx(mean, abs=1.01)


def test_one_strange_frame_changes_nothing() -> None:
    steady = SteadyCalibration()
    shown = steady.update(calibration("FL12", 0), 0.0)
    assert steady.update(calibration("Incandescent", 0), 0.4) is shown
    assert steady.outdated(0.5)
    steady.update(calibration("FL12", 1), 0.8)
    assert not steady.outdated(0.9)


def test_a_switched_lamp_is_followed_within_two_seconds() -> None:
    steady = SteadyCalibration()
    for i in range(4):
        steady.update(calibration("FL12", i), i * 0.5)
    assert skin_difference(calibration("FL12", 0), calibration("Incandescent", 0)) > 3
    steady.update(calibration("Incandescent", 0), 2.0)
    shown = steady.update(calibration("Incandescent", 1), 2.5)
    assert shown is not None
    assert skin_difference(shown, calibration("Incandescent", 1)) < 1.5
    assert not steady.outdated(2.6)


def test_a_slow_tap_switches_at_once() -> None:
    steady = SteadyCalibration()
    steady.update(calibration("FL12", 0), 0.0)
    assert steady.update(calibration("Incandescent", 0), 5.0) is calibration("Incandescent", 0)


def test_chart_gone_keeps_the_last_with_its_age() -> None:
    steady = SteadyCalibration()
    shown = steady.update(calibration("FL12", 0), 10.0)
    assert steady.update(None, 30.0) is shown
    assert steady.age_s(30.0) == 20.0
    assert not steady.outdated(30.0)
    assert steady.outdated(100.0)


def test_a_refused_calibration_is_not_taken() -> None:
    good = calibration("FL12", 0)
    refused = colorcal.FittedCalibration(
        good.correction, replace(good.report, grade=Grade.REFUSE), good.detection
    )
    steady = SteadyCalibration()
    assert steady.update(refused, 0.0) is None
    assert steady.update(good, 1.0) is good
    assert steady.update(refused, 2.0) is good
