"""Without a chart in view: drift, a lamp and exposure are noticed; a hand, noise and other skin are not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import colorcal
from bench.color_scene.render import Setup, Stage, render, set_stage
from colorcal.interface import LightChange
from colorcal.light_watch import LightWatch

SETUP = Setup(camera="bells 1", width=960, height=640, seed=3, exposure=0.6)
Frame = NDArray[np.uint8]


@cache
def calibration() -> colorcal.FittedCalibration:
    made = render(SETUP)
    found = colorcal.calibrate(made.rgb)
    assert found is not None
    return found


@cache
def stage() -> Stage:
    """What the camera sees after the chart has left."""
    return set_stage(SETUP, with_chart=False)


def shot(
    number: int, gains: tuple[float, float, float] = (1, 1, 1), exposure: float = 1.0, moved: int = 0
) -> Frame:
    there = stage()
    raw = np.roll(there.raw, (moved, -2 * moved), axis=(0, 1)) * np.float32(exposure)
    development = replace(there.development, gains=there.development.gains * gains)
    return replace(there, raw=raw, development=development).shoot(number)


def watched(frame: Callable[[int], Frame], looks: int = 20) -> list[LightChange | None]:
    watch = LightWatch()
    watch.calibrated(shot(1000))
    return [watch.look(frame(number), calibration()) for number in range(looks)]


def test_a_wandering_hand_changes_nothing() -> None:
    assert set(watched(lambda i: shot(i, moved=3 * i))) == {None}


def test_white_balance_that_drifts_slowly_is_noticed() -> None:
    said = watched(lambda i: shot(i, (1 + 0.01 * i, 1, 1 - 0.01 * i), moved=2 * i), 25)
    assert said[2] is None
    assert said[-1] is LightChange.COLOR


def test_a_switched_lamp_is_noticed_in_two_looks_and_stays_so() -> None:
    """Two looks are a second; the camera balances it away later, and the lamp is another one all the same."""
    said = watched(lambda i: shot(i, (1.25, 1, 0.75) if 5 <= i < 10 else (1, 1, 1)))
    assert said[:5] == [None] * 5
    assert said[6] is LightChange.COLOR
    assert said[-1] is LightChange.COLOR


def test_exposure_that_changes_is_noticed_and_that_comes_back_is_the_old_one() -> None:
    said = watched(lambda i: shot(i, exposure=0.6 if 5 <= i < 12 else 1.0))
    assert said[4] is None
    assert said[6] is LightChange.EXPOSURE
    assert said[-1] is None


def test_a_new_calibration_starts_afresh() -> None:
    watch = LightWatch()
    watch.calibrated(shot(0))
    for number in range(3):
        watch.look(shot(number, (1.3, 1, 0.7)), calibration())
    watch.calibrated(shot(9, (1.3, 1, 0.7)))
    assert watch.look(shot(10, (1.3, 1, 0.7)), calibration()) is None


@pytest.mark.parametrize("seed", [4, 5, 6, 7])
def test_another_view_says_nothing(seed: int) -> None:
    """A phone that has swung round shows other things: nothing can be told from them."""
    other = set_stage(replace(SETUP, seed=seed), with_chart=False)
    assert set(watched(lambda i: other.shoot(i) if i >= 5 else shot(i))) == {None}


def test_it_pickles_small_and_takes_any_picture() -> None:
    watch = LightWatch()
    assert watch.look(np.zeros((1, 1, 3), np.uint8), calibration()) is None
    watch.calibrated(shot(0))
    assert len(pickle.dumps(watch)) < 60_000
    assert watch.look(np.full((40, 900, 3), 255, np.uint8), calibration()) is None
