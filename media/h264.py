"""H.264's RTP payload and parameter sets as a relay needs them (RFC 6184, 5; ITU-T H.264, 7.3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from media.bits import BitReader, EndOfBits
from media.layers import FRAME, KEYFRAME

SLICE, IDR_SLICE, SPS, PPS = 1, 5, 7, 8
STAP_A, FU_A = 24, 28
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class SequenceParameters(NamedTuple):
    """What of a sequence parameter set is needed to size a picture and to read a slice header."""

    identity: int
    separate_planes: bool
    frame_number_bits: int
    order_type: int
    order_bits: int
    order_always_zero: bool
    frames_only: bool
    width_px: int
    height_px: int


class PictureParameters(NamedTuple):
    """What of a picture parameter set is needed to read a slice header up to its quantiser."""

    identity: int
    sequence_identity: int
    arithmetic_coding: bool
    order_in_frame: bool
    weighted: bool
    initial_quantiser: int
    redundant_pictures: bool


def units(packet: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(kind, nal_ref_idc, start, end) of each NAL unit that begins in this payload, without its header byte.

    Single units, STAP-A, and the first fragment of an FU-A; what is cut off ends the walk.
    """
    if start >= end:
        return
    header = packet[start]
    kind = header & 0x1F
    if kind == STAP_A:
        at = start + 1
        while at + 2 < end:
            size = packet[at] << 8 | packet[at + 1]
            at += 2
            if size == 0 or at + size > end:
                return
            yield packet[at] & 0x1F, packet[at] >> 5 & 3, at + 1, at + size
            at += size
    elif kind == FU_A:
        if start + 1 < end and packet[start + 1] & 0x80:
            yield packet[start + 1] & 0x1F, header >> 5 & 3, start + 2, end
    else:
        yield kind, header >> 5 & 3, start + 1, end


def raw_bits(packet: bytes, start: int, end: int, limit: int) -> BitReader:
    """A reader of a unit's first bytes, without the bytes that prevent start codes (7.4.1)."""
    return BitReader(packet[start : min(end, start + limit)].replace(b"\x00\x00\x03", b"\x00\x00"))


def describe(packet: bytes, start: int, end: int) -> int:
    """Flags of media.layers of a payload. A decoder can begin where it holds a sequence parameter set, which
    opens an IDR picture; RFC 6184 has no temporal ids."""
    if start >= end:
        return 0
    kind = packet[start] & 0x1F
    if kind == FU_A:
        return FRAME if end - start > 1 and packet[start + 1] & 0x80 else 0
    opens = kind == SPS or (kind == STAP_A and any(unit[0] == SPS for unit in units(packet, start, end)))
    return FRAME | KEYFRAME if opens else FRAME


def holds_parameters(packet: bytes, start: int, end: int) -> bool:
    """Whether this payload may hold parameter sets: it does not begin with a slice."""
    kind = packet[start] & 0x1F if start < end else 0
    return kind not in (SLICE, IDR_SLICE, FU_A)


def keyframe_size(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """(width, height) in pixels by the sequence parameter set in this payload, or None."""
    for kind, _, first, last in units(packet, start, end):
        if kind == SPS:
            sps = sequence_parameters(packet, first, last)
            return (sps.width_px, sps.height_px) if sps is not None else None
    return None


def sequence_parameters(packet: bytes, start: int, end: int) -> SequenceParameters | None:
    """A sequence parameter set, or None when it is malformed or of a kind that no WebRTC encoder writes."""
    try:
        return _read_sps(raw_bits(packet, start, end, 256))
    except EndOfBits:
        return None


def picture_parameters(packet: bytes, start: int, end: int) -> PictureParameters | None:
    """A picture parameter set, or None when it is malformed or of a kind that no WebRTC encoder writes."""
    try:
        return _read_pps(raw_bits(packet, start, end, 64))
    except EndOfBits:
        return None


def _read_sps(bits: BitReader) -> SequenceParameters | None:
    profile = bits.unsigned(8)
    bits.unsigned(16)
    identity = bits.exp_golomb()
    chroma, separate = 1, False
    if profile in _HIGH_PROFILES:
        chroma = bits.exp_golomb()
        if chroma == 3:
            separate = bool(bits.unsigned(1))
        bits.exp_golomb()
        bits.exp_golomb()
        bits.unsigned(1)
        if bits.unsigned(1):
            return None  # scaling lists: no WebRTC encoder writes them
    frame_number_bits = bits.exp_golomb() + 4
    order, order_bits, always_zero = bits.exp_golomb(), 0, False
    if order == 0:
        order_bits = bits.exp_golomb() + 4
    elif order == 1:
        always_zero = bool(bits.unsigned(1))
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()
    bits.exp_golomb()
    bits.unsigned(1)
    width_mbs = bits.exp_golomb() + 1
    height_units = bits.exp_golomb() + 1
    frame_only = bits.unsigned(1)
    if not frame_only:
        bits.unsigned(1)
    bits.unsigned(1)
    width, height = 16 * width_mbs, 16 * height_units * (2 - frame_only)
    if bits.unsigned(1):
        left, right, top, bottom = (bits.exp_golomb() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (2 - frame_only) * (top + bottom)
    if identity > 31 or frame_number_bits > 16 or order_bits > 16:
        return None
    if not (0 < width <= 16384 and 0 < height <= 16384):
        return None
    return SequenceParameters(
        identity,
        separate,
        frame_number_bits,
        order,
        order_bits,
        always_zero,
        bool(frame_only),
        width,
        height,
    )


def _read_pps(bits: BitReader) -> PictureParameters | None:
    identity, sequence_identity = bits.exp_golomb(), bits.exp_golomb()
    arithmetic_coding, order_in_frame = bool(bits.unsigned(1)), bool(bits.unsigned(1))
    if bits.exp_golomb():
        return None  # slice groups: no WebRTC encoder writes them
    bits.exp_golomb()
    bits.exp_golomb()
    weighted = bool(bits.unsigned(1))
    bits.unsigned(2)
    initial = 26 + bits.signed_exp_golomb()
    bits.signed_exp_golomb()
    bits.signed_exp_golomb()
    bits.unsigned(2)
    redundant = bool(bits.unsigned(1))
    if identity > 255 or sequence_identity > 31:
        return None
    return PictureParameters(
        identity, sequence_identity, arithmetic_coding, order_in_frame, weighted, initial, redundant
    )
