"""Trials of a picture towards a viewer that only says REMB."""

from __future__ import annotations

from media.congestion.retrial import MAX_REST_S, REST_S, TRIAL_S, Retrial

STEP_S = 0.1


def trials(seconds: float, allowed_bps: float, *, fails_after_s: float | None) -> list[tuple[float, float]]:
    """(begin, length) of each; the viewer's estimate falls that long after a trial's begin, or stays."""
    retrial, found, began_s = Retrial(), list[tuple[float, float]](), None
    for step in range(round(seconds / STEP_S)):
        now = 50.0 + step * STEP_S
        failing = began_s is not None and fails_after_s is not None and now - began_s >= fails_after_s
        if retrial.update(allowed_bps * (0.8 if failing else 1.0), began_s is None, now):
            began_s = now if began_s is None else began_s
        elif began_s is not None:
            found.append((began_s - 50.0, now - began_s))
            began_s = None
    return found


def test_nothing_is_tried_while_a_picture_is_sent() -> None:
    retrial = Retrial()
    assert not any(retrial.update(200_000, False, now) for now in range(100))


def test_it_tries_after_a_rest_that_doubles_and_ends_when_the_estimate_falls() -> None:
    found = trials(200.0, 100_000, fails_after_s=1.0)
    ends = [0.0, *(begin + length for begin, length in found)]
    rests = [begin - end for (begin, _), end in zip(found, ends, strict=False)]
    assert [round(rest) for rest in rests[:5]] == [REST_S, 2 * REST_S, 4 * REST_S, MAX_REST_S, MAX_REST_S]
    assert max(length for _, length in found) < 1.0 + 2 * STEP_S


def test_an_estimate_that_does_not_fall_is_given_time_to_grow() -> None:
    (first, *_) = trials(20.0, 100_000, fails_after_s=None)
    assert abs(first[1] - TRIAL_S) < 2 * STEP_S


def test_the_rest_is_short_again_after_a_picture_was_sent_for_long() -> None:
    retrial = Retrial()
    assert not retrial.update(1e5, True, 0.0)
    assert retrial.update(1e5, True, REST_S)
    assert not retrial.update(0.5e5, False, REST_S + 1)
    assert not retrial.update(1e6, False, REST_S + 2)
    late_s = REST_S + 2 + MAX_REST_S
    assert not retrial.update(1e5, True, late_s)
    assert retrial.update(1e5, True, late_s + REST_S)
