"""The soak's judge: sees growth of memory and of tables, and is not alarmed by what comes and goes."""

from __future__ import annotations

from collections.abc import Callable

from bench.soak_judge import Sample, judge


def samples(memory: Callable[[int], float], table: Callable[[int], float] = lambda n: 70) -> list[Sample]:
    return [
        Sample(10.0 * n, int(memory(n)), {"participants": 72, "missing": int(table(n))}) for n in range(40)
    ]


def verdict(
    found: list[Sample], without_picture: int = 0, lost: int = 1000, recovered: int = 990
) -> list[str]:
    return judge(found, 0.3, without_picture, lost, recovered)


def test_steady_is_good() -> None:
    assert verdict(samples(lambda n: 90e6 + n % 3 * 500_000, lambda n: 20 + n % 7)) == []


def test_growth_before_the_end_of_the_warm_up_is_good() -> None:
    assert verdict(samples(lambda n: min(90e6, 60e6 + n * 3e6))) == []


def test_a_leak_of_memory_is_seen() -> None:
    (fault,) = verdict(samples(lambda n: 90e6 + n * 400_000))
    assert "memory grew" in fault


def test_a_table_that_grows_is_seen() -> None:
    (fault,) = verdict(samples(lambda n: 90e6, lambda n: 10 * n))
    assert "missing grew" in fault


def test_a_table_that_appears_late_is_seen() -> None:
    found = samples(lambda n: 90e6)
    late = [Sample(s.at_s, s.resident_bytes, {**s.tables, "new": 500}) for s in found[26:]]
    assert verdict(found[:26] + late) == ["new grew from 0 to 500"]


def test_a_viewer_without_a_picture_is_seen() -> None:
    assert verdict(samples(lambda n: 90e6), without_picture=1) == ["1 viewers saw no picture in time"]


def test_loss_must_have_been_and_must_have_been_mended() -> None:
    steady = samples(lambda n: 90e6)
    assert verdict(steady, lost=0, recovered=0) == ["nothing was lost, so recovery was not tried"]
    assert verdict(steady, lost=100, recovered=50) == ["of 100 lost packets only 50 came again"]


def test_too_short_a_soak_is_no_proof() -> None:
    (fault,) = verdict(samples(lambda n: 90e6)[:7])
    assert "soak longer" in fault
