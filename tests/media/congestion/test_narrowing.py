"""A path that has just become narrow, told from one that jitters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.history import Result
from media.congestion.narrowing import WINDOW_S, Narrowing
from tests.support.netem import Conditions, Path

SIZE = 1000
BASE_S = 1000.05


def told(conditions: list[tuple[float, Conditions]], rate_bps: float, until_s: float) -> list[list[Result]]:
    """What messages every 50 ms tell of packets at an even rate."""
    path = Path(conditions, 1)
    messages: list[list[Result]] = [[] for _ in range(int(until_s / 0.05) + 100)]
    for n in range(int(until_s * rate_bps / 8 / SIZE)):
        sent_s = n * 8 * SIZE / rate_bps
        delivery = path.send(SIZE, sent_s)
        if delivery is not None and delivery.arrived_s is not None:
            arrived_s = delivery.arrived_s
            messages[int(arrived_s / 0.05)].append((sent_s, arrived_s + 1000.0, SIZE, 0))
    return [message for message in messages if message]


def test_a_drop_is_seen_within_a_tenth_of_a_second_with_the_rate_that_is_left() -> None:
    narrowing = Narrowing()
    seen: list[tuple[float, float | None]] = []
    for message in told([(0.0, Conditions(2e6, 0.05)), (2.0, Conditions(5e5, 0.05))], 1.6e6, 2.5):
        narrowing.update(message, BASE_S)
        if narrowing.is_narrow:
            seen.append((message[-1][1] - 1000.05, narrowing.passing_bps))
    arrived_s, passing_bps = seen[0]
    assert 2.0 < arrived_s < 2.15
    assert passing_bps == pytest.approx(5e5, rel=0.1)


@pytest.mark.parametrize("jitter_s", [0.0, 0.005, 0.02])
@pytest.mark.parametrize("rate_bps", [3e5, 1e6, 3e6])
def test_jitter_is_none(jitter_s: float, rate_bps: float) -> None:
    narrowing = Narrowing()
    found = 0
    messages = told([(0.0, Conditions(4e6, 0.05, jitter_s=jitter_s))], rate_bps, 60.0)
    for message in messages:
        narrowing.update(message, BASE_S)
        found += narrowing.is_narrow
    assert found <= len(messages) / 200


def test_packets_that_were_held_up_and_come_at_once_are_none() -> None:
    narrowing = Narrowing()
    burst: list[Result] = [(n / 100, BASE_S + 0.2 + n / 1e4, SIZE, 0) for n in range(20)]
    narrowing.update(burst, BASE_S)
    assert not narrowing.is_narrow
    assert not narrowing.rises


def test_a_queue_that_stands_or_falls_is_none() -> None:
    narrowing = Narrowing()
    for wait_s in (0.2, 0.15):
        held: list[Result] = [(n / 100, BASE_S + n / 100 + wait_s, SIZE, 0) for n in range(10)]
        narrowing.update(held, BASE_S)
        assert not narrowing.is_narrow
        assert narrowing.passing_bps == pytest.approx(8e5)


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.integers(1, 1500)), max_size=40))
def test_no_times_make_it_fail(results: list[tuple[float, float, int]]) -> None:
    narrowing = Narrowing()
    seeded = random.Random(len(results))
    for sent_s, arrived_s, size in results:
        narrowing.update([(sent_s, arrived_s, size, 0)], seeded.uniform(-1e5, 1e5))
        assert narrowing.passing_bps is None or narrowing.passing_bps >= 0
        run = narrowing._run
        assert not run or run[-1][0] - run[0][0] <= WINDOW_S
