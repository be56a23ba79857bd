"""The two ends of one RTP stream of the load: a sender that packs payloads, and a receiver that accounts for
what comes as a browser would, without ever decoding."""

from __future__ import annotations

import struct

from media import rtcp
from media.nack import MissingPackets
from media.rtp import SequenceUnwrapper

KEPT = 1024
"""Sent packets that can be asked for again."""
_HEADER = struct.Struct("!BBHII")
_U16 = struct.Struct("!H")
_NTP_EPOCH_S = 2_208_988_800


def ntp_of(wall_s: float) -> int:
    """Unix time as a 64-bit NTP timestamp."""
    return int((wall_s + _NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


class StreamSender:
    """One stream that is sent. Extension ids of 0 were not negotiated."""

    def __init__(self, payload_type: int, clock_rate: int, ssrc: int, first_sequence: int) -> None:
        self.payload_type = payload_type
        self.clock_rate = clock_rate
        self.ssrc = ssrc
        self.rtx: tuple[int, int] | None = None
        """SSRC and payload type of retransmissions, where they were negotiated."""
        self.packets = 0
        self.octets = 0
        self.timestamp = 0
        self._sequence = first_sequence
        self._rtx_sequence = first_sequence
        self._kept: dict[int, tuple[int, bool, bytes]] = {}
        self._first = 0x80
        self._extension_head = b""
        self._extension_tail = b""

    def use_extensions(self, transport_cc: int, mid_extension: int, mid: str) -> None:
        """Carry transport-wide numbers, and the mid beside them."""
        if not transport_cc:
            return
        name = mid.encode()
        tail = bytes([mid_extension << 4 | len(name) - 1]) + name if mid_extension else b""
        tail += bytes(-(3 + len(tail)) % 4)
        self._first = 0x90
        self._extension_head = struct.pack("!HHB", 0xBEDE, (3 + len(tail)) // 4, transport_cc << 4 | 1)
        self._extension_tail = tail

    def pack(self, payload: bytes, marker: bool, timestamp: int, transport_sequence: int) -> bytes:
        """The next packet, plain."""
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self.timestamp = timestamp
        self.packets += 1
        self.octets += len(payload)
        if self.rtx is not None:
            self._kept[sequence] = (timestamp, marker, payload)
            self._kept.pop((sequence - KEPT) & 0xFFFF, None)
        return self._packet(
            self.payload_type, sequence, self.ssrc, payload, marker, timestamp, transport_sequence
        )

    def again(self, sequence: int, transport_sequence: int) -> bytes | None:
        """An RTX packet for one that was sent, or None when it is not kept."""
        kept = self._kept.get(sequence)
        if kept is None or self.rtx is None:
            return None
        timestamp, marker, payload = kept
        ssrc, payload_type = self.rtx
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        payload = _U16.pack(sequence) + payload
        return self._packet(
            payload_type, self._rtx_sequence, ssrc, payload, marker, timestamp, transport_sequence
        )

    def report(self, wall_s: float) -> bytes:
        """An SR for now; its timestamp is that of the last packet, which is exact enough for a relay."""
        report = rtcp.SenderReport(self.ssrc, ntp_of(wall_s), self.timestamp, self.packets, self.octets)
        return rtcp.sender_report(report) + rtcp.source_description(self.ssrc, "load")

    def _packet(
        self,
        payload_type: int,
        sequence: int,
        ssrc: int,
        payload: bytes,
        marker: bool,
        timestamp: int,
        transport_sequence: int,
    ) -> bytes:
        second = payload_type | 0x80 if marker else payload_type
        head = _HEADER.pack(self._first, second, sequence, timestamp, ssrc)
        if self._first == 0x80:
            return head + payload
        number = _U16.pack(transport_sequence & 0xFFFF)
        return b"".join((head, self._extension_head, number, self._extension_tail, payload))


class StreamReceiver:
    """One stream that comes, known by its SSRC. video: it may be asked for packets and for keyframes."""

    def __init__(self, ssrc: int, *, video: bool) -> None:
        self.ssrc = ssrc
        self.video = video
        self.packets = 0
        self.recovered = 0
        self.report: tuple[int, float] | None = None
        """Middle of the NTP time of the last SR, and when it came."""
        self.missing = MissingPackets()
        self._sequences = SequenceUnwrapper()
        self._base = -1
        self._before = (0, 0)

    def received(self, sequence: int, now: float) -> int:
        """Note a packet; its extended number."""
        extended = self._sequences.unwrap(sequence)
        if self._base < 0:
            self._base = extended
        self.packets += 1
        if self.video:
            self.missing.received(extended, now)
        return extended

    def recover(self, sequence: int, now: float) -> None:
        """A packet of this stream came by retransmission."""
        highest = self._sequences.highest
        extended = highest - ((highest - sequence) & 0xFFFF)
        if self.missing.received(extended, now):
            self.recovered += 1

    @property
    def lost(self) -> int:
        """Packets that never came, retransmitted ones not counted as lost."""
        if self._base < 0:
            return 0
        return self._sequences.highest - self._base + 1 - self.packets - self.recovered

    def block(self, now: float) -> rtcp.ReportBlock | None:
        """The report block for the time since the last one; None before any packet."""
        if self._base < 0:
            return None
        expected, received = self._sequences.highest - self._base + 1, self.packets + self.recovered
        expected_since, received_since = expected - self._before[0], received - self._before[1]
        self._before = (expected, received)
        lost_since = expected_since - received_since
        fraction = (lost_since << 8) // expected_since if 0 < lost_since <= expected_since else 0
        last, came_s = self.report or (0, now)
        delay = max(0, int((now - came_s) * 65536))
        return rtcp.ReportBlock(
            self.ssrc, min(255, fraction), self.lost, self._sequences.highest, 0, last, delay
        )
