"""What a participant receives, one source: each packet of a Publication under the viewer's own SSRC, sequence
numbers and timestamps. The payload is untouched, except for VP8's picture numbers after a switch, or where
pictures are left out."""

from __future__ import annotations

import struct

from media import rtcp, vp8
from media.answer import ChosenCodec
from media.encoding import Encoding
from media.layers import EVERYTHING, MAX_TEMPORAL, TEMPORAL_SHIFT, LayerTarget, TemporalLayers
from media.publication import Publication
from media.rtp import Packet, extension, extension_block
from media.thinning import SequenceMap, Thinner, Verdict

RESEND_AFTER_S = 0.01
"""A packet is not sent again within this time, however often it is asked for."""
CATCH_UP_SPEED = 16
"""How much faster than it was taken the past is shown: 30 frames/s become 480, each with its own time."""
RESENDS_PER_S = 600.0
RESEND_BURST = 250.0
MAX_RESENT_NOTED = 1024
PADDING_PACKETS = 64
"""Padding repeats one of so many packets before the so many last: of a 2.5 Mbit/s picture, 0.3 to 0.6 s ago.
A viewer puts a picture together again whose packets come twice before it was shown (libwebrtc
packet_buffer)."""
_HEADER = struct.Struct("!BBHII")
_SEQUENCE = struct.Struct("!H")


