"""Pictures left out for one viewer, and the numbers of those that stay: without gaps, since a browser takes a
gap in sequence numbers for loss, and one in VP8's picture ids for a reference that it waits for."""

from __future__ import annotations

from collections import deque
from enum import Enum

from media.layers import TEMPORAL_SHIFT, TemporalLayers
from media.rtp import Packet

MAX_PIECES = 512
MAX_DROPPED_NOTED = 64


class Verdict(Enum):
    """What becomes of a packet."""

    KEEP = "keep"
    DROP = "drop"
    HOLLOW = "hollow"
    """Its number is taken already, its content is not wanted: it goes out empty."""


class SequenceMap:
    """Incoming extended sequence numbers to outgoing ones and back, where runs of them are left out.

    Pieces of the incoming numbers, in order: [first of them, what to add, what to add to VP8's picture id].
    The last numbers of a piece that would overlap the next one's are those left out.
    """

    __slots__ = ("_pieces", "offset", "picture_offset")

    def __init__(self, first: int, offset: int, picture_offset: int) -> None:
        self.offset = offset
        """Of what comes next."""
        self.picture_offset = picture_offset
        self._pieces: deque[tuple[int, int, int]] = deque([(first, offset, picture_offset)], MAX_PIECES)

    def leave_out(self, first: int, last: int, pictures: int) -> None:
        """Leave out first to last, which begin so many pictures; no later number has been asked for."""
        self.offset -= last - first + 1
        self.picture_offset -= pictures
        if self._pieces[-1][0] == first:
            self._pieces.pop()
        self._pieces.append((last + 1, self.offset, self.picture_offset))

    def outgoing(self, sequence: int) -> tuple[int, int] | None:
        """(outgoing number, picture offset) of an incoming number; None for one left out or too old."""
        following: int | None = None
        for first, offset, picture_offset in reversed(self._pieces):
            if sequence >= first:
                number = sequence + offset
                return (number, picture_offset) if following is None or number < following else None
            following = first + offset
        return None

    def incoming(self, number: int) -> tuple[int, int] | None:
        """(incoming number, picture offset) of an outgoing number; None for one that is too old."""
        for first, offset, picture_offset in reversed(self._pieces):
            if number >= first + offset:
                return number - offset, picture_offset
        return None


class Thinner:
    """Decides on each packet of one stream for one viewer, picture by picture."""

    def __init__(self, layers: TemporalLayers, numbers: SequenceMap, last: Packet | None) -> None:
        """last: the newest packet that went out already, of a picture that goes on as it began."""
        self.layers = layers
        self.numbers = numbers
        self._highest = last.sequence if last is not None else -1
        self._timestamp = last.timestamp if last is not None else -1
        self._keeps = True
        self._dropped: dict[int, None] = {}
        self._hollow: deque[int] = deque(maxlen=MAX_DROPPED_NOTED)

    def judge(self, packet: Packet) -> Verdict:
        """What becomes of a packet, in whatever order they come."""
        sequence, timestamp = packet.sequence, packet.timestamp
        highest = self._highest
        if sequence <= highest:
            if timestamp not in self._dropped and (self.layers.current or not packet.layer >> TEMPORAL_SHIFT):
                # Of a picture that stays; or one of which nothing came in time, and whose picture id those
                # of middle layers wait for.
                return Verdict.KEEP
            if self.numbers.outgoing(sequence) is None:
                return Verdict.DROP
            self._hollow.append(sequence)
            return Verdict.HOLLOW
        self._highest = sequence
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            self._keeps = self.layers.keep(packet.layer)
            if not self._keeps:
                self._dropped[timestamp] = None
                if len(self._dropped) > MAX_DROPPED_NOTED:
                    del self._dropped[next(iter(self._dropped))]
                # What is missing before it may be of another picture, so its numbers stay.
                self.numbers.leave_out(sequence, sequence, pictures=1)
        elif not self._keeps:
            self.numbers.leave_out(highest + 1, sequence, pictures=0)
        return Verdict.KEEP if self._keeps else Verdict.DROP

    def is_hollow(self, sequence: int) -> bool:
        """Whether an incoming number went out empty."""
        return sequence in self._hollow
