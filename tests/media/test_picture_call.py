"""What a viewer sees while its path changes, frame by frame."""

from __future__ import annotations

import statistics

import pytest

from media.interface import AdaptationLevel
from tests.media.picture_call import PictureCall
from tests.support.netem import Conditions

SEEDS = range(1, 17)
DROP_S = 12.0
"""The rate falls a little later with each seed: then each meets another picture on its way."""


def dropped(seed: int) -> tuple[PictureCall, float]:
    """A call whose path falls from 2 to 0.5 Mbit/s, and when."""
    at_s = DROP_S + 0.017 * seed
    schedule = [(0.0, Conditions(2e6, 0.05)), (at_s, Conditions(5e5, 0.05))]
    return PictureCall(schedule, seed).run(22.0), at_s


def test_a_drop_to_a_quarter_freezes_the_picture_for_less_than_half_a_second() -> None:
    calls = [dropped(seed) for seed in SEEDS]
    freezes_s = [call.longest_freeze_s(at_s, 22.0) for call, at_s in calls]
    assert statistics.median(freezes_s) < 0.45
    # What leaves before anybody can know may be too much for the path's queue: a lost picture needs a round
    # trip through that.
    assert max(freezes_s) < 0.75
    assert max(call.followed_after_s(at_s) for call, at_s in calls) < 2.0
    for call, at_s in calls:
        assert call.utilisation(at_s + 4, 22.0) > 0.7
        assert AdaptationLevel.AUDIO_ONLY not in {level for _, level in call.levels}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_megabit_with_two_percent_of_loss_shows_a_picture_that_moves(seed: int) -> None:
    call = PictureCall([(0.0, Conditions(1e6, 0.05, loss=0.02))], seed).run(32.0)
    assert call.utilisation(12.0, 32.0) > 0.85
    assert call.longest_freeze_s(12.0, 32.0) < 0.5


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("delay_s", [0.005, 0.05])
def test_after_a_busy_moment_an_ample_path_is_found(seed: int, delay_s: float) -> None:
    call = PictureCall([(0.0, Conditions(2e7, delay_s))], seed, busy_s=2.0).run(12.0)
    assert {level for at_s, level in call.levels if at_s > 8.0} == {AdaptationLevel.FULL}
    assert call.viewer.path.estimate.target_bps > 5e6
    assert call.viewer.path.direct
