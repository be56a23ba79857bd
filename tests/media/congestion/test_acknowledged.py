"""The rate of what came, whatever the gaps, the clock and the lost feedback."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.acknowledged import MAX_PACKETS, WINDOW_S, AcknowledgedRate
from media.congestion.history import Result


def stream(bitrate_bps: float, seconds: float, begin_s: float = 1000.0, size: int = 1000) -> list[Result]:
    """Packets that come evenly."""
    interval_s = size * 8 / bitrate_bps
    return [(0.0, begin_s + n * interval_s, size, 0) for n in range(int(seconds / interval_s))]


def fed(rate: AcknowledgedRate, results: list[Result], batch: int = 5) -> None:
    """As messages tell it."""
    for at in range(0, len(results), batch):
        rate.update(results[at : at + batch])


def test_nothing_is_told_of_nothing_or_of_too_short_a_time() -> None:
    rate = AcknowledgedRate()
    assert rate.steady_bps() is None
    assert rate.recent_bps() is None
    rate.update([])
    assert rate.steady_bps() is None
    rate.update(stream(1e6, 0.05))
    assert rate.steady_bps() is None


@pytest.mark.parametrize("bitrate_bps", [50_000, 300_000, 1e6, 8e6])
def test_an_even_stream_is_measured(bitrate_bps: float) -> None:
    rate = AcknowledgedRate()
    fed(rate, stream(bitrate_bps, 3.0, size=250))
    assert rate.steady_bps() == pytest.approx(bitrate_bps, rel=0.1)
    assert rate.recent_bps() == pytest.approx(bitrate_bps, rel=0.1)


def test_the_recent_rate_follows_a_drop_first() -> None:
    rate = AcknowledgedRate()
    fed(rate, stream(2e6, 1.0))
    fed(rate, stream(5e5, 0.25, begin_s=1001.0))
    steady_bps, recent_bps = rate.steady_bps(), rate.recent_bps()
    assert steady_bps is not None
    assert recent_bps is not None
    assert recent_bps < 0.7e6 < steady_bps


def test_bytes_that_no_message_told_of_count_as_come() -> None:
    rate = AcknowledgedRate()
    results = stream(1e6, 2.0)
    for at in range(0, len(results), 10):
        rate.update(results[at + 5 : at + 10], unreported_bytes=5 * 1000)
    assert rate.steady_bps() == pytest.approx(1e6, rel=0.1)


@pytest.mark.parametrize("jump_s", [-3600.0, -6.0, 6.0, 3600.0])
def test_after_a_pause_or_a_step_of_the_clock_it_begins_anew(jump_s: float) -> None:
    rate = AcknowledgedRate()
    fed(rate, stream(2e6, 1.0))
    fed(rate, stream(4e5, 1.0, begin_s=1001.0 + jump_s))
    assert rate.steady_bps() == pytest.approx(4e5, rel=0.15)


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.integers(1, 1500)), max_size=60))
def test_no_times_make_it_fail_or_negative(arrivals: list[tuple[float, int]]) -> None:
    rate = AcknowledgedRate()
    for arrived_s, size in arrivals:
        rate.update([(0.0, arrived_s, size, 0)])
        for told in (rate.steady_bps(), rate.recent_bps()):
            assert told is None or told >= 0
        assert len(rate._arrivals) <= MAX_PACKETS


def test_memory_is_bounded_by_packets_too() -> None:
    rate = AcknowledgedRate()
    rate.update([(0.0, 1000 + n * WINDOW_S / 1e5, 100, 0) for n in range(10 * MAX_PACKETS)])
    assert len(rate._arrivals) <= MAX_PACKETS
