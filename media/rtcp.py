"""RTCP packets as bytes: reports (RFC 3550), feedback (RFC 4585, RFC 5104) and REMB
(draft-alvestrand-rmcat-remb-03)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
BYE = 203
TRANSPORT_FEEDBACK = 205
PAYLOAD_FEEDBACK = 206
FMT_NACK = 1
FMT_TRANSPORT_CC = 15
FMT_PLI = 1
FMT_FIR = 4
FMT_APPLICATION = 15
FIRST_OF_TRANSPORT_CC = 2 << 6 | FMT_TRANSPORT_CC
SRTCP_TRAILERS = (14, 20)
"""Bytes behind the compound: tag and index of HMAC-SHA1-80 (RFC 3711, 5.2) and of AES-GCM (RFC 7714, 9)."""

MAX_NACKED = 512
_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_TWO_SSRCS = struct.Struct("!II")
_PAIR = struct.Struct("!HH")


class MalformedRtcp(ValueError):
    """The bytes are no well-formed compound RTCP packet."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one receiver hears one source. lost: cumulative, signed; jitter: RTP timestamp units;
    last_report and delay: middle 32 bits of an NTP time, and 1/65536 s."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_report: int
    delay: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A source's clock: ntp is 64 bits (1/2^32 s since 1900)."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """Report blocks of a participant that sends nothing."""

    ssrc: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers that a receiver misses (RFC 4585, 6.2.1)."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI or FIR: a receiver needs a keyframe of this source."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class Remb:
    """A receiver's estimate of the bandwidth for these sources together."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """A transport-cc feedback message; body follows the two SSRCs."""

    sender_ssrc: int
    media_ssrc: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Goodbye:
    """These sources have left."""

    ssrcs: tuple[int, ...]


Rtcp = SenderReport | ReceiverReport | Nack | PictureLoss | Remb | TransportFeedback | Goodbye


def is_lone_transport_feedback(datagram: bytes) -> bool:
    """Whether an SRTCP datagram holds transport-cc feedback alone, by its first header, which is in
    the clear (RFC 3711, 3.4)."""
    if len(datagram) < 8 or datagram[0] != FIRST_OF_TRANSPORT_CC or datagram[1] != TRANSPORT_FEEDBACK:
        return False
    return len(datagram) - 4 - 4 * (datagram[2] << 8 | datagram[3]) in SRTCP_TRAILERS


def parse(compound: bytes) -> list[Rtcp]:
    """Every packet of a compound that this codec knows; the others are passed over. Raises MalformedRtcp."""
    found: list[Rtcp] = []
    at = 0
    size = len(compound)
    while at < size:
        if size - at < 4:
            raise MalformedRtcp("shorter than a header")
        first, kind, words = _HEADER.unpack_from(compound, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > size:
            raise MalformedRtcp("version or length")
        body_end = end
        if first & 0x20:
            padding = compound[end - 1]
            if padding == 0 or padding > 4 * words:
                raise MalformedRtcp("padding")
            body_end -= padding
        body = compound[at + 4 : body_end]
        try:
            _parse_one(kind, first & 0x1F, body, found)
        except (struct.error, IndexError) as error:
            raise MalformedRtcp("truncated packet") from error
        at = end
    return found


def _parse_one(kind: int, count: int, body: bytes, found: list[Rtcp]) -> None:
    if kind == SENDER_REPORT:
        ssrc, ntp, timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
        found.append(SenderReport(ssrc, ntp, timestamp, packets, octets, _parse_blocks(body, 24, count)))
    elif kind == RECEIVER_REPORT:
        (ssrc,) = struct.unpack_from("!I", body)
        found.append(ReceiverReport(ssrc, _parse_blocks(body, 4, count)))
    elif kind == BYE:
        found.append(Goodbye(struct.unpack_from(f"!{count}I", body)))
    elif kind in (TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK):
        sender, media = _TWO_SSRCS.unpack_from(body)
        if kind == TRANSPORT_FEEDBACK and count == FMT_NACK:
            found.append(Nack(sender, media, _parse_nacked(body)))
        elif kind == TRANSPORT_FEEDBACK and count == FMT_TRANSPORT_CC:
            found.append(TransportFeedback(sender, media, body[8:]))
        elif kind == PAYLOAD_FEEDBACK and count == FMT_PLI:
            found.append(PictureLoss(sender, media))
        elif kind == PAYLOAD_FEEDBACK and count == FMT_FIR:
            targets = (struct.unpack_from("!I", body, at)[0] for at in range(8, len(body) - 7, 8))
            found.extend(PictureLoss(sender, target) for target in targets)
        elif kind == PAYLOAD_FEEDBACK and count == FMT_APPLICATION and body[8:12] == b"REMB":
            exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
            ssrcs = struct.unpack_from(f"!{body[12]}I", body, 16)
            found.append(Remb(sender, mantissa << exponent, ssrcs))


def _parse_blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(body, at + 24 * index)
        lost = (loss & 0xFFFFFF) - (0x1000000 if loss & 0x800000 else 0)
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last, delay))
    return tuple(blocks)


def _parse_nacked(body: bytes) -> tuple[int, ...]:
    sequences: list[int] = []
    for at in range(8, len(body) - 3, 4):
        first, mask = _PAIR.unpack_from(body, at)
        sequences.append(first)
        sequences.extend((first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1)
        if len(sequences) > MAX_NACKED:
            break
    return tuple(sequences[:MAX_NACKED])


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def sender_report(report: SenderReport) -> bytes:
    """Serialise an SR."""
    info = _SENDER_INFO.pack(
        report.ssrc,
        report.ntp,
        report.rtp_timestamp & 0xFFFFFFFF,
        report.packets & 0xFFFFFFFF,
        report.octets & 0xFFFFFFFF,
    )
    return _packet(SENDER_REPORT, len(report.blocks), info + _blocks(report.blocks))


def receiver_report(ssrc: int, blocks: tuple[ReportBlock, ...]) -> bytes:
    """Serialise an RR of up to 31 blocks."""
    return _packet(RECEIVER_REPORT, len(blocks), ssrc.to_bytes(4, "big") + _blocks(blocks))


def _blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            b.ssrc,
            b.fraction_lost << 24 | (max(-0x800000, min(0x7FFFFF, b.lost)) & 0xFFFFFF),
            b.highest_sequence & 0xFFFFFFFF,
            b.jitter & 0xFFFFFFFF,
            b.last_report,
            b.delay,
        )
        for b in blocks
    )


def source_description(ssrc: int, cname: str) -> bytes:
    """Serialise an SDES with a CNAME (RFC 3550, 6.5.1)."""
    name = cname.encode()[:255]
    chunk = ssrc.to_bytes(4, "big") + bytes([1, len(name)]) + name
    return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def nack(sender_ssrc: int, media_ssrc: int, sequences: list[int]) -> bytes:
    """Serialise a generic NACK; sequences are 16-bit and in order of sending."""
    body = bytearray(_TWO_SSRCS.pack(sender_ssrc, media_ssrc))
    index = 0
    while index < len(sequences):
        first = sequences[index]
        mask = 0
        index += 1
        while index < len(sequences) and 1 <= (sequences[index] - first) & 0xFFFF <= 16:
            mask |= 1 << ((sequences[index] - first - 1) & 0xFFFF)
            index += 1
        body += _PAIR.pack(first, mask)
    return _packet(TRANSPORT_FEEDBACK, FMT_NACK, bytes(body))


def picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Serialise a PLI."""
    return _packet(PAYLOAD_FEEDBACK, FMT_PLI, _TWO_SSRCS.pack(sender_ssrc, media_ssrc))


