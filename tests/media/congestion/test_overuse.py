"""Overuse is a trend above the threshold for some time; the threshold follows what is usual."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.congestion.overuse import (
    MAX_THRESHOLD_MS,
    MIN_THRESHOLD_MS,
    OveruseDetector,
    Usage,
)


def fed(detector: OveruseDetector, slope: float, groups: int, begin_ms: float = 0.0) -> list[Usage]:
    """Groups 20 ms apart."""
    return [detector.update(slope, 60, 20.0, begin_ms + 20.0 * n) for n in range(groups)]


def test_level_delay_is_normal() -> None:
    assert set(fed(OveruseDetector(), 0.0, 100)) == {Usage.NORMAL}


def test_a_growing_queue_is_overuse_after_two_groups() -> None:
    usages = fed(OveruseDetector(), 0.2, 3)
    assert usages[0] is Usage.NORMAL
    assert usages[1] is Usage.OVERUSING


def test_a_shrinking_queue_is_underuse() -> None:
    assert fed(OveruseDetector(), -0.2, 2)[-1] is Usage.UNDERUSING


def test_a_trend_that_falls_is_no_new_overuse() -> None:
    detector = OveruseDetector()
    usages = [detector.update(0.3 - 0.01 * n, 60, 20.0, 20.0 * n) for n in range(10)]
    assert Usage.OVERUSING not in usages


def test_a_single_delta_says_nothing() -> None:
    assert OveruseDetector().update(10.0, 1, 20.0, 0.0) is Usage.NORMAL


def test_the_threshold_follows_noise_up_and_falls_back() -> None:
    detector = OveruseDetector()
    noise = 20.0 / 240  # a trend of 20 ms
    fed(detector, noise, 200)
    assert detector.threshold_ms > 18
    fed(detector, 0.0, 200, 4000.0)
    assert detector.threshold_ms == MIN_THRESHOLD_MS


def test_a_sudden_drop_does_not_move_it() -> None:
    detector = OveruseDetector()
    before_ms = detector.threshold_ms
    fed(detector, 1.0, 50)
    assert detector.threshold_ms == before_ms


def test_against_a_competitor_it_falls_slowly() -> None:
    alone, competing = OveruseDetector(), OveruseDetector()
    competing.competing = True
    fed(alone, 0.0, 10)
    fed(competing, 0.0, 10)
    assert alone.threshold_ms < competing.threshold_ms


steps = st.tuples(st.floats(-1e3, 1e3), st.integers(0, 1000), st.floats(0, 1e4), st.floats(-1e6, 1e6))


@given(st.lists(steps, max_size=60))
def test_the_threshold_keeps_its_range(updates: list[tuple[float, int, float, float]]) -> None:
    detector = OveruseDetector()
    for slope, deltas, sent_ms, at_ms in updates:
        detector.update(slope, deltas, sent_ms, at_ms)
        assert MIN_THRESHOLD_MS <= detector.threshold_ms <= MAX_THRESHOLD_MS
