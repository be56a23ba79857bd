"""One RTP stream of a Publication: history, loss, feedback towards the publisher. Packets and now in, packets
for Subscriptions and RTCP out; nothing is decoded or encoded."""

from __future__ import annotations

from collections.abc import Callable

from media import av1, h264, rtcp, rtp, vp8, vp9
from media.answer import ChosenCodec
from media.history import History
from media.interface import EncodingStats
from media.keyframes import KeyframeGate
from media.layers import FRAME, KEYFRAME
from media.nack import MissingPackets
from media.quantiser import QuantiserMeter
from media.reception import Reception

VIDEO_HISTORY = 1024
AUDIO_HISTORY = 128
RATE_WINDOW_S = 1.0
RECENT_S = 0.4
"""Three frames at 8 frames a second."""
CATCH_UP_S = 1.0
CATCH_UP_BYTES = 128_000
"""What one who comes gets of the past at most, since its keyframe; beyond, a new keyframe is cheaper."""
MIN_REPORT_INTERVAL_S = 0.2

_DESCRIBE: dict[str, Callable[[bytes, int, int], int]] = {
    "VP8": vp8.describe,
    "VP9": vp9.describe,
    "H264": h264.describe,
    "AV1": av1.describe,
}
_KEYFRAME_SIZES: dict[str, Callable[[bytes, int, int], tuple[int, int] | None]] = {
    "VP8": vp8.keyframe_size,
    "VP9": vp9.keyframe_size,
    "H264": h264.keyframe_size,
    "AV1": av1.keyframe_size,
}


