"""What a payload says of its picture: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184) and AV1 (its RTP
payload format, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from media import av1
from media.interface import MediaError


class MalformedPacket(MediaError):
    """A packet whose RTP header or payload descriptor cannot be read (remote's fault)."""

    error_id = "media.malformed_packet"


class UnsupportedCodec(MediaError):
    """A codec this relay can forward but not look into."""

    error_id = "media.unsupported_codec"


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


def read_av1(payload: bytes) -> Fragment:
    """Read the aggregation header; the data stay a whole payload, for av1.temporal_unit to put together.

    A temporal unit begins where a payload does not go on with an OBU; that nothing before it is missing, the
    RTP header tells.
    """
    if len(payload) < 2:
        raise MalformedPacket("an AV1 payload without an OBU")
    starts = not payload[0] & 0x80
    return Fragment(payload, starts, True, starts and bool(payload[0] & 0x08), av1.temporal_id(payload))


READERS: dict[str, Callable[[bytes], Fragment]] = {
    "VP8": read_vp8,
    "VP9": read_vp9,
    "H264": read_h264,
    "AV1": read_av1,
}
"""By RTP encoding name."""
