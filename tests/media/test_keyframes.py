"""One keyframe request per interval, repeated while one is wanted."""

from __future__ import annotations

import itertools

from media.keyframes import BACKED_OFF_S, INTERVAL_S, PATIENT_TRIES, KeyframeGate


def test_nothing_wanted_nothing_asked() -> None:
    assert not KeyframeGate().due(0.0)


def test_many_wishes_are_one_request() -> None:
    gate = KeyframeGate()
    for _ in range(10):
        gate.want()
    assert gate.due(0.0)
    gate.want()
    assert not gate.due(0.1)


def test_it_repeats_until_a_keyframe_comes() -> None:
    gate = KeyframeGate()
    gate.want()
    assert [gate.due(0.25 * tick) for tick in range(5)] == [True, False, True, False, True]
    gate.came()
    assert not gate.due(10.0)


def test_a_new_wish_soon_after_a_keyframe_waits_for_the_interval() -> None:
    gate = KeyframeGate()
    gate.want()
    assert gate.due(0.0)
    gate.came()
    gate.want()
    assert not gate.due(INTERVAL_S - 0.01)
    assert gate.due(INTERVAL_S)


def test_a_mute_source_is_asked_less_often_until_somebody_wants_anew() -> None:
    gate = KeyframeGate()
    gate.want()
    times = [0.01 * tick for tick in range(4000) if gate.due(0.01 * tick)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps[: PATIENT_TRIES - 1]) < INTERVAL_S + 0.02
    assert min(gaps[PATIENT_TRIES:]) >= BACKED_OFF_S - 0.02