class Encoding:
    """One encoding of a source: all there is, or one of several sizes. `begun` is set by the first packet."""

    def __init__(
        self, codec: ChosenCodec, feedback_ssrc: int, *, is_video: bool, index: int = 0, rid: str = ""
    ) -> None:
        """index: its place in the offer. rid: its name there, or ""."""
        self.codec = codec
        self.index = index
        self.rid = rid
        self.begun = False
        self.heard_at_s = 0.0
        self.size = (0, 0)
        """(width, height) in pixels of the last keyframe."""
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.is_video = is_video
        self.history = History(VIDEO_HISTORY if is_video else AUDIO_HISTORY)
        self.keyframes = KeyframeGate()
        self.last_report: rtcp.SenderReport | None = None
        self._reported_s = 0.0
        self._feedback_ssrc = feedback_ssrc
        self._asks_nack = "nack" in codec.feedback
        self._asks_pli = "nack pli" in codec.feedback
        self._asks_fir = "ccm fir" in codec.feedback
        self._fir_count = 0
        self._describe = _DESCRIBE.get(codec.name)
        self._keyframe_size = _KEYFRAME_SIZES.get(codec.name)
        self._bytes = 0
        self._frames = 0
        self._keyframes = 0
        self._lost_before = 0
        self._received_before = 0
        self._window: tuple[float, int, int] | None = None
        self._rates = (0.0, 0.0)
        self._recent = (0.0, 0)
        self._recent_bps = 0.0
        self._native_quantiser: float | None = None
        self._restart()

    def _restart(self) -> None:
        self._sequences = rtp.SequenceUnwrapper()
        self._missing = MissingPackets()
        self._reception = Reception(self.codec.clock_rate)
        self._last_timestamp = -1
        self._quantiser = QuantiserMeter(self.codec.name)
        self._keyframe: tuple[rtp.Packet, float, int] | None = None
        self.last_report = None

    def bind(self, ssrc: int, rtx_ssrc: int | None) -> bool:
        """The publisher sends with these SSRCs; True when that begins another stream, which Subscriptions
        must join anew at a keyframe."""
        self.rtx_ssrc = rtx_ssrc if rtx_ssrc is not None or ssrc != self.ssrc else self.rtx_ssrc
        if ssrc == self.ssrc:
            return False
        restarted = self.ssrc is not None
        self.ssrc = ssrc
        if restarted:
            self._lost_before += self._reception.lost
            self._received_before += self._reception.received
            self._restart()
            self.history.clear()
        return restarted

    @property
    def highest(self) -> int:
        """The newest extended sequence number, -1 before any."""
        return self._sequences.highest

    @property
    def newest(self) -> tuple[int, float, int]:
        """(RTP timestamp, when it came, payload of all so far) of the newest packet."""
        return self._last_timestamp, self.heard_at_s, self._bytes

    def receive(self, data: bytes, arrived_s: float) -> rtp.Packet | None:
        """Take a plain RTP packet of the stream; None when it is a duplicate or too old.

        Raises rtp.MalformedRtp.
        """
        start, end = rtp.payload_bounds(data)
        if data[1] & 0x7F != self.codec.payload_type:
            raise rtp.MalformedRtp("payload type")
        sequence = self._sequences.unwrap(data[2] << 8 | data[3])
        return self._accept(sequence, data, start, end, arrived_s, retransmitted=False)

    def receive_rtx(self, data: bytes, arrived_s: float) -> rtp.Packet | None:
        """Take a plain RTX packet; None when it is padding, a duplicate or too old. Raises MalformedRtp."""
        start, end = rtp.payload_bounds(data)
        if data[1] & 0x7F != self.codec.rtx_payload_type or self.ssrc is None:
            raise rtp.MalformedRtp("payload type")
        original = rtp.unwrap_rtx(data, start, end, self.codec.payload_type, self.ssrc)
        if original is None:
            return None
        sequence = self._sequences.unwrap(original[2] << 8 | original[3])
        return self._accept(sequence, original, start, len(original), arrived_s, retransmitted=True)

    def _accept(
        self, sequence: int, data: bytes, start: int, end: int, arrived_s: float, *, retransmitted: bool
    ) -> rtp.Packet | None:
        if sequence <= self._sequences.highest - self.history.capacity:
            return None
        timestamp = data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7]
        layer = self._describe(data, start, end) if self._describe is not None else 0
        starts = bool(layer & KEYFRAME)
        packet = rtp.Packet(sequence, data, start, end, timestamp, data[1] > 127, starts, layer, self.index)
        if not self.history.put(packet):
            return None
        if self._asks_nack:
            self._missing.received(sequence, arrived_s)
        if retransmitted:
            self._reception.recovered()
        else:
            self._reception.packet(sequence, timestamp, arrived_s)
        self.begun = True
        self.heard_at_s = arrived_s
        self._bytes += end - start
        if timestamp != self._last_timestamp and end > start:
            self._last_timestamp = timestamp
            self._frames += 1
        if layer & FRAME:
            self._quantiser.packet(data, start, end, timestamp, arrived_s)
        if starts:
            self.keyframes.came()
            self._keyframes += 1
            self._note_keyframe(packet, arrived_s)
            if self._keyframe_size is not None:
                self.size = self._keyframe_size(data, start, end) or self.size
        return packet

    def _note_keyframe(self, packet: rtp.Packet, arrived_s: float) -> None:
        """Keep where the newest keyframe begins; H.264 has more than one packet that may begin it."""
        known = self._keyframe[0] if self._keyframe is not None else None
        if known is not None:
            same = known.timestamp == packet.timestamp
            if same != (packet.sequence < known.sequence):
                return
        self._keyframe = (packet, arrived_s, self._bytes)

    def since_keyframe(self, now: float) -> list[rtp.Packet]:
        """The video from its last keyframe on, for one who comes now; empty when that is too long ago or
        too much. What is missing in between is on its way and follows."""
        if self._keyframe is None:
            return []
        packet, arrived_s, size = self._keyframe
        if now - arrived_s > CATCH_UP_S or self._bytes - size > CATCH_UP_BYTES:
            return []
        packets = self.packets_from(packet.sequence)
        return packets if packets and packets[0].sequence == packet.sequence else []

    def packets_from(self, sequence: int) -> list[rtp.Packet]:
        """What the history holds from an extended sequence number on, in order, gaps left out."""
        found = (self.history.get(s) for s in range(sequence, self._sequences.highest + 1))
        return [packet for packet in found if packet is not None]

    def receive_report(self, report: rtcp.SenderReport, arrived_s: float) -> bool:
        """The publisher's SR of this source came; whether viewers are to be told.

        A flood of them is not passed on, since each costs a packet a viewer.
        """
        self._reception.sender_report(report, arrived_s)
        if self.last_report is not None and arrived_s - self._reported_s < MIN_REPORT_INTERVAL_S:
            return False
        self.last_report = report
        self._reported_s = arrived_s
        return True

    def feedback(self, now: float) -> list[bytes]:
        """RTCP packets to send to the publisher now: NACK, and PLI (or FIR) while a keyframe is wanted."""
        messages: list[bytes] = []
        ssrc = self.ssrc
        if ssrc is None or not self.begun:
            return messages
        due = self._missing.due(now)
        if due:
            messages.append(rtcp.nack(self._feedback_ssrc, ssrc, [sequence & 0xFFFF for sequence in due]))
        if self._missing.overflowed:
            self._missing.overflowed = False
            self.keyframes.want()
        if self.is_video and self.keyframes.due(now):
            if self._asks_pli:
                messages.append(rtcp.picture_loss(self._feedback_ssrc, ssrc))
            elif self._asks_fir:
                self._fir_count += 1
                messages.append(rtcp.full_intra_request(self._feedback_ssrc, ssrc, self._fir_count))
        return messages

    @property
    def asks(self) -> bool:
        """Whether the publisher is to be asked for something: packets, or a keyframe."""
        return bool(self._missing) or (self.is_video and self.keyframes.wanted)

    def report_block(self, now: float) -> rtcp.ReportBlock | None:
        """The block of this source for the next RR, or None before its first packet."""
        return self._reception.block(self.ssrc, now) if self.ssrc is not None else None

    @property
    def bitrate_bps(self) -> float:
        """Payload that came in the last second."""
        return self._rates[0]

    @property
    def frame_rate(self) -> float:
        """Frames per second that came in the last second."""
        return self._rates[1]

    @property
    def frames(self) -> int:
        """Frames that came since it began."""
        return self._frames

    def recent_bps(self, now: float) -> float:
        """Payload that came since it was last asked for, RECENT_S ago or longer: follows a publisher that
        makes less at once."""
        since_s, size = self._recent
        if now - since_s >= RECENT_S:
            self._recent_bps = 8 * (self._bytes - size) / (now - since_s)
            self._recent = (now, self._bytes)
        return self._recent_bps

    def measure(self, now: float) -> None:
        """Refresh bitrate, frame rate and quantiser; to be called about once a second."""
        self._native_quantiser = self._quantiser.mean(now)
        since_s, size, frames = self._window or (now, 0, 0)
        elapsed_s = now - since_s
        if elapsed_s >= RATE_WINDOW_S:
            self._rates = (8 * (self._bytes - size) / elapsed_s, (self._frames - frames) / elapsed_s)
        if self._window is None or elapsed_s >= RATE_WINDOW_S:
            self._window = (now, self._bytes, self._frames)

    def stats(self) -> EncodingStats:
        """Counters since it began, and what was last measured."""
        native = self._native_quantiser
        return EncodingStats(
            rid=self.rid,
            packets_received=self._received_before + self._reception.received,
            bytes_received=self._bytes,
            packets_lost=max(0, self._lost_before + self._reception.lost),
            frames_received=self._frames if self.is_video else 0,
            keyframes_received=self._keyframes,
            width_px=self.size[0],
            height_px=self.size[1],
            bitrate_bps=self._rates[0],
            frame_rate=self._rates[1] if self.is_video else 0.0,
            quantiser=None if native is None else native / self._quantiser.maximum,
            native_quantiser=native,
        )
