"""Arrival times of one transport's packets as transport-wide feedback
(draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

from __future__ import annotations

import operator
import struct

from media import rtcp
from media.rtp import SequenceUnwrapper

DELTA_US = 250
REFERENCE_US = 64_000
BACK_WINDOW_US = 500_000
"""How long an arrival is kept to be told again when an older packet turns up late."""
MAX_STATUSES = 1_500
"""Packets covered by one message; well inside a datagram even with large deltas."""
MAX_BODY = 1_100
MAX_HELD = 8_192
"""Arrivals that are kept at most until they are told; beyond, the oldest count as lost."""
_HEAD = struct.Struct("!HHI")
_RUN = struct.Struct("!HHIH")
_RECEIVED_SMALL, _RECEIVED_LARGE = 1, 2


class ArrivalRecorder:
    """Collects arrivals of one transport and turns them into feedback messages."""

    def __init__(self) -> None:
        self._unwrapper = SequenceUnwrapper()
        self._arrivals: dict[int, int] = {}
        self._untold: list[int] = []
        self._next: int | None = None
        self._count = 0

    def __len__(self) -> int:
        """Arrivals that are held."""
        return len(self._arrivals)

    def received(self, sequence: int, arrived_us: int) -> None:
        """A packet with this 16-bit transport-wide number came. arrived_us: any steady clock."""
        extended = self._unwrapper.unwrap(sequence)
        if self._next is None:
            self._next = extended
        elif extended < self._next:
            # A late packet that was told as lost: tell again from it.
            if self._next - extended > MAX_STATUSES:
                return
            self._untold = [s for s in self._arrivals if s > extended]
            self._next = extended
        elif extended - self._next > 0x4000:
            # A gap that no feedback could describe: the sender has restarted its numbering.
            self._arrivals.clear()
            self._untold.clear()
            self._next = extended
        if extended in self._arrivals:
            return
        if len(self._arrivals) >= MAX_HELD:
            oldest = next(iter(self._arrivals))
            del self._arrivals[oldest]
            if oldest in self._untold:  # nobody has asked for feedback in the meantime
                self._untold.remove(oldest)
        self._arrivals[extended] = arrived_us
        self._untold.append(extended)

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets for everything that came since the last call."""
        messages: list[bytes] = []
        arrivals = self._arrivals
        pending, self._untold = self._untold, []
        pending.sort()
        position = 0
        while position < len(pending) and self._next is not None:
            first = self._next if position == 0 else pending[position]
            body, covered = _encode(first, pending[position:], arrivals, self._count)
            self._count = (self._count + 1) & 0xFF
            messages.append(rtcp.transport_feedback(sender_ssrc, media_ssrc, body))
            position += covered
        if pending:
            self._next = pending[-1] + 1
            horizon_us = arrivals[pending[-1]] - BACK_WINDOW_US
            while True:
                oldest = next(iter(arrivals))  # in order of arrival
                if arrivals[oldest] >= horizon_us and len(arrivals) <= MAX_STATUSES:
                    break
                del arrivals[oldest]
        return messages


def _encode(first: int, pending: list[int], arrivals: dict[int, int], count: int) -> tuple[bytes, int]:
    """One message body from `first` on; also how many of the pending arrivals it covers (at least one)."""
    if pending[0] - first >= MAX_STATUSES:
        first = pending[0]
    reference = arrivals[pending[0]] // REFERENCE_US
    last_ticks = reference * (REFERENCE_US // DELTA_US)
    if pending[-1] - first == len(pending) - 1 < MAX_BODY:
        # Nothing is missing: one run says it all, if they came in order and close together.
        ticks = [arrivals[sequence] // DELTA_US for sequence in pending]
        steps = [ticks[0] - last_ticks, *map(operator.sub, ticks[1:], ticks)]
        if min(steps) >= 0 and max(steps) <= 0xFF:
            run = _RECEIVED_SMALL << 13 | len(steps)
            return _RUN.pack(first & 0xFFFF, len(steps), _word(reference, count), run) + bytes(steps), len(
                steps
            )
    symbols: list[int] = []
    deltas = bytearray()
    covered = 0
    for sequence in pending:
        missing = sequence - first - len(symbols)
        delta = arrivals[sequence] // DELTA_US - last_ticks
        too_long = len(symbols) + missing >= MAX_STATUSES or len(deltas) + len(symbols) // 4 > MAX_BODY
        if covered and (too_long or not -0x8000 <= delta <= 0x7FFF):
            break
        symbols.extend([0] * missing)
        if 0 <= delta <= 0xFF:
            symbols.append(_RECEIVED_SMALL)
            deltas.append(delta)
        else:
            symbols.append(_RECEIVED_LARGE)
            deltas += struct.pack("!h", delta)
        last_ticks += delta
        covered += 1
    head = _HEAD.pack(first & 0xFFFF, len(symbols), _word(reference, count))
    return head + _chunks(symbols) + bytes(deltas), covered


def _word(reference: int, count: int) -> int:
    return (reference & 0xFFFFFF) << 8 | count


def _chunks(symbols: list[int]) -> bytes:
    """Packet chunks: run lengths where seven or more statuses repeat, else vectors of seven 2-bit symbols."""
    out = bytearray()
    at = 0
    total = len(symbols)
    while at < total:
        symbol = symbols[at]
        run = at + 1
        while run < total and run - at < 0x1FFF and symbols[run] == symbol:
            run += 1
        if run - at >= 7 or run == total:
            out += struct.pack("!H", symbol << 13 | run - at)
            at = run
            continue
        vector = 0xC000
        for index in range(7):
            if at + index < total:
                vector |= symbols[at + index] << (12 - 2 * index)
        out += struct.pack("!H", vector)
        at += 7
    return bytes(out)


def decode(body: bytes) -> tuple[int, int, dict[int, int]]:
    """(first sequence number, status count, {offset from it: arrival in us}). Raises rtcp.MalformedRtcp.

    The sending side of congestion control reads feedback with this.
    """
    try:
        first, total, word = _HEAD.unpack_from(body)
        symbols: list[int] = []
        at = _HEAD.size
        while len(symbols) < total:
            (chunk,) = struct.unpack_from("!H", body, at)
            at += 2
            if not chunk & 0x8000:
                symbols.extend([chunk >> 13 & 3] * (chunk & 0x1FFF))
                if not chunk & 0x1FFF:
                    raise rtcp.MalformedRtcp("run of no length")
            elif chunk & 0x4000:
                symbols.extend(chunk >> shift & 3 for shift in range(12, -1, -2))
            else:
                symbols.extend(chunk >> shift & 1 for shift in range(13, -1, -1))
        reference = word >> 8
        if reference & 0x800000:
            reference -= 0x1000000
        ticks = reference * (REFERENCE_US // DELTA_US)
        arrivals: dict[int, int] = {}
        for offset, symbol in enumerate(symbols[:total]):
            if symbol == _RECEIVED_SMALL:
                ticks += body[at]
                at += 1
            elif symbol == _RECEIVED_LARGE:
                ticks += struct.unpack_from("!h", body, at)[0]
                at += 2
            else:
                continue
            arrivals[offset] = ticks * DELTA_US
    except (struct.error, IndexError) as error:
        raise rtcp.MalformedRtcp("truncated feedback") from error
    return first, total, arrivals
