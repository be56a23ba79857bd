"""What a publisher may send at most."""

from __future__ import annotations

from media.policer import BURST_S, TOLERANCE, Policer


def admitted(policer: Policer, rate_bps: float, begin_s: float, seconds: float) -> float:
    """Share of packets of 1000 bytes at a rate that are admitted."""
    count = int(rate_bps / 8000 * seconds)
    return sum(policer.admit(1000, begin_s + 8000 * index / rate_bps) for index in range(count)) / count


def test_what_was_told_and_a_probe_above_it_pass() -> None:
    policer = Policer()
    policer.set_rate(1_000_000)
    assert admitted(policer, 1_000_000, 0.0, 60.0) == 1.0
    assert admitted(policer, 2_000_000, 60.0, 60.0) == 1.0


def test_ten_times_as_much_is_cut_to_the_tolerance() -> None:
    policer = Policer()
    policer.set_rate(1_000_000)
    share = admitted(policer, 10_000_000, 0.0, 60.0)
    assert abs(share - (TOLERANCE / 10) * (1 + BURST_S / 60)) < 0.01
    # Later it may send as before.
    assert admitted(policer, 1_000_000, 61.0, 10.0) == 1.0


def test_who_publishes_nothing_may_send_a_little() -> None:
    policer = Policer()
    assert policer.admit(1000, 5.0)
    assert admitted(policer, 10_000_000, 5.0, 10.0) < 0.1


def test_a_clock_that_stands_still_gives_nothing() -> None:
    policer = Policer()
    policer.set_rate(8_000_000)
    assert sum(policer.admit(1000, 1.0) for _ in range(10_000)) == TOLERANCE * BURST_S * 1000