class Subscription:
    """One forwarded source. It starts, and starts again after a switch, at a keyframe (audio: at once); so it
    does where another encoding of the source is chosen, and until then the old one goes on.

    codec: payload types of the viewer's m-line. extensions: id and value of those in every packet.
    dependency_extension: id of the Dependency Descriptor there, which is passed on as it came, or 0.
    numbered: the first of the extensions is a transport-wide number, written as each packet leaves.
    """

    def __init__(
        self,
        publication: Publication,
        codec: ChosenCodec,
        ssrc: int,
        rtx_ssrc: int | None,
        extensions: list[tuple[int, bytes]],
        first_sequence: int,
        first_timestamp: int,
        dependency_extension: int = 0,
        *,
        numbered: bool = False,
    ) -> None:
        self.publication = publication
        self.codec = codec
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.report: rtcp.ReportBlock | None = None
        """What the viewer's last report says of it."""
        self.active = False
        """The viewer's transport is up; nothing is forwarded before."""
        self.source: Encoding | None = None
        """The encoding that is forwarded, or None before its keyframe."""
        self.target = EVERYTHING
        self._wanted = publication.choose(EVERYTHING.max_spatial)
        self._past_end: Packet | None = None
        self._thinner: Thinner | None = None
        """Only where temporal layers are, or were, to be left out: most streams do without it."""
        self.numbered = numbered
        self._extension_values = extensions
        self._extensions = extension_block(extensions)
        self._dependency_extension = dependency_extension
        self._first_byte = 0x90 if extensions else 0x80
        self._is_vp8 = codec.name == "VP8"
        self._start = 0
        self._floor = first_sequence
        """Outgoing numbers below belong to an earlier stream and cannot be sent again."""
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._live_from = 0
        self._live_timestamp = 0
        self._next_sequence = first_sequence
        self._next_timestamp = first_timestamp
        self._picture_offset = 0
        self._tl0_offset = 0
        self._last: Packet | None = None
        self.last_sent_s = 0.0
        """When its newest packet was forwarded, 0 before the first."""
        self._rtx_sequence = first_sequence
        self._packets = 0
        self.octets_sent = 0
        """Of payload, without retransmissions."""
        self._resent: dict[int, float] = {}
        self._resend_budget = RESEND_BURST
        self._budget_at_s = 0.0
        self._padded = 0

    @property
    def started(self) -> bool:
        """Whether anything is forwarded."""
        return self.source is not None

    @property
    def fraction_lost(self) -> int:
        """What the viewer's last report says it missed, in 1/256."""
        return self.report.fraction_lost if self.report is not None else 0

    @property
    def thinner(self) -> Thinner | None:
        """What leaves temporal layers out, where some are, or were, to be left out."""
        return self._thinner

    @property
    def max_temporal(self) -> int | None:
        """The highest temporal layer that goes out, None where none is left out."""
        current = self._thinner.layers.current if self._thinner is not None else MAX_TEMPORAL
        return current if current < MAX_TEMPORAL else None

    def attach(self, publication: Publication) -> None:
        """Take another Publication: wait for its next keyframe."""
        self.publication = publication
        self.restart()

    def restart(self) -> None:
        """Wait for the next keyframe; numbers go on where they are."""
        self.source = None
        self.choose()

    def choose(self) -> None:
        """Choose anew among the encodings of the Publication; the wanted one is asked for a keyframe."""
        self._wanted = self.publication.choose(self.target.max_spatial)
        if self._wanted is not self.source:
            self._ask(self._wanted)

    def set_layer(self, target: LayerTarget) -> None:
        """What the viewer should get from now on; of a Publication without layers that is all or nothing."""
        self.target = target
        if target.paused:
            self.source = None
        highest = target.max_temporal
        if self._thinner is not None:
            self._thinner.layers.target = MAX_TEMPORAL if highest is None else highest
        elif self.source is not None and highest is not None:
            self._thin(highest, self._last)
        self.choose()

    def _thin(self, max_temporal: int, last: Packet | None) -> None:
        """Leave out upper temporal layers of what comes after last."""
        numbers = SequenceMap(self._start, self._sequence_offset, self._picture_offset)
        self._thinner = Thinner(TemporalLayers(max_temporal), numbers, last)

    def activate(self, now: float) -> list[bytes]:
        """The viewer's transport is up (again). Returns what to send it at once: the picture so far, from its
        last keyframe on, so that nobody waits for the next one and the publisher is not asked for it."""
        if self.active:
            return []
        self.active = True
        self.source = None
        self._wanted = self.publication.choose(self.target.max_spatial)
        past = self._past(now) if self.publication.is_video and not self.target.paused else []
        if not past or past[0].encoding != self._wanted.index:
            self._ask(self._wanted)
        if past:
            self._past_end = past[-1]
        forwarded = (self.forward(packet, now) for packet in past)
        return [outgoing for outgoing in forwarded if outgoing is not None]

    def _past(self, now: float) -> list[Packet]:
        """The picture so far of the wanted encoding, or of the next smaller one that has it."""
        pasts = (encoding.since_keyframe(now) for encoding in self.publication.up_to(self._wanted))
        return next((past for past in pasts if past), [])

    def deactivate(self) -> None:
        """The viewer's transport is gone or silent: forward nothing."""
        self.active = False
        self.source = None

    def forward(self, packet: Packet, now: float) -> bytes | None:
        """The packet for the viewer, or None when it is not for this Subscription (yet, or any more)."""
        sequence, data, start, end, timestamp, marker, _, _, encoding = packet
        source = self.source
        if source is None or encoding != source.index:
            if not self._joins(packet):
                return None
            self._begin(packet, now)
        elif sequence < self._start:
            return None
        picture_offset = self._picture_offset
        out_sequence = sequence + self._sequence_offset
        if self._thinner is not None:
            verdict = self._thinner.judge(packet)
            numbers = self._thinner.numbers.outgoing(sequence)
            if verdict is Verdict.DROP or numbers is None:
                return None
            out_sequence, picture_offset = numbers
            if verdict is Verdict.HOLLOW:
                end, marker = start, False
        if sequence < self._live_from:
            timestamp = self._hastened(timestamp)
        if out_sequence >= self._next_sequence:
            self._next_sequence = out_sequence + 1
            self._last = packet
            self.last_sent_s = now
        self._packets += 1
        self.octets_sent += end - start
        payload = data[start:end]
        if self._is_vp8 and (picture_offset or self._tl0_offset):
            payload = vp8.offset_picture(payload, picture_offset, self._tl0_offset)
        first_byte, extensions = self._first_byte, self._extensions
        if self._dependency_extension:
            first_byte, extensions = self._with_dependency(data)
        payload_type = self.codec.payload_type
        return (
            _HEADER.pack(
                first_byte,
                payload_type | 0x80 if marker else payload_type,
                out_sequence & 0xFFFF,
                (timestamp + self._timestamp_offset) & 0xFFFFFFFF,
                self.ssrc,
            )
            + extensions
            + payload
        )

    def _joins(self, packet: Packet) -> bool:
        """Whether the Subscription begins, or changes to another encoding, with this packet. Before the first
        picture a smaller one than wanted is better than none."""
        if not self.active or self.target.paused:
            return False
        if not self.publication.is_video:
            return True
        if not packet.starts_keyframe:
            return False
        if packet.encoding == self._wanted.index:
            return True
        smaller = self.publication.up_to(self._wanted)
        return self.source is None and self.publication.encodings[packet.encoding] in smaller

    def _with_dependency(self, data: bytes) -> tuple[int, bytes]:
        """(first byte, extension block) of a packet whose Dependency Descriptor goes along."""
        incoming = self.publication.dependency_extension
        value = extension(data, incoming) if incoming else None
        if value is None:
            return self._first_byte, self._extensions
        return 0x90, extension_block([*self._extension_values, (self._dependency_extension, value)])

    def _hastened(self, timestamp: int) -> int:
        """The time of a frame of the past, moved towards the present: a viewer shows frames that came at once
        as far apart as their times are, and would stay behind by all of the past."""
        behind = (self._live_timestamp - timestamp) & 0xFFFFFFFF
        return self._live_timestamp - behind // CATCH_UP_SPEED if behind < 1 << 31 else timestamp

    def _begin(self, packet: Packet, now: float) -> None:
        self.source = self.publication.encodings[packet.encoding]
        end, self._past_end = self._past_end, None
        self._live_from, self._live_timestamp = (end.sequence, end.timestamp) if end is not None else (0, 0)
        shown_offset = self._picture_offset
        if self._thinner is not None and self._last is not None:
            numbers = self._thinner.numbers.outgoing(self._last.sequence)
            shown_offset = numbers[1] if numbers is not None else self._thinner.numbers.picture_offset
        self._thinner = None
        self._start = packet.sequence
        self._sequence_offset = self._next_sequence - packet.sequence
        self._floor = self._next_sequence
        self._resent.clear()
        last = self._last
        if last is None:
            self._timestamp_offset = self._next_timestamp - packet.timestamp
        else:
            self._follow(last, packet, now, shown_offset)
        if self.target.max_temporal is not None:
            self._thin(self.target.max_temporal, None)

    def _follow(self, last: Packet, packet: Packet, now: float, shown_offset: int) -> None:
        """A switch: the viewer's clock has gone on, and its picture numbers must go on without a gap."""
        elapsed = max(1, int((now - self.last_sent_s) * self.codec.clock_rate))
        self._timestamp_offset = last.timestamp + self._timestamp_offset + elapsed - packet.timestamp
        if self._is_vp8:
            shown, shown_tl0 = vp8.picture_numbers(last.data, last.start, last.end)
            comes, comes_tl0 = vp8.picture_numbers(packet.data, packet.start, packet.end)
            if shown >= 0 and comes >= 0:
                self._picture_offset = (shown + shown_offset + 1 - comes) & 0x7FFF
            if shown_tl0 >= 0 and comes_tl0 >= 0:
                self._tl0_offset = (shown_tl0 + self._tl0_offset + 1 - comes_tl0) & 0xFF

    def retransmit(
        self, sequences: tuple[int, ...], now: float, answer_s: float = RESEND_AFTER_S
    ) -> list[bytes]:
        """Packets that answer a viewer's NACK from the history: RTX, or the same again without RTX.

        A numbered one cannot go out again as it was: with another number it would be another packet encrypted
        under the same sequence number, which gives AES-GCM's authentication key away (RFC 7714, 8.4).

        answer_s: time from a packet to the NACK that misses it, at least.
        """
        encoding = self.source
        has_rtx = self.codec.rtx_payload_type is not None and self.rtx_ssrc is not None
        if encoding is None or (self.numbered and not has_rtx):
            return []
        since_s = now - self._budget_at_s
        self._resend_budget = min(RESEND_BURST, self._resend_budget + since_s * RESENDS_PER_S)
        self._budget_at_s = now
        answer_s = max(RESEND_AFTER_S, answer_s)
        # Nothing that is still sent waits for other layers then, and what was too much once is no less now.
        base_of = self._thinner if self._thinner is not None and not self._thinner.layers.current else None
        resent: list[bytes] = []
        highest = self._next_sequence - 1
        for wire in sequences:
            out_sequence = highest - ((highest - wire) & 0xFFFF)
            if out_sequence < self._floor or now - self._resent.get(out_sequence, -1.0) < answer_s:
                continue
            source = self._source_of(out_sequence)
            packet = encoding.history.get(source[0])
            if packet is None:
                continue
            if base_of and packet.layer >> TEMPORAL_SHIFT and not base_of.is_hollow(packet.sequence):
                continue
            if self._resend_budget < 1.0:
                break
            self._resend_budget -= 1.0
            if len(self._resent) >= MAX_RESENT_NOTED:
                del self._resent[next(iter(self._resent))]
            self._resent.pop(out_sequence, None)
            self._resent[out_sequence] = now
            resent.append(self._again(packet, out_sequence, source[1]))
        return resent

    def _source_of(self, out_sequence: int) -> tuple[int, int]:
        """(sequence number, picture offset) of what went out under a number."""
        source = (out_sequence - self._sequence_offset, self._picture_offset)
        if self._thinner is not None:
            source = self._thinner.numbers.incoming(out_sequence) or source
        return source

    def padding(self, size_bytes: int) -> bytes | None:
        """An RTX packet of about so many bytes that tells the viewer nothing new: one of the last packets
        again, or padding alone where none of them fits. None where there is no RTX, whose numbers
        are its own (RFC 4588, 4)."""
        if self.codec.rtx_payload_type is None or self.rtx_ssrc is None or not self.active:
            return None
        encoding = self.source
        if encoding is not None:
            for step in range(PADDING_PACKETS):
                turn = (self._padded + step) % PADDING_PACKETS
                out_sequence = self._next_sequence - 1 - PADDING_PACKETS - turn
                if out_sequence < self._floor:
                    continue
                number, picture_offset = self._source_of(out_sequence)
                packet = encoding.history.get(number)
                if packet is not None and size_bytes / 2 <= packet.end - packet.start <= size_bytes:
                    self._padded = turn + 1
                    return self._again(packet, out_sequence, picture_offset)
        last = self._last
        timestamp = self._next_timestamp if last is None else last.timestamp + self._timestamp_offset
        length = min(255, max(1, size_bytes))
        head = _HEADER.pack(
            self._first_byte | 0x20,
            self.codec.rtx_payload_type,
            self._rtx_sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            self.rtx_ssrc,
        )
        self._rtx_sequence += 1
        return head + self._extensions + bytes(length - 1) + bytes([length])

    def _again(self, packet: Packet, out_sequence: int, picture_offset: int) -> bytes:
        number, data, start, end, timestamp, marker, *_ = packet
        if self._thinner is not None and self._thinner.is_hollow(number):
            end, marker = start, False
        if number < self._live_from:
            timestamp = self._hastened(timestamp)
        payload = data[start:end]
        if self._is_vp8 and (picture_offset or self._tl0_offset):
            payload = vp8.offset_picture(payload, picture_offset, self._tl0_offset)
        payload_type, ssrc, sequence, original = self.codec.payload_type, self.ssrc, out_sequence, b""
        if self.codec.rtx_payload_type is not None and self.rtx_ssrc is not None:
            payload_type, ssrc = self.codec.rtx_payload_type, self.rtx_ssrc
            sequence = self._rtx_sequence
            self._rtx_sequence += 1
            original = _SEQUENCE.pack(out_sequence & 0xFFFF)
        first_byte, extensions = self._first_byte, self._extensions
        if self._dependency_extension:
            first_byte, extensions = self._with_dependency(data)
        head = _HEADER.pack(
            first_byte,
            payload_type | 0x80 if marker else payload_type,
            sequence & 0xFFFF,
            (timestamp + self._timestamp_offset) & 0xFFFFFFFF,
            ssrc,
        )
        return head + extensions + original + payload

    def want_keyframe(self) -> None:
        """The viewer sent PLI or FIR."""
        self._ask(self.source or self._wanted)

    @property
    def asks(self) -> bool:
        """Whether a keyframe is wanted of the encoding that it gets, or of the one that it waits for."""
        source = self.source
        return self._wanted.keyframes.wanted or (source is not None and source.keyframes.wanted)

    def _ask(self, encoding: Encoding) -> None:
        if self.active and self.publication.is_video and not self.target.paused:
            encoding.keyframes.want()

    def sender_report(self, report: rtcp.SenderReport) -> rtcp.SenderReport | None:
        """The SR of the encoding in the viewer's terms; the NTP clock stays the publisher's, for lip sync."""
        if self.source is None:
            return None
        timestamp = (report.rtp_timestamp + self._timestamp_offset) & 0xFFFFFFFF
        return rtcp.SenderReport(self.ssrc, report.ntp, timestamp, self._packets, self.octets_sent)
