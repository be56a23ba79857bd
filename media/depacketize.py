"""Whole coded pictures from RTP packets: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184), AV1; a pure
core."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from media import av1
from media.fragments import READERS, Fragment, MalformedPacket, UnsupportedCodec
from media.rtp import MalformedRtp, payload_bounds

_FIXED = struct.Struct("!BBHII")

MAX_PICTURE_BYTES = 4 << 20
"""A coded picture beyond this is not video of a consultation; it is dropped, as if lost."""

REORDER_PACKETS = 64
"""So many packets may overtake a missing one (it may yet be retransmitted) before it counts as lost."""

REORDER_S = 0.25
"""So long, in seconds, a missing packet is waited for."""


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One picture as its encoder made it, ready for a decoder.

    parts: the bitstream; one part for VP8, H.264 (Annex B) and AV1 (a temporal unit), one for each spatial
    layer for VP9.
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


def parse_rtp(packet: bytes | memoryview) -> RtpPayload:
    """Split a plain RTP packet (RFC 3550 section 5.1). Raises MalformedPacket."""
    data = bytes(packet)
    try:
        start, end = payload_bounds(data)
    except MalformedRtp as error:
        raise MalformedPacket(str(error)) from error
    _, second, sequence_number, timestamp, ssrc = _FIXED.unpack_from(data)
    return RtpPayload(bool(second & 0x80), sequence_number, timestamp, ssrc, data[start:end])


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
            self._decodable = self._decodable and rtp.ssrc == self._ssrc
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
        if fragment.starts_part and (self.codec in ("VP9", "AV1") or not picture.parts):
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
            if self.codec == "AV1":
                unit = av1.temporal_unit(parts)
                if unit is None:
                    self._decodable = False
                    return
                parts = (unit,)
            pictures.append(CodedPicture(self.codec, parts, picture.keyframe, picture.timestamp, arrived_s))

    def _follows(self, picture: _Gathering) -> bool:
        """Whether the base layer has no gap before picture, whatever else was lost."""
        if self._last_base_index is None or picture.base_layer_index is None:
            return False
        return picture.base_layer_index == (self._last_base_index + 1) & 0xFF
