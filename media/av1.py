"""AV1's RTP payloads and sequence header as a relay needs them (RTP payload format for AV1, 4; AV1 bitstream,
5.3 and 5.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from media.bits import BitReader, EndOfBits
from media.layers import FRAME, KEYFRAME

_SEQUENCE_HEADER = 1
_TEMPORAL_DELIMITER = 2
_HEADER_BYTES = 128


def describe(packet: bytes, start: int, end: int) -> int:
    """Flags of media.layers of a payload: whether it begins a coded video sequence, by the aggregation
    header's N and a sequence header in front. Of what is in the middle nothing is said."""
    return FRAME | KEYFRAME if _sequence_header(packet, start, end) is not None else 0


def keyframe_size(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(width, height) in pixels at most, by the sequence header that this payload begins with, or None."""
    found = _sequence_header(packet, start, end)
    if found is None:
        return None
    try:
        return _size(BitReader(packet[found[0] : min(found[1], found[0] + _HEADER_BYTES)]))
    except EndOfBits:
        return None


def temporal_id(payload: bytes) -> int:
    """Of the first OBU that begins in a payload and says it; else 0."""
    for position, (data, _) in enumerate(_elements(payload)):
        goes_on = position == 0 and payload[0] & 0x80
        if not goes_on and len(data) > 1 and data[0] & 0x04:
            return data[1] >> 5
    return 0


def temporal_unit(payloads: Sequence[bytes]) -> bytes | None:
    """A decoder's bitstream of the payloads of one temporal unit: its OBUs put together, each with its size,
    behind a temporal delimiter. None where they do not fit together."""
    units: list[bytearray] = []
    unfinished = False
    for payload in payloads:
        if len(payload) < 2:
            return None  # an aggregation header of nothing
        for position, (data, whole) in enumerate(_elements(payload)):
            if not whole or (position == 0 and bool(payload[0] & 0x80) != unfinished):
                return None
            if position == 0 and unfinished:
                units[-1] += data
            else:
                units.append(bytearray(data))
        unfinished = bool(payload[0] & 0x40)
    if unfinished or not units:
        return None
    made = bytearray((_TEMPORAL_DELIMITER << 3 | 0x02, 0))
    for unit in units:
        sized = _with_size(bytes(unit))
        if sized is None:
            return None
        made += sized
    return bytes(made)


def _elements(payload: bytes) -> Iterator[tuple[bytes, bool]]:
    """The OBU elements behind the aggregation header, and whether each is all there."""
    count, at, number = payload[0] >> 4 & 3, 1, 1
    while at < len(payload):
        size = len(payload) - at
        if number != count:
            size, at = _leb128(payload, at, len(payload))
        whole = 0 < size <= len(payload) - at
        yield payload[at : at + max(size, 0)], whole
        if not whole:
            return
        at, number = at + size, number + 1


def _with_size(unit: bytes) -> bytes | None:
    """An OBU with obu_size in it; nothing of a temporal delimiter; None where it is cut off."""
    header = unit[:2] if unit[0] & 0x04 else unit[:1]
    content = unit[len(header) :]
    if unit[0] >> 3 & 0x0F == _TEMPORAL_DELIMITER:
        return b""
    if unit[0] & 0x02:
        size, start = _leb128(unit, len(header), len(unit))
        if size < 0 or start + size > len(unit):
            return None
        content = unit[start : start + size]
    return bytes((header[0] | 0x02,)) + header[1:] + _to_leb128(len(content)) + content


def _to_leb128(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*made, value))


def _sequence_header(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(start, end) of the sequence header's content, the first OBU but for a temporal delimiter, or None."""
    if start >= end or packet[start] & 0x88 != 0x08:
        return None  # goes on with an earlier OBU, or begins no sequence
    count = packet[start] >> 4 & 3
    at = start + 1
    for number in (1, 2):
        size = end - at
        if number != count:
            size, at = _leb128(packet, at, end)
        if size <= 0 or at + size > end:
            return None
        stop = at + size
        header = packet[at]
        content = at + (2 if header & 0x04 else 1)
        if header & 0x02:
            _, content = _leb128(packet, content, stop)
        kind = header >> 3 & 0x0F
        if kind == _SEQUENCE_HEADER:
            return (content, stop) if content < stop else None
        if kind != _TEMPORAL_DELIMITER or number == count:
            return None
        at = stop
    return None


def _leb128(packet: bytes, at: int, end: int) -> tuple[int, int]:
    """(value, offset behind it); the value is -1 where it is cut off (AV1 bitstream, 4.10.5)."""
    value = 0
    for shift in range(0, 56, 7):
        if at >= end:
            return -1, end
        octet = packet[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if not octet & 0x80:
            return value, at
    return -1, end


def _size(bits: BitReader) -> tuple[int, int]:
    """max_frame_width and max_frame_height of sequence_header_obu (5.5.1)."""
    take = bits.unsigned
    take(4)  # seq_profile, still_picture
    if take(1):  # reduced_still_picture_header
        take(5)
    else:
        delay_bits = 0
        if take(1):  # timing_info_present_flag
            take(64)
            if take(1):
                bits.exp_golomb()  # uvlc(), which is ue(v)
            if take(1):  # decoder_model_info_present_flag
                delay_bits = take(5) + 1
                take(32 + 10)
        display_delay = take(1)
        for _ in range(take(5) + 1):  # operating points
            take(12)
            if take(5) > 7:
                take(1)
            if delay_bits and take(1):
                take(2 * delay_bits + 1)
            if display_delay and take(1):
                take(4)
    width_bits, height_bits = take(4) + 1, take(4) + 1
    return take(width_bits) + 1, take(height_bits) + 1