def full_intra_request(sender_ssrc: int, media_ssrc: int, sequence: int) -> bytes:
    """Serialise a FIR; sequence grows by one with every new request (RFC 5104, 4.3.1)."""
    entry = struct.pack("!IB3x", media_ssrc, sequence & 0xFF)
    return _packet(PAYLOAD_FEEDBACK, FMT_FIR, _TWO_SSRCS.pack(sender_ssrc, 0) + entry)


def remb(sender_ssrc: int, bitrate_bps: int, ssrcs: list[int]) -> bytes:
    """Serialise a REMB, rounded down to 18 bits of mantissa."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    mantissa = bitrate_bps >> exponent
    head = bytes([len(ssrcs), exponent << 2 | mantissa >> 16, mantissa >> 8 & 0xFF, mantissa & 0xFF])
    body = _TWO_SSRCS.pack(sender_ssrc, 0) + b"REMB" + head + struct.pack(f"!{len(ssrcs)}I", *ssrcs)
    return _packet(PAYLOAD_FEEDBACK, FMT_APPLICATION, body)


def transport_feedback(sender_ssrc: int, media_ssrc: int, body: bytes) -> bytes:
    """Serialise a transport-cc feedback message; body is padded to words with zero bytes."""
    padded = _TWO_SSRCS.pack(sender_ssrc, media_ssrc) + body + bytes(-len(body) % 4)
    return _packet(TRANSPORT_FEEDBACK, FMT_TRANSPORT_CC, padded)
