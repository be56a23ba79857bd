"""The slope of the delay."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.groups import GroupDelta
from media.congestion.trendline import SMOOTHING, WINDOW, Trendline


def slope(growth: float, groups: int = 200, noise_ms: float = 0.0) -> float:
    """After groups 20 ms apart whose delay grows by so many ms each ms."""
    seeded = random.Random(5)
    line = Trendline()
    for n in range(groups):
        arrived_ms = 20 * (1 + growth) + seeded.gauss(0, noise_ms)
        line.update(GroupDelta(20.0, arrived_ms, 20.0 * (1 + growth) * n))
    return line.slope


def test_it_says_nothing_before_the_window_is_full() -> None:
    assert slope(0.5, WINDOW - 1) == 0.0
    assert slope(0.5, WINDOW) > 0.0


@pytest.mark.parametrize("growth", [-0.2, 0.0, 0.1, 0.5])
def test_it_is_the_growth_of_the_delay(growth: float) -> None:
    # On the viewer's clock, which runs through 1 + growth while ours runs through 1.
    assert slope(growth) == pytest.approx(growth / (1 + growth), abs=0.005)


def test_it_is_the_regression_over_the_window_for_hours() -> None:
    seeded = random.Random(6)
    line = Trendline()
    points: list[tuple[float, float]] = []
    accumulated_ms = smoothed_ms = 0.0
    at_ms = 9e6
    for n in range(5000):
        arrived_ms = 20 + seeded.gauss(0.01, 4)
        at_ms += max(arrived_ms, 0.0) * 50
        line.update(GroupDelta(20.0, arrived_ms, at_ms))
        accumulated_ms += arrived_ms - 20.0
        smoothed_ms = SMOOTHING * smoothed_ms + (1 - SMOOTHING) * accumulated_ms
        points = [*points[1 - WINDOW :], (at_ms, smoothed_ms)]
        if n % 50 == 49:
            expected = statistics.linear_regression(*zip(*points, strict=True)).slope
            assert line.slope == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_jitter_alone_has_a_small_slope() -> None:
    assert abs(slope(0.0, 400, noise_ms=3.0)) < 0.03


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(-1e6, 1e6)), max_size=60))
def test_no_deltas_make_it_fail(deltas: list[tuple[float, float, float]]) -> None:
    line = Trendline()
    for delta in deltas:
        line.update(GroupDelta(*delta))
    assert line.slope == line.slope  # never NaN
