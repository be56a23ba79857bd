"""RTP packets as bytes (RFC 3550, 5.1; header extensions RFC 8285; retransmission RFC 4588)."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_LENGTH = 12
_FIXED = struct.Struct("!BBHII")
_U16 = struct.Struct("!H")
_EXTENSION = struct.Struct("!HH")

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
DEPENDENCY_DESCRIPTOR_URI = (
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"


class Packet(NamedTuple):
    """A received packet of one stream, as it lies in a history and goes to Subscriptions.

    sequence is the extended number; data the whole plain packet, whose payload is data[start:end]; layer the
    temporal id and flags of media.layers; encoding the index of the Publication's encoding.
    """

    sequence: int
    data: bytes
    start: int
    end: int
    timestamp: int
    marker: bool
    starts_keyframe: bool
    layer: int
    encoding: int


class MalformedRtp(ValueError):
    """The bytes are no well-formed RTP packet."""


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram of the RTP range is RTCP (RFC 5761, 4)."""
    return 192 <= datagram[1] <= 223


def payload_bounds(packet: bytes) -> tuple[int, int]:
    """(start, end) of the payload without header, extensions and padding. Raises MalformedRtp."""
    size = len(packet)
    if size < HEADER_LENGTH:
        raise MalformedRtp("shorter than a header")
    first = packet[0]
    if first >> 6 != 2:
        raise MalformedRtp("version")
    start = HEADER_LENGTH + 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > size:
            raise MalformedRtp("extension overruns the packet")
        start += 4 + 4 * ((packet[start + 2] << 8) | packet[start + 3])
    end = size
    if first & 0x20:
        padding = packet[-1]
        if padding == 0:
            raise MalformedRtp("padding of no length")
        end -= padding
    if start > end:
        raise MalformedRtp("header overruns the packet")
    return start, end


def extension(packet: bytes, wanted: int) -> bytes | None:
    """Value of one header extension, or None; one- and two-byte forms. The packet's bounds are checked."""
    if not packet[0] & 0x10:
        return None
    at = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    profile, words = _EXTENSION.unpack_from(packet, at)
    at += 4
    end = at + 4 * words
    if profile == 0xBEDE:
        while at < end:
            head = packet[at]
            if head == 0:
                at += 1
                continue
            kind = head >> 4
            if kind == 15:
                return None
            stop = at + 2 + (head & 0x0F)
            if stop > end:
                return None
            if kind == wanted:
                return packet[at + 1 : stop]
            at = stop
    elif profile >> 4 == 0x100:
        while at + 1 < end:
            kind = packet[at]
            if kind == 0:
                at += 1
                continue
            stop = at + 2 + packet[at + 1]
            if stop > end:
                return None
            if kind == wanted:
                return packet[at + 2 : stop]
            at = stop
    return None


def short_extension(packet: bytes, wanted: int) -> int:
    """A 16-bit header extension as a number, or -1. Checks what it reads: made for every packet, it comes
    before anything else has. Raises MalformedRtp for a two-byte form that is malformed."""
    if len(packet) < HEADER_LENGTH or not packet[0] & 0x10:
        return -1
    at = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    try:
        if packet[at] != 0xBE or packet[at + 1] != 0xDE:
            payload_bounds(packet)
            value = extension(packet, wanted)
            return value[0] << 8 | value[1] if value is not None and len(value) == 2 else -1
        end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        at += 4
        while at < end:
            head = packet[at]
            kind = head >> 4
            if kind == wanted:
                return packet[at + 1] << 8 | packet[at + 2] if head & 0x0F == 1 and at + 3 <= end else -1
            if kind == 15:
                return -1
            at += 2 + (head & 0x0F) if head else 1
    except IndexError:
        return -1
    return -1


def extension_block(values: list[tuple[int, bytes]]) -> bytes:
    """An extension block with its profile and length, or b"" when there are no values.

    In the one-byte form; in the two-byte form where a value does not fit, which a peer must allow.
    """
    if not values:
        return b""
    if all(0 < len(value) <= 16 and kind <= 14 for kind, value in values):
        profile = 0xBEDE
        body = b"".join(bytes([kind << 4 | len(value) - 1]) + value for kind, value in values)
    else:
        profile = 0x1000
        body = b"".join(bytes([kind, len(value)]) + value for kind, value in values)
    body += bytes(-len(body) % 4)
    return _EXTENSION.pack(profile, len(body) // 4) + body


def header(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, marker: bool, extensions: bytes = b""
) -> bytes:
    """A header; extensions is a whole extension block or b""."""
    first = 0x90 if extensions else 0x80
    second = payload_type | 0x80 if marker else payload_type
    return _FIXED.pack(first, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + extensions


def unwrap_rtx(packet: bytes, start: int, end: int, payload_type: int, ssrc: int) -> bytes | None:
    """The packet that an RTX packet carries, with the extensions of the latter, which begin its payload where
    they did there; None for one of padding only."""
    if end - start < 2:
        return None
    first, second, _, timestamp, _ = _FIXED.unpack_from(packet)
    sequence = _U16.unpack_from(packet, start)[0]
    head = _FIXED.pack(first & ~0x20, second & 0x80 | payload_type, sequence, timestamp, ssrc)
    return head + packet[HEADER_LENGTH:start] + packet[start + 2 : end]


class SequenceUnwrapper:
    """16-bit sequence numbers to ever-growing ones: the nearest to the highest seen (RFC 3550, A.1)."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest = -1

    def unwrap(self, sequence: int) -> int:
        """Extended number; advances `highest`. Starts one cycle up, so that numbers stay positive."""
        highest = self.highest
        if highest < 0:
            self.highest = sequence + 0x10000
            return self.highest
        delta = (sequence - highest) & 0xFFFF
        if delta < 0x8000:
            highest += delta
            self.highest = highest
            return highest
        return highest + delta - 0x10000
