"""Packets that left together count as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.groups import MAX_REORDERED, ArrivalGroups
from media.congestion.history import Result


def result(sent_ms: float, arrived_ms: float) -> Result:
    return (sent_ms / 1e3, arrived_ms / 1e3, 1000, 0)


def test_deltas_are_between_last_packets_of_groups() -> None:
    groups = ArrivalGroups()
    packets = [(0, 50), (2, 53), (20, 72), (24, 75), (40, 90), (60, 110)]
    (first, second) = groups.update([result(*packet) for packet in packets])
    assert first == pytest.approx((22, 22, 75))
    assert second == pytest.approx((16, 15, 90))


def test_messages_may_cut_anywhere() -> None:
    packets = [result(7.0 * n, 50 + 7.5 * n) for n in range(40)]
    whole = ArrivalGroups().update(packets)
    groups = ArrivalGroups()
    assert [delta for packet in packets for delta in groups.update([packet])] == whole


def test_what_an_outage_held_back_is_one_group() -> None:
    groups = ArrivalGroups()
    held = [result(20 + 10 * n, 200 + 0.1 * n) for n in range(10)]
    deltas = groups.update([result(0, 50), *held, result(140, 240), result(160, 260)])
    assert deltas[0] == pytest.approx((110, 150.9, 200.9))


def test_a_clock_that_was_set_gives_no_delta() -> None:
    groups = ArrivalGroups()
    before = [result(20 * n, 50 + 20 * n) for n in range(4)]
    after = [result(20 * n, 50_000 + 20 * n) for n in range(4, 9)]
    deltas = groups.update(before + after)
    assert all(abs(delta.arrived_ms - delta.sent_ms) < 1 for delta in deltas)
    assert len(deltas) == 6


def test_groups_that_come_in_the_wrong_order_are_passed_over() -> None:
    groups = ArrivalGroups()
    packets = [(0, 50), (20, 70), (40, 60), (60, 110), (80, 130)]
    deltas = groups.update([result(*packet) for packet in packets])
    assert [delta.arrived_ms for delta in deltas] == pytest.approx([20, 40])
    # Only after some in a row is the new order believed.
    backwards = [result(100 + 20 * n, 100 - 10 * n) for n in range(MAX_REORDERED + 2)]
    groups.update(backwards)
    forwards = [result(300 + 20 * n, 100 + 20 * n) for n in range(4)]
    assert groups.update(forwards)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 1e9)), max_size=60))
def test_no_times_make_it_fail(times: list[tuple[float, float]]) -> None:
    deltas = ArrivalGroups().update([result(*pair) for pair in sorted(times)])
    assert all(delta.arrived_ms >= 0 and delta.sent_ms >= 0 for delta in deltas)
