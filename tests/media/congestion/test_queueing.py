"""Waits on the path from times of two clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.history import Result
from media.congestion.queueing import BASE_WINDOW_S, JUMPS_BELIEVED, PathDelay

OFFSET_S = -5e5


def told(
    delay: PathDelay, now: float, waits_ms: tuple[float, ...], offset_s: float = OFFSET_S, **others: bool
) -> bool:
    """Packets over 50 ms of path that waited so long, told of 50 ms later."""
    results: list[Result] = [
        (now - 0.1, now - 0.05 + offset_s + wait_ms / 1e3, 1000, 0) for wait_ms in waits_ms
    ]
    return delay.update(results, now - 0.1, now, **others)


def test_clocks_cancel() -> None:
    delay = PathDelay()
    assert not told(delay, 1.0, ())
    told(delay, 1.0, (0.0, 4.0))
    told(delay, 1.1, (20.0, 30.0))
    assert delay.standing_ms == pytest.approx(20, abs=1e-3)
    assert delay.mean_ms == pytest.approx(25, abs=1e-3)
    assert delay.rtt_s == pytest.approx(0.1)
    assert delay.min_rtt_s == pytest.approx(0.1)


def test_the_round_trip_is_smoothed() -> None:
    delay = PathDelay()
    told(delay, 1.0, (0.0,))
    delay.update([(1.0, 1.05 + OFFSET_S, 1000, 0)], 1.0, 1.9)
    assert delay.rtt_s == pytest.approx(0.1 + 0.8 / 8)
    assert delay.min_rtt_s == pytest.approx(0.1)


def test_drift_ages_out() -> None:
    delay = PathDelay()
    for n in range(2000):
        told(delay, 1.0 + n / 10, (0.0,), OFFSET_S + 100e-6 * n / 10)
        assert delay.standing_ms <= 100e-6 * BASE_WINDOW_S * 1e3 + 0.1


def test_a_longer_route_becomes_the_base_unless_somebody_fills_the_queue() -> None:
    alone, competing = PathDelay(), PathDelay()
    for delay, present in ((alone, False), (competing, True)):
        told(delay, 1.0, (0.0,))
        for n in range(300):
            told(delay, 2.0 + n / 10, (100.0,), competing=present)
    assert alone.standing_ms == pytest.approx(0, abs=1e-3)
    assert competing.standing_ms == pytest.approx(100, abs=1e-3)


@pytest.mark.parametrize("jump_s", [-1e4, 30.0])
def test_a_clock_that_was_set_is_believed_after_some_messages(jump_s: float) -> None:
    delay = PathDelay()
    told(delay, 1.0, (0.0,))
    believed = [told(delay, 1.1 + n / 10, (0.0,), OFFSET_S + jump_s) for n in range(JUMPS_BELIEVED)]
    assert believed == [False] * (JUMPS_BELIEVED - 1) + [True]
    assert delay.standing_ms == 0.0
    assert delay.learned_s > 1.0


def test_a_single_forged_time_is_not() -> None:
    delay = PathDelay()
    told(delay, 1.0, (0.0,))
    assert not told(delay, 1.1, (0.0,), OFFSET_S - 100.0)
    assert told(delay, 1.2, (10.0,))
    assert delay.standing_ms == pytest.approx(10, abs=1e-3)


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e7, 1e7), st.floats(0, 5)), max_size=40))
def test_waits_are_never_negative(messages: list[tuple[float, float, float]]) -> None:
    delay = PathDelay()
    now = 0.0
    for sent_s, arrived_s, elapsed_s in messages:
        now += elapsed_s
        delay.update([(sent_s, arrived_s, 100, 0)], sent_s, now)
        assert delay.standing_ms >= 0
        assert delay.rtt_s is None or delay.rtt_s >= 0
