"""What a cluster of packets measures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.history import Result
from media.congestion.probe_rates import MAX_CLUSTERS, TARGET_UTILISATION, ProbeRates
from media.congestion.probing import ProbeCluster

CLUSTER = ProbeCluster(7, 2e6, 5, 3750)


def cluster(sent_bps: float, received_bps: float, packets: int = 5, size: int = 1000) -> list[Result]:
    return [(1 + n * size * 8 / sent_bps, 9 + n * size * 8 / received_bps, size, 7) for n in range(packets)]


def measured(results: list[Result]) -> float | None:
    rates = ProbeRates()
    rates.expect(CLUSTER)
    return rates.update(results)


def test_a_path_that_keeps_up_measures_what_was_sent() -> None:
    assert measured(cluster(2e6, 2.1e6)) == pytest.approx(2e6)
    assert measured(cluster(2e6, 1.9e6)) == pytest.approx(1.9e6)


def test_a_full_path_measures_a_little_less_than_came() -> None:
    assert measured(cluster(2e6, 1e6)) == pytest.approx(TARGET_UTILISATION * 1e6)


def test_too_few_or_too_small_packets_measure_nothing() -> None:
    assert measured(cluster(2e6, 2e6, packets=3)) is None
    assert measured(cluster(2e6, 2e6, packets=6, size=200)) is None


def test_what_was_held_up_and_let_go_measures_nothing() -> None:
    assert measured(cluster(2e6, 5e6)) is None
    assert measured([(1.0 + n * 0.004, 9.0, 1000, 7) for n in range(5)]) is None
    assert measured(cluster(2e6, 2e4)) is None


def test_packets_may_be_told_of_in_any_order_and_message() -> None:
    rates = ProbeRates()
    rates.expect(CLUSTER)
    packets = cluster(2e6, 2e6)
    assert rates.update([packets[3], packets[0]]) is None
    assert rates.update([packets[1], packets[4], packets[2]]) == pytest.approx(2e6)


def test_other_packets_and_unknown_clusters_are_passed_over() -> None:
    rates = ProbeRates()
    assert rates.update(cluster(2e6, 2e6)) is None
    rates.expect(CLUSTER)
    assert rates.update([(1.0, 9.0, 1000, 0)] * 20) is None


def test_only_the_last_clusters_are_waited_for() -> None:
    rates = ProbeRates()
    rates.expect(CLUSTER)
    for number in range(8, 8 + MAX_CLUSTERS):
        rates.expect(ProbeCluster(number, 2e6, 5, 3750))
    assert rates.update(cluster(2e6, 2e6)) is None


times = st.tuples(st.floats(0, 1e5), st.floats(-1e6, 1e6), st.integers(1, 1500), st.just(7))


@given(st.lists(times, max_size=30))
def test_no_times_make_it_fail_or_measure_more_than_was_sent(results: list[Result]) -> None:
    rate = measured(results)
    assert rate is None or rate > 0
