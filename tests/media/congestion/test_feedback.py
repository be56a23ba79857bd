"""A viewer's feedback is read as it was written, its short counters go on for ever, and damage is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, twcc
from media.congestion.feedback import TICK_S, Arrivals, FeedbackReader
from media.rtcp import MalformedRtcp
from media.twcc import ArrivalRecorder


def bodies(recorder: ArrivalRecorder) -> list[bytes]:
    """Bodies of the messages that are due."""
    found = []
    for message in recorder.feedback(1, 2):
        (packet,) = rtcp.parse(message)
        assert isinstance(packet, rtcp.TransportFeedback)
        found.append(packet.body)
    return found


def message(first: int, reference: int = 0, count: int = 0, statuses: int = 1) -> bytes:
    """One that says of so many packets that they came at the reference time."""
    head = struct.pack("!HHI", first & 0xFFFF, statuses, (reference & 0xFFFFFF) << 8 | count & 0xFF)
    return head + struct.pack("!H", 1 << 13 | statuses) + bytes(statuses)


def test_it_reads_what_the_recorder_writes() -> None:
    recorder, reader = ArrivalRecorder(), FeedbackReader()
    arrivals = {65_530 + n: 5_000_000 + 1_250 * n for n in range(30) if n not in (3, 4, 17)}
    for sequence, arrived_us in arrivals.items():
        recorder.received(sequence & 0xFFFF, arrived_us)
    (body,) = bodies(recorder)
    read = reader.read(body, 65_560)
    assert (read.first, read.end, read.missed) == (65_530, 65_560, 0)
    assert {sequence: round(at * 1e6) for sequence, at in read.received} == arrivals


gaps = st.lists(st.tuples(st.integers(1, 400), st.integers(-400_000, 2_000_000)), min_size=1, max_size=50)


@given(gaps)
def test_both_readers_agree(steps: list[tuple[int, int]]) -> None:
    recorder, reader = ArrivalRecorder(), FeedbackReader()
    sequence, arrived_us = 1000, 50_000_000
    for step, elapsed_us in steps:
        sequence += step
        arrived_us = max(0, arrived_us + elapsed_us)
        recorder.received(sequence & 0xFFFF, arrived_us)
    for body in bodies(recorder):
        first, total, found = twcc.decode(body)
        read = reader.read(body, sequence)
        assert (read.first & 0xFFFF, read.end - read.first) == (first, total)
        assert [(n - read.first, round(at / TICK_S)) for n, at in read.received] == [
            (offset, at // 250) for offset, at in sorted(found.items())
        ]


def test_numbers_follow_what_was_sent() -> None:
    reader = FeedbackReader()
    assert reader.read(message(0xFFFF), 3 * 0x10000 + 2).first == 3 * 0x10000 - 1
    assert reader.read(message(2), 3 * 0x10000 + 2).first == 3 * 0x10000 + 2
    assert reader.read(message(5), 2).first == 5 - 0x10000


def test_times_go_on_over_the_wrap_of_12_days() -> None:
    reader = FeedbackReader()
    times = [
        reader.read(message(n, reference), 100).received[0][1]
        for n, reference in enumerate((0xFFFFFE, 0xFFFFFF, 0, 1, 0xFFFFFF, 2))
    ]
    steps = [round((at - times[0]) / 0.064) for at in times]
    assert steps == [0, 1, 2, 3, 1, 4]


def test_lost_messages_are_counted_and_late_ones_are_not() -> None:
    reader = FeedbackReader()
    missed = [reader.read(message(n, n, count), 100).missed for n, count in enumerate((254, 255, 2, 1, 3))]
    assert missed == [0, 0, 2, 0, 0]


def test_every_kind_of_chunk() -> None:
    head = struct.pack("!HHI", 10, 26, 0)
    one_bit = 0x8000 | 0b10000000000001  # the first and the last of 14
    two_bits = 0xC000 | 1 << 12 | 2 << 10  # small, large, and five lost
    run = 2 << 13 | 5  # five large ones
    body = head + struct.pack("!HHH", one_bit, two_bits, run) + b"\x04\x04\x04"
    body += struct.pack("!6h", -4, 400, 0, 0, 0, 0)
    read = FeedbackReader().read(body, 100)
    assert [(n, round(at / TICK_S)) for n, at in read.received] == [
        (10, 4), (23, 8), (24, 12), (25, 8), (31, 408), (32, 408), (33, 408), (34, 408), (35, 408),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01\x00\x01\x00\x00\x00",
        struct.pack("!HHI", 1, 0, 0),
        struct.pack("!HHI", 1, 1, 0),
        struct.pack("!HHIH", 1, 1, 0, 1 << 13 | 1),
        struct.pack("!HHIH", 1, 1, 0, 2 << 13 | 1) + b"\x00",
        struct.pack("!HHIH", 1, 5, 0, 3 << 13 | 5) + bytes(20),
        struct.pack("!HHIH", 1, 5, 0, 0xC000 | 3 << 12) + bytes(20),
        struct.pack("!HHIH", 1, 5, 0, 0) + bytes(20),
        struct.pack("!HHIH", 1, 0xFFFF, 0, 1 << 13 | 100) + bytes(100),
    ],
)
def test_damage_is_refused_and_changes_nothing(body: bytes) -> None:
    reader = FeedbackReader()
    reader.read(message(1, 7, 7), 100)
    with pytest.raises(MalformedRtcp):
        reader.read(body, 100)
    assert reader.read(message(2, 8, 8), 100) == Arrivals(2, 3, [(2, 8 * 0.064)], 0)


@given(st.binary(max_size=200), st.integers(-1, 1 << 20))
def test_any_bytes_are_read_in_bounds_or_refused(body: bytes, newest: int) -> None:
    try:
        read = FeedbackReader().read(body, newest)
    except MalformedRtcp:
        return
    assert len(read.received) <= len(body)
    assert read.end - read.first <= 0xFFFF
    numbers = [sequence for sequence, _ in read.received]
    assert numbers == sorted(set(numbers))
    assert all(read.first <= sequence < read.end for sequence in numbers)
