"""A queue that does not go away belongs to somebody else."""

from __future__ import annotations

from media.congestion.competition import MEMORY_S, MIN_TIME_S, Competition


def followed(
    competition: Competition, standing_ms: float, begin_s: float, seconds: float, decreased_s: float | None
) -> bool:
    """A message each 50 ms."""
    for n in range(int(seconds * 20)):
        competition.update(standing_ms, decreased_s, 0.1, begin_s + n / 20)
    return competition.present


def test_an_empty_queue_and_one_that_we_have_not_tried_to_drain_are_ours() -> None:
    assert not followed(Competition(), 5.0, 0.0, 20.0, 1.0)
    assert not followed(Competition(), 200.0, 0.0, 20.0, None)


def test_a_queue_that_stands_though_we_send_less_is_anothers() -> None:
    competition = Competition()
    assert not followed(competition, 100.0, 0.0, MIN_TIME_S, 0.5)
    assert followed(competition, 100.0, MIN_TIME_S, 2.0, 0.5)


def test_one_that_empties_in_time_is_ours() -> None:
    competition = Competition()
    followed(competition, 100.0, 0.0, 1.5, 0.2)
    followed(competition, 5.0, 1.5, 0.2, 0.2)
    assert not followed(competition, 100.0, 1.7, 1.5, 1.8)


def test_it_is_tested_again_and_forgotten_when_the_queue_empties() -> None:
    competition = Competition()
    assert followed(competition, 100.0, 0.0, 4.0, 0.5)
    begin_s = 4.0
    while not competition.testing:
        followed(competition, 100.0, begin_s, 0.05, 0.5)
        begin_s += 0.05
        assert begin_s < 4.0 + MEMORY_S
    assert not competition.present
    followed(competition, 3.0, begin_s, 0.5, 0.5)
    assert (competition.present, competition.testing) == (False, False)


def test_one_that_still_stands_in_the_test_is_there_again() -> None:
    competition = Competition()
    followed(competition, 100.0, 0.0, 4.0 + MEMORY_S, 0.5)
    assert followed(competition, 100.0, 4.0 + MEMORY_S, MIN_TIME_S + 0.2, 0.5)
