"""Whole coded pictures from RTP packets: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184); a pure core."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from media.interface import MediaError
from media.rtp import MalformedRtp, payload_bounds

_FIXED = struct.Struct("!BBHII")

MAX_PICTURE_BYTES = 4 << 20
"""A coded picture beyond this is not video of a consultation; it is dropped, as if lost."""

REORDER_PACKETS = 64
"""So many packets may overtake a missing one (it may yet be retransmitted) before it counts as lost."""

REORDER_S = 0.25
"""So long, in seconds, a missing packet is waited for."""


class MalformedPacket(MediaError):
    """A packet whose RTP header or payload descriptor cannot be read (remote's fault)."""

    error_id = "media.malformed_packet"


class UnsupportedCodec(MediaError):
    """A codec this relay can forward but not look into."""

    error_id = "media.unsupported_codec"


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One picture as its encoder made it, ready for a decoder.

    parts: the bitstream; one part for VP8 and H.264 (Annex B), one for each spatial layer for VP9.
    arrived_s: monotonic arrival of its last packet, in seconds.
    """

    codec: str
    parts: tuple[bytes, ...]
    keyframe: bool
    rtp_timestamp: int
    arrived_s: float


@dataclass(frozen=True, slots=True)
class RtpPayload:
    """The fields of RFC 3550's header that reassembly needs, and the payload without padding."""

    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one payload says about the picture that it belongs to."""

    data: bytes
    starts_picture: bool
    starts_part: bool
    keyframe: bool
    temporal_id: int = 0
    base_layer_index: int | None = None
    """TL0PICIDX: counts the pictures of the temporal base layer, modulo 256."""


def parse_rtp(packet: bytes | memoryview) -> RtpPayload:
    """Split a plain RTP packet (RFC 3550 section 5.1). Raises MalformedPacket."""
    data = bytes(packet)
    try:
        start, end = payload_bounds(data)
    except MalformedRtp as error:
        raise MalformedPacket(str(error)) from error
    _, second, sequence_number, timestamp, ssrc = _FIXED.unpack_from(data)
    return RtpPayload(bool(second & 0x80), sequence_number, timestamp, ssrc, data[start:end])


class _Reader:
    """Bytes of a payload descriptor, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def octet(self) -> int:
        if self._at >= len(self._data):
            raise MalformedPacket("payload descriptor is cut off")
        self._at += 1
        return self._data[self._at - 1]

    def rest(self) -> bytes:
        return self._data[self._at :]


def read_vp8(payload: bytes) -> Fragment:
    """Read RFC 7741 section 4.2's descriptor, and the P bit behind it where a picture starts."""
    reader = _Reader(payload)
    first = reader.octet()
    temporal_id, base_layer_index = 0, None
    if first & 0x80:
        present = reader.octet()
        if present & 0x80 and reader.octet() & 0x80:
            reader.octet()
        if present & 0x40:
            base_layer_index = reader.octet()
        if present & 0x30:
            layers = reader.octet()
            temporal_id = layers >> 6 if present & 0x20 else 0
    data = reader.rest()
    starts = bool(first & 0x10) and first & 0x07 == 0
    if starts and not data:
        raise MalformedPacket("a VP8 picture without a first byte")
    return Fragment(data, starts, starts, starts and not data[0] & 0x01, temporal_id, base_layer_index)


def read_vp9(payload: bytes) -> Fragment:
    """Read RFC 9628 section 4.2's descriptor, flexible or not, past its scalability structure."""
    reader = _Reader(payload)
    first = reader.octet()
    has_picture_id, inter, layered, flexible = first & 0x80, first & 0x40, first & 0x20, first & 0x10
    temporal_id, spatial_id, base_layer_index = 0, 0, None
    if has_picture_id and reader.octet() & 0x80:
        reader.octet()
    if layered:
        layers = reader.octet()
        temporal_id, spatial_id = layers >> 5, (layers >> 1) & 0x07
        if not flexible:
            base_layer_index = reader.octet()
    if inter and flexible:
        for _ in range(3):
            if not reader.octet() & 0x01:
                break
        else:
            raise MalformedPacket("more than three VP9 reference indices")
    if first & 0x02:
        _skip_scalability_structure(reader)
    starts_part = bool(first & 0x08)
    return Fragment(
        reader.rest(),
        starts_picture=starts_part and spatial_id == 0,
        starts_part=starts_part,
        keyframe=starts_part and spatial_id == 0 and not inter,
        temporal_id=temporal_id,
        base_layer_index=base_layer_index,
    )


def _skip_scalability_structure(reader: _Reader) -> None:
    head = reader.octet()
    if head & 0x10:
        for _ in range(4 * ((head >> 5) + 1)):
            reader.octet()
    if head & 0x08:
        for _ in range(reader.octet()):
            for _ in range((reader.octet() >> 2) & 0x03):
                reader.octet()


_START_CODE = b"\x00\x00\x00\x01"
_NAL_SLICE, _NAL_IDR, _NAL_SPS, _NAL_DELIMITER, _NAL_STAP_A, _NAL_FU_A = 1, 5, 7, 9, 24, 28


def read_h264(payload: bytes) -> Fragment:
    """Read RFC 6184's single NAL unit, STAP-A and FU-A (packetization modes 0 and 1) into Annex B."""
    if not payload:
        raise MalformedPacket("an H.264 payload without a NAL header")
    nal_type = payload[0] & 0x1F
    if nal_type == _NAL_FU_A:
        if len(payload) < 2:
            raise MalformedPacket("an FU-A without its header")
        inner = payload[1] & 0x1F
        if not payload[1] & 0x80:
            return Fragment(payload[2:], False, False, inner == _NAL_IDR)
        unit = bytes((payload[0] & 0xE0 | inner,)) + payload[2:]
        return Fragment(_START_CODE + unit, _opens_picture(unit), True, inner == _NAL_IDR)
    if nal_type > _NAL_STAP_A or nal_type == 0:
        raise MalformedPacket(f"H.264 packets of type {nal_type} are not negotiated")
    units = list(_aggregated(payload)) if nal_type == _NAL_STAP_A else [payload]
    if not units:
        raise MalformedPacket("an empty STAP-A")
    return Fragment(
        b"".join(_START_CODE + unit for unit in units),
        starts_picture=_opens_picture(units[0]),
        starts_part=True,
        keyframe=any(unit[0] & 0x1F == _NAL_IDR for unit in units),
    )


def _aggregated(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if size == 0 or len(unit) < size:
            raise MalformedPacket("a STAP-A that is cut off")
        yield unit
        at += 2 + size


def _opens_picture(unit: bytes) -> bool:
    """Whether a NAL unit can only stand first in its picture: delimiter, parameters, or macroblock 0."""
    nal_type = unit[0] & 0x1F
    if nal_type in (_NAL_SLICE, _NAL_IDR):
        return len(unit) > 1 and bool(unit[1] & 0x80)  # first_mb_in_slice, ue(v): a leading 1 is zero
    return nal_type in (_NAL_SPS, _NAL_DELIMITER)


READERS: dict[str, Callable[[bytes], Fragment]] = {"VP8": read_vp8, "VP9": read_vp9, "H264": read_h264}
"""By RTP encoding name."""


class _Held(NamedTuple):
    """A packet that waits for its turn; fragment is None where it is padding only (a bandwidth probe)."""

    rtp: RtpPayload
    fragment: Fragment | None
    arrived_s: float


@dataclass(slots=True)
class _Gathering:
    """The picture whose packets are coming in."""

    timestamp: int
    temporal_id: int
    base_layer_index: int | None
    keyframe: bool = False
    size: int = 0
    parts: list[list[bytes]] = field(default_factory=list)


class Depacketizer:
    """Gathers pictures of one codec; gives only what can be decoded: from a keyframe on, without a gap.

    Of a stream with temporal layers only the base layer (temporal id 0) comes out: it needs no other, and a
    lost packet of an upper layer is then no loss where TL0PICIDX proves it.
    """

    def __init__(self, codec: str) -> None:
        """Raises UnsupportedCodec."""
        if codec not in READERS:
            raise UnsupportedCodec(f"cannot look into {codec}")
        self.codec = codec
        self._read = READERS[codec]
        self._held: dict[int, _Held] = {}
        self._ssrc: int | None = None
        self._next = 0
        self._late = 0
        self._gap_since_s: float | None = None
        self._picture: _Gathering | None = None
        self._broken = False
        """Packets went missing since the last picture of the base layer."""
        self._last_base_index: int | None = None
        self._decodable = False

    @property
    def wants_keyframe(self) -> bool:
        """Nothing can come out before a keyframe does, and none is being gathered."""
        return not self._decodable and not (self._picture is not None and self._picture.keyframe)

    def restart(self) -> None:
        """Give nothing more before the next keyframe (the decoder failed, or pictures were dropped)."""
        self._decodable = False

    def push(self, packet: bytes | memoryview, arrived_s: float) -> list[CodedPicture]:
        """Take one plain RTP packet, in any order; return the pictures it completes.

        Raises MalformedPacket; the packet then counts as lost.
        """
        rtp = parse_rtp(packet)
        fragment = self._read(rtp.payload) if rtp.payload else None
        ahead = (rtp.sequence_number - self._next) & 0xFFFF
        if rtp.ssrc == self._ssrc and ahead >= 0x8000 and self._late < REORDER_PACKETS:
            self._late += 1
            return []
        self._late = 0
        if rtp.ssrc != self._ssrc or ahead > 4 * REORDER_PACKETS:
            # Another sender, or one that began anew: nothing held can still be of use.
            self._held.clear()
            self._ssrc, self._next = rtp.ssrc, rtp.sequence_number
            self._lose()
        self._held[rtp.sequence_number] = _Held(rtp, fragment, arrived_s)
        return self._drain(arrived_s)

    def _drain(self, now_s: float) -> list[CodedPicture]:
        pictures: list[CodedPicture] = []
        while self._held:
            held = self._held.pop(self._next, None)
            if held is not None:
                self._gap_since_s = None
                self._next = (self._next + 1) & 0xFFFF
                if held.fragment is not None:
                    self._take(held.rtp, held.fragment, held.arrived_s, pictures)
                continue
            if self._gap_since_s is None:
                self._gap_since_s = now_s
            if len(self._held) < REORDER_PACKETS and now_s - self._gap_since_s < REORDER_S:
                break
            self._lose()
            at = self._next
            self._next = min(self._held, key=lambda number: (number - at) & 0xFFFF)
        return pictures

    def _lose(self) -> None:
        self._broken = True
        self._picture = None

    def _take(
        self, rtp: RtpPayload, fragment: Fragment, arrived_s: float, pictures: list[CodedPicture]
    ) -> None:
        picture = self._picture
        if picture is not None and picture.timestamp != rtp.timestamp:
            # Its marker never came although no packet is missing.
            self._finish(picture, arrived_s, pictures)
            picture = None
        if picture is None:
            if not fragment.starts_picture:
                self._broken = self._broken or fragment.temporal_id == 0
                self._picture = None
                return
            picture = self._picture = _Gathering(
                rtp.timestamp, fragment.temporal_id, fragment.base_layer_index
            )
        picture.keyframe = picture.keyframe or fragment.keyframe
        picture.size += len(fragment.data)
        if picture.size > MAX_PICTURE_BYTES:
            self._lose()
            return
        if fragment.starts_part and (self.codec == "VP9" or not picture.parts):
            picture.parts.append([fragment.data])
        else:
            picture.parts[-1].append(fragment.data)
        if rtp.marker:
            self._finish(picture, arrived_s, pictures)

    def _finish(self, picture: _Gathering, arrived_s: float, pictures: list[CodedPicture]) -> None:
        self._picture = None
        if picture.temporal_id > 0:
            return
        if picture.keyframe:
            self._decodable = True
        elif self._broken and not self._follows(picture):
            self._decodable = False
        self._broken = False
        self._last_base_index = picture.base_layer_index
        if self._decodable:
            parts = tuple(b"".join(part) for part in picture.parts)
            pictures.append(CodedPicture(self.codec, parts, picture.keyframe, picture.timestamp, arrived_s))

    def _follows(self, picture: _Gathering) -> bool:
        """Whether the base layer has no gap before picture, whatever else was lost."""
        if self._last_base_index is None or picture.base_layer_index is None:
            return False
        return picture.base_layer_index == (self._last_base_index + 1) & 0xFF
