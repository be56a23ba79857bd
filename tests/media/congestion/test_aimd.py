"""Increase and decrease of the delay-based rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.aimd import ABOVE_ACKNOWLEDGED_BPS, BETA, RateControl, RateState
from media.congestion.overuse import Usage

MIN_BPS, MAX_BPS = 30_000, 5e6


def control(start_bps: float = 1e6) -> RateControl:
    return RateControl(start_bps, MIN_BPS, MAX_BPS)


def grown(
    rate: RateControl, seconds: float, acknowledged_bps: float | None = None, begin_s: float = 0.0
) -> float:
    """The rate after a time without overuse, with feedback 20 times a second."""
    for n in range(int(seconds * 20) + 1):
        comes_bps = rate.bitrate_bps if acknowledged_bps is None else acknowledged_bps
        rate.update(Usage.NORMAL, comes_bps, begin_s + n / 20, comes_bps)
    return rate.bitrate_bps


def test_the_start_lies_within_the_bounds() -> None:
    assert control(1.0).bitrate_bps == MIN_BPS
    assert control(1e9).bitrate_bps == MAX_BPS


def test_far_from_convergence_it_grows_by_8_percent_a_second() -> None:
    assert grown(control(), 5.0) == pytest.approx(1e6 * 1.08**5, rel=0.01)


def test_near_what_the_path_carried_it_grows_by_a_packet_each_response_time() -> None:
    rate = control()
    rate.rtt_s = 0.1
    rate.update(Usage.OVERUSING, 1e6, 0.0, 1e6)
    assert rate.bitrate_bps == BETA * 1e6
    before_bps = rate.bitrate_bps
    # A frame of 30 kbit is four packets of 7.5 kbit; one each 200 ms.
    assert grown(rate, 2.0, 1e6, 0.05) - before_bps == pytest.approx(2 * 7500 / 0.2, rel=0.1)


def test_against_a_download_it_grows_as_that_does() -> None:
    rate = control()
    rate.competing = True
    rate.rtt_s = 0.2
    assert rate.additive_bps_per_s() == pytest.approx(1200 * 8 / 0.2**2)
    rate.rtt_s = 10.0
    assert rate.additive_bps_per_s() == 4000


def test_it_grows_no_further_than_what_comes_allows() -> None:
    assert grown(control(), 30.0, 4e5) == 1e6
    assert grown(control(5e5), 60.0, 4e5) == pytest.approx(1.5 * 4e5 + ABOVE_ACKNOWLEDGED_BPS)


def test_a_decrease_follows_what_the_bottleneck_passes_on() -> None:
    rate = control(2e6)
    rate.update(Usage.OVERUSING, 1.4e6, 1.0, 5e5)
    assert rate.bitrate_bps == BETA * 5e5
    assert (rate.decreased_s, rate.state) == (1.0, RateState.HOLD)


def test_one_decrease_a_round_trip_unless_far_off() -> None:
    rate = control(2e6)
    rate.rtt_s = 0.15
    rate.update(Usage.OVERUSING, 1.5e6, 1.0, 1.5e6)
    rate.update(Usage.OVERUSING, 1.2e6, 1.1, 1.2e6)
    assert rate.bitrate_bps == BETA * 1.5e6
    rate.update(Usage.OVERUSING, 4e5, 1.12, 4e5)
    assert rate.bitrate_bps == BETA * 4e5


def test_it_waits_while_queues_empty_and_goes_on_after() -> None:
    rate = control()
    rate.update(Usage.NORMAL, 1e6, 0.0, 1e6)
    before_bps = rate.bitrate_bps
    rate.update(Usage.UNDERUSING, 1e6, 1.0, 1e6)
    assert (rate.bitrate_bps, rate.state) == (before_bps, RateState.HOLD)
    rate.update(Usage.NORMAL, 1e6, 2.0, 1e6)
    assert rate.bitrate_bps > before_bps


def test_what_outgrows_the_known_capacity_is_said_once_seen() -> None:
    rate = control(4e5)
    rate.update(Usage.OVERUSING, 4e5, 0.0, 4e5)
    grown(rate, 0.5, 1.5e6, 0.1)
    assert rate.outgrown
    assert rate.capacity.mean_bps is None


def test_a_long_silence_is_no_long_growth() -> None:
    rate = control()
    rate.update(Usage.NORMAL, 1e6, 0.0, 1e6)
    rate.update(Usage.NORMAL, 1e6, 1000.0, 1e6)
    assert rate.bitrate_bps <= 1e6 * 1.08


usages = st.sampled_from(list(Usage))
rates = st.one_of(st.none(), st.floats(0, 1e10))


@given(st.lists(st.tuples(usages, rates, st.floats(0, 10), st.floats(0, 1e10)), max_size=60))
def test_it_stays_within_its_bounds_whatever_it_is_told(
    steps: list[tuple[Usage, float | None, float, float]],
) -> None:
    rate = control()
    now = 0.0
    for usage, acknowledged_bps, elapsed_s, draining_bps in steps:
        now += elapsed_s
        before_bps = rate.bitrate_bps
        rate.update(usage, acknowledged_bps, now, draining_bps)
        assert MIN_BPS <= rate.bitrate_bps <= MAX_BPS
        assert rate.bitrate_bps <= 1.2 * before_bps + 10_000
        if usage is Usage.OVERUSING:
            assert rate.bitrate_bps <= before_bps
