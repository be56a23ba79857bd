"""Place and estimated wait in a specialist's waiting room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from signaling.waiting import SHORTEST_REST, TYPICAL_CALL, DayEntry, estimated_wait, position

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def waiting(name: str, since_min: float, scheduled_in_min: float = 0) -> DayEntry:
    return DayEntry(name, NOW + minutes(scheduled_in_min), NOW - minutes(since_min), None, None)


def in_call(name: str, since_min: float) -> DayEntry:
    return DayEntry(name, NOW, None, NOW - minutes(since_min), None)


def over(name: str, lasted_min: float) -> DayEntry:
    return DayEntry(name, NOW, None, None, minutes(lasted_min))


def test_first_come_first() -> None:
    day = [waiting("b", 2), waiting("a", 6), over("x", 5)]
    assert (position(day, "a"), position(day, "b"), position(day, "x")) == (1, 2, None)
    assert position(day, "nobody") is None


def test_alone_and_on_time_there_is_no_wait() -> None:
    assert estimated_wait([waiting("a", 3)], "a", NOW) == timedelta()


def test_nobody_is_called_before_the_agreed_time() -> None:
    assert estimated_wait([waiting("a", 3, scheduled_in_min=25)], "a", NOW) == minutes(25)


def test_the_rest_of_the_current_call_counts() -> None:
    day = [in_call("x", 4), waiting("a", 3), waiting("b", 1)]
    assert estimated_wait(day, "a", NOW) == TYPICAL_CALL - minutes(4)
    assert estimated_wait(day, "b", NOW) == TYPICAL_CALL - minutes(4) + TYPICAL_CALL


def test_a_call_over_its_time_is_still_not_over() -> None:
    assert estimated_wait([in_call("x", 50), waiting("a", 3)], "a", NOW) == SHORTEST_REST


def test_the_day_shows_how_long_calls_take() -> None:
    day = [over("x", 4), over("y", 20), over("z", 6), waiting("a", 9), waiting("b", 1)]
    assert estimated_wait(day, "b", NOW) == minutes(6)


def test_sent_back_in_ones_own_call() -> None:
    entry = DayEntry("a", NOW, NOW - minutes(1), NOW - minutes(5), None)
    assert estimated_wait([entry], "a", NOW) == timedelta()


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12))
def test_places_are_one_to_n_and_waits_follow_them(ages: list[int]) -> None:
    day = [waiting(f"c{number:02}", age) for number, age in enumerate(ages)]
    places = {entry.consultation_id: position(day, entry.consultation_id) for entry in day}
    assert sorted(place or 0 for place in places.values()) == list(range(1, len(day) + 1))
    by_place = sorted(places, key=lambda name: places[name] or 0)
    waits = [estimated_wait(day, name, NOW) or timedelta() for name in by_place]
    assert waits == sorted(waits)
