"""Transport-wide feedback: every arrival is told once and in time, whatever the order, loss and gaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, twcc
from media.twcc import ArrivalRecorder


def told(messages: list[bytes]) -> tuple[dict[int, int], int]:
    """({sequence number: arrival in us}, packets covered) of some feedback messages."""
    arrivals: dict[int, int] = {}
    covered = 0
    for message in messages:
        assert len(message) < 1400
        (feedback,) = rtcp.parse(message)
        assert isinstance(feedback, rtcp.TransportFeedback)
        assert (feedback.sender_ssrc, feedback.media_ssrc) == (1, 2)
        first, count, found = twcc.decode(feedback.body)
        covered += count
        arrivals.update({(first + offset) & 0xFFFF: at for offset, at in found.items()})
    return arrivals, covered


def test_known_bytes() -> None:
    recorder = ArrivalRecorder()
    recorder.received(10, 64_000)
    recorder.received(11, 65_000)
    recorder.received(13, 64_500)
    (message,) = recorder.feedback(1, 2)
    (feedback,) = rtcp.parse(message)
    assert isinstance(feedback, rtcp.TransportFeedback)
    # base 10, four statuses, reference 1 x 64 ms, count 0; vector small, small, lost, large.
    assert feedback.body[:8] == bytes.fromhex("000a0004 00000100")
    assert feedback.body[8:10] == (0b11 << 14 | 1 << 12 | 1 << 10 | 0 << 8 | 2 << 6).to_bytes(2, "big")
    assert feedback.body[10:14] == b"\x00\x04" + (-2).to_bytes(2, "big", signed=True)
    assert recorder.feedback(1, 2) == []


def test_losses_between_messages_are_told_by_the_next() -> None:
    recorder = ArrivalRecorder()
    recorder.received(1, 1_000_000)
    told(recorder.feedback(1, 2))
    recorder.received(5, 1_010_000)
    arrivals, covered = told(recorder.feedback(1, 2))
    assert (set(arrivals), covered) == ({5}, 4)


def test_a_late_packet_is_told_again_with_what_followed() -> None:
    recorder = ArrivalRecorder()
    for number in (1, 2, 4, 5):
        recorder.received(number, 1_000_000 + 1000 * number)
    told(recorder.feedback(1, 2))
    recorder.received(3, 1_050_000)
    arrivals, _ = told(recorder.feedback(1, 2))
    assert arrivals == {3: 1_050_000, 4: 1_004_000, 5: 1_005_000}


def test_a_new_numbering_and_very_old_packets() -> None:
    recorder = ArrivalRecorder()
    recorder.received(100, 1_000_000)
    told(recorder.feedback(1, 2))
    recorder.received(30_000, 1_100_000)
    arrivals, covered = told(recorder.feedback(1, 2))
    assert (set(arrivals), covered) == ({30_000}, 1)
    recorder.received(20_000, 1_200_000)
    assert recorder.feedback(1, 2) == []


def test_feedback_counts_its_messages() -> None:
    recorder = ArrivalRecorder()
    counts = []
    for number in range(300):
        recorder.received(number, 1000 * number)
        (message,) = recorder.feedback(1, 2)
        counts.append(message[4 + 8 + 7])
    assert counts == [n & 0xFF for n in range(300)]


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(-20_000, 200_000), st.booleans()), min_size=1, max_size=400
    ),
    st.integers(0, 65535),
)
def test_every_arrival_is_told(packets: list[tuple[int, int, bool]], start: int) -> None:
    recorder = ArrivalRecorder()
    expected: dict[int, int] = {}
    heard: dict[int, int] = {}
    at_us, number = 10_000_000, start
    for step, elapsed_us, flush in packets:
        number += step
        at_us = max(0, at_us + elapsed_us)
        recorder.received(number & 0xFFFF, at_us)
        expected[number & 0xFFFF] = at_us
        if flush:
            heard.update(told(recorder.feedback(1, 2))[0])
    heard.update(told(recorder.feedback(1, 2))[0])
    assert heard.keys() == expected.keys()
    for sequence, arrived_us in expected.items():
        assert 0 <= arrived_us - heard[sequence] < twcc.DELTA_US


def rtcp_body(message: bytes) -> bytes:
    """The body of a feedback message."""
    (feedback,) = rtcp.parse(message)
    assert isinstance(feedback, rtcp.TransportFeedback)
    return feedback.body


def test_memory_is_bounded() -> None:
    recorder = ArrivalRecorder()
    for number in range(200_000):
        recorder.received(number & 0xFFFF, number)
        if number % 1000 == 0:
            recorder.feedback(1, 2)
    assert len(recorder) <= 2 * twcc.MAX_STATUSES


def test_memory_is_bounded_between_two_reports() -> None:
    recorder = ArrivalRecorder()
    for number in range(60_000):
        recorder.received(number, number)
    assert len(recorder) == twcc.MAX_HELD
    heard = twcc.decode(rtcp_body(recorder.feedback(1, 2)[-1]))
    assert heard[0] + heard[1] == 60_000


@given(st.binary(max_size=60))
def test_any_body_is_decoded_or_refused(body: bytes) -> None:
    try:
        twcc.decode(body)
    except rtcp.MalformedRtcp:
        return


def test_one_bit_vectors_and_runs_are_read() -> None:
    head = bytes.fromhex("0001 0010 000001 00")
    body = head + (0x8000 | 1 << 13).to_bytes(2, "big") + (1 << 13 | 2).to_bytes(2, "big") + b"\x01\x02\x03"
    first, total, arrivals = twcc.decode(body)
    assert (first, total, sorted(arrivals)) == (1, 16, [0, 14, 15])
    with pytest.raises(rtcp.MalformedRtcp):
        twcc.decode(head + b"\x20\x00")
