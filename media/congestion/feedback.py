"""A viewer's transport-cc feedback, read in time bounded by its bytes and put on unbroken scales
(draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from media.rtcp import MalformedRtcp

TICK_S = 250e-6
"""Unit of an arrival delta (section 3.1.5)."""
TICKS_PER_REFERENCE = 256
"""The reference time counts 64 ms (section 3.1)."""
_HEAD = struct.Struct("!HHI")
_CHUNK = struct.Struct("!H")
_LARGE = struct.Struct("!h")
_TWO_BIT_SHIFTS = (12, 10, 8, 6, 4, 2, 0)
_ONE_BIT_SHIFTS = tuple(range(13, -1, -1))
_LOST, _SMALL, _LARGE_SYMBOL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What one message says. Packets of [first, end) that are not in `received` had not come.

    first, end: extended transport-wide sequence numbers. received: (extended sequence number, arrival on the
    viewer's own clock in seconds), in order of sequence. missed: messages that were lost just before this
    one; 0 as well when it came late itself.
    """

    first: int
    end: int
    received: list[tuple[int, float]]
    missed: int


class FeedbackReader:
    """Reads the messages of one viewer; 16-bit numbers, 24-bit times and 8-bit counts go on for ever."""

    __slots__ = ("_count", "_reference")

    def __init__(self) -> None:
        self._count: int | None = None
        self._reference: int | None = None

    def read(self, body: bytes, newest_sent: int) -> Arrivals:
        """One message; body is rtcp.TransportFeedback.body.

        newest_sent: extended number of the newest packet that has been sent. A message can only be about that
        one and earlier ones, which settles its 16-bit number. Raises MalformedRtcp, and has no effect then.
        """
        try:
            wire_first, total, word = _HEAD.unpack_from(body)
            if not total:
                raise MalformedRtcp("feedback on nothing")
            chunks, at = _chunks(body, total)
            first = newest_sent - ((newest_sent - wire_first) & 0xFFFF)
            reference = self._unwrap(word >> 8)
            received = _deltas(body, at, chunks, first, total, reference * TICKS_PER_REFERENCE)
        except (struct.error, IndexError) as error:
            raise MalformedRtcp("truncated feedback") from error
        self._reference = reference
        return Arrivals(first, first + total, received, self._missed(word & 0xFF))

    def _unwrap(self, reference: int) -> int:
        """The reference time nearest to the last one: 24 bits of 64 ms come round after 12 days."""
        if self._reference is None:
            return reference
        step = (reference - self._reference) & 0xFFFFFF
        return self._reference + (step if step < 0x800000 else step - 0x1000000)

    def _missed(self, count: int) -> int:
        if self._count is None:
            self._count = count
            return 0
        step = (count - self._count) & 0xFF
        if not 0 < step < 0x80:
            return 0
        self._count = count
        return step - 1


def _chunks(body: bytes, total: int) -> tuple[list[int], int]:
    """The packet chunks that cover `total` statuses, and where the deltas begin."""
    chunks: list[int] = []
    at = _HEAD.size
    covered = 0
    while covered < total:
        (chunk,) = _CHUNK.unpack_from(body, at)
        at += 2
        if not chunk & 0x8000:
            if not chunk & 0x1FFF:
                raise MalformedRtcp("run of no length")
            covered += chunk & 0x1FFF
        else:
            covered += 7 if chunk & 0x4000 else 14
        chunks.append(chunk)
    return chunks, at


def _deltas(
    body: bytes, at: int, chunks: list[int], sequence: int, total: int, ticks: int
) -> list[tuple[int, float]]:
    """Arrivals of the packets that the chunks call received. Each costs at least a byte of the body."""
    received: list[tuple[int, float]] = []
    append = received.append
    end = sequence + total
    for chunk in chunks:
        if not chunk & 0x8000:
            run_end = min(end, sequence + (chunk & 0x1FFF))
            symbol = chunk >> 13
            if symbol == _SMALL:
                for number in range(sequence, run_end):
                    ticks += body[at]
                    at += 1
                    append((number, ticks * TICK_S))
            elif symbol == _LARGE_SYMBOL:
                for number in range(sequence, run_end):
                    ticks += _LARGE.unpack_from(body, at)[0]
                    at += 2
                    append((number, ticks * TICK_S))
            elif symbol != _LOST:
                raise MalformedRtcp("reserved symbol")
            sequence = run_end
            continue
        two_bits = chunk & 0x4000
        for shift in _TWO_BIT_SHIFTS if two_bits else _ONE_BIT_SHIFTS:
            if sequence == end:
                break
            symbol = chunk >> shift & (3 if two_bits else 1)
            if symbol == _SMALL:
                ticks += body[at]
                at += 1
                append((sequence, ticks * TICK_S))
            elif symbol == _LARGE_SYMBOL:
                ticks += _LARGE.unpack_from(body, at)[0]
                at += 2
                append((sequence, ticks * TICK_S))
            elif symbol != _LOST:
                raise MalformedRtcp("reserved symbol")
            sequence += 1
    return received
