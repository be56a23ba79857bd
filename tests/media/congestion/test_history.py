"""What was sent meets what the viewer says, once each, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from media.congestion.feedback import Arrivals
from media.congestion.history import CAPACITY, REORDER_S, SendHistory


def history(count: int, first: int = 0) -> SendHistory:
    """Packets of 100 bytes, one each 10 ms from second 1 on."""
    made = SendHistory()
    for n in range(count):
        made.sent(first + n, 100, 1.0 + n / 100)
    return made


def told(first: int, end: int, lost: Iterable[int] = ()) -> Arrivals:
    """All of [first, end) came half a second after it left, but those that are lost."""
    missing = set(lost)
    return Arrivals(first, end, [(n, 1.5 + n / 100) for n in range(first, end) if n not in missing], 0)


def test_results_are_what_was_sent_and_when_it_came() -> None:
    sent = history(3)
    sent.sent(3, 700, 1.03, cluster=9)
    joined = sent.join(told(2, 4))
    assert joined.results == [(1.02, 1.52, 100, 0), (1.03, 1.53, 700, 9)]
    assert (joined.newest_sent_s, sent.in_flight_bytes, sent.sent_bytes) == (1.03, 0, 1000)


def test_a_packet_counts_once() -> None:
    sent = history(4)
    assert len(sent.join(told(0, 3)).results) == 3
    assert len(sent.join(told(0, 4)).results) == 1
    assert sent.join(told(0, 4)).results == []


def test_what_is_missing_is_lost_once_later_ones_have_come() -> None:
    sent = history(20)
    joined = sent.join(told(0, 5, lost=(3,)))
    assert (joined.lost_packets, joined.lost_bytes) == (0, 0)
    joined = sent.join(told(5, 5 + int(REORDER_S * 100)))
    assert (joined.lost_packets, joined.lost_bytes) == (1, 100)
    assert sent.join(told(10, 20)).lost_packets == 0


def test_what_the_next_message_finds_is_not_lost() -> None:
    sent = history(20)
    sent.join(told(0, 5, lost=(3,)))
    joined = sent.join(told(3, 20))
    assert (len(joined.results), joined.lost_packets) == (16, 0)


def test_packets_of_a_lost_message_are_neither_come_nor_lost() -> None:
    sent = history(40)
    sent.join(told(0, 10))
    joined = sent.join(told(20, 40))
    assert (joined.unreported_bytes, joined.lost_packets, len(joined.results)) == (1000, 0, 20)


def test_bytes_in_flight_are_those_behind_the_newest_that_came() -> None:
    sent = history(10)
    assert sent.in_flight_bytes == 1000
    sent.join(told(0, 6, lost=(2,)))
    assert sent.in_flight_bytes == 400
    sent.join(told(2, 3))
    assert sent.in_flight_bytes == 400


def test_what_the_ring_has_forgotten_is_passed_over() -> None:
    sent = history(CAPACITY + 10)
    joined = sent.join(told(0, CAPACITY + 10))
    assert len(joined.results) == CAPACITY
    assert joined.lost_packets == 0


spans = st.lists(st.tuples(st.integers(-3000, 6000), st.integers(1, 3000), st.integers(0, 7)), max_size=12)


@given(st.integers(1, 5000), spans)
def test_no_message_makes_it_count_what_was_not_sent(
    count: int, messages: list[tuple[int, int, int]]
) -> None:
    sent = history(count)
    came = lost = 0
    for first, length, step in messages:
        missing = range(first, first + length, step) if step else ()
        joined = sent.join(told(first, first + length, missing))
        came += len(joined.results)
        lost += joined.lost_packets
        assert 0 <= sent.in_flight_bytes <= sent.sent_bytes
        assert joined.unreported_bytes <= 100 * CAPACITY
    assert came + lost <= min(count, CAPACITY)
    assert len(sent._missing) <= CAPACITY
