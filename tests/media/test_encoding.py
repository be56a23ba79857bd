"""An encoding: what it takes, what it asks for, and what it counts."""

from __future__ import annotations

import pytest

from media import rtcp, rtp
from media.answer import ChosenCodec
from media.encoding import VIDEO_HISTORY, Encoding
from tests.media import streams
from tests.media.streams import OPUS, RTX_SSRC, SSRC, encoding, opus, vp8


def kinds(messages: list[bytes]) -> list[type[rtcp.Rtcp]]:
    """Types of RTCP messages."""
    return [type(packet) for message in messages for packet in rtcp.parse(message)]


def receive(made: Encoding, *sequences: int, now: float = 0.0) -> None:
    """Keyframe 1 and others, each in one packet."""
    for sequence in sequences:
        made.receive(vp8(sequence, sequence, key=sequence == 1), now)


def test_a_packet_is_taken_once() -> None:
    made = encoding()
    packet = made.receive(vp8(5, 1, key=True), 1.0)
    assert packet is not None
    assert (packet.timestamp, packet.marker, packet.starts_keyframe) == (3000, True, True)
    assert packet.data[packet.start : packet.end] == streams.vp8_payload(1, key=True)
    assert made.begun
    assert made.receive(vp8(5, 1, key=True), 1.1) is None
    assert made.stats().packets_received == 1


def test_rtx_becomes_the_packet_that_was_lost() -> None:
    made = encoding()
    receive(made, 1, 3)
    lost = vp8(2, 2)
    packet = made.receive_rtx(streams.rtx(70, lost), 0.1)
    assert packet is not None
    assert packet.data == lost
    assert made.receive_rtx(streams.rtx(71, lost), 0.1) is None
    padding = bytearray(rtp.header(97, 72, 0, RTX_SSRC, False) + b"\x00\x00\x02")
    padding[0] |= 0x20
    assert made.receive_rtx(bytes(padding), 0.1) is None
    assert made.stats().packets_lost == 0


def test_another_payload_type_is_malformed() -> None:
    made = encoding()
    for take in (made.receive, made.receive_rtx):
        with pytest.raises(rtp.MalformedRtp):
            take(rtp.header(50, 1, 1, SSRC, True), 0.0)
        with pytest.raises(rtp.MalformedRtp):
            take(b"\x80", 0.0)


def test_what_is_too_old_is_dropped() -> None:
    made = encoding()
    receive(made, 1, VIDEO_HISTORY + 1)
    assert made.receive(vp8(1, 1), 0.0) is None


def test_feedback_asks_for_gaps_and_keyframes() -> None:
    made = encoding()
    made.keyframes.want()
    assert made.feedback(0.0) == []  # nothing came yet, so nobody is there to ask
    receive(made, 2, 5)
    nack, pli = made.feedback(0.1)
    assert rtcp.parse(nack) == [rtcp.Nack(9, SSRC, (3, 4))]
    assert rtcp.parse(pli) == [rtcp.PictureLoss(9, SSRC)]
    assert made.feedback(0.15) == []
    made.receive(vp8(6, 6, key=True), 0.2)
    assert kinds(made.feedback(0.9)) == [rtcp.Nack]


def test_a_great_loss_asks_for_a_keyframe() -> None:
    made = encoding()
    receive(made, 1, 600)
    assert kinds(made.feedback(0.1)) == [rtcp.PictureLoss]


def test_only_what_was_negotiated_is_asked() -> None:
    fir_only = encoding(ChosenCodec("VP8", 96, 90000, 1, {}, ("ccm fir",)))
    receive(fir_only, 1, 5)
    fir_only.keyframes.want()
    (message,) = fir_only.feedback(0.0)
    assert message[0] & 0x1F == rtcp.FMT_FIR
    nothing = encoding(ChosenCodec("VP8", 96, 90000, 1, {}, ()))
    receive(nothing, 1, 5)
    nothing.keyframes.want()
    assert nothing.feedback(0.0) == []
    sound = encoding(OPUS)
    sound.receive(opus(1), 0.0)
    sound.receive(opus(9), 0.0)
    assert sound.feedback(0.0) == []


def test_another_ssrc_is_another_stream() -> None:
    made = encoding()
    receive(made, 1, 2, 4)
    assert not made.bind(SSRC, None)
    assert made.bind(777, None)
    assert (made.ssrc, made.rtx_ssrc) == (777, None)
    assert made.packets_from(0) == []
    assert made.report_block(1.0) is None
    made.receive(vp8(1, 9, key=True, ssrc=777), 1.0)
    block = made.report_block(1.0)
    assert block is not None
    assert block.ssrc == 777
    assert (made.stats().packets_received, made.stats().packets_lost) == (4, 1)


def test_statistics() -> None:
    made = encoding()
    made.measure(10.0)
    for number in range(30):
        made.receive(vp8(number, number, key=number % 10 == 0), 10.0 + number / 30)
    made.measure(10.5)
    assert made.stats().bitrate_bps == 0.0
    made.measure(11.0)
    stats = made.stats()
    assert (stats.frames_received, stats.keyframes_received, stats.frame_rate) == (30, 3, 30.0)
    assert (stats.width_px, stats.height_px) == (320, 240)
    assert stats.bitrate_bps == 8 * stats.bytes_received


def test_no_rate_is_told_of_the_time_before_it_was_measured() -> None:
    made = encoding()
    receive(made, 1, 2, 3)
    made.measure(10_000.0)
    assert (made.stats().bitrate_bps, made.stats().frame_rate) == (0.0, 0.0)
    receive(made, 4, 5)
    made.measure(10_001.0)
    assert made.stats().frame_rate == 2.0


def test_the_history_is_given_in_order() -> None:
    made = encoding()
    receive(made, 1, 2, 5, 4)
    first = made.packets_from(0)[0].sequence
    assert [packet.sequence - first for packet in made.packets_from(first + 1)] == [1, 3, 4]


def test_a_flood_of_sender_reports_is_passed_on_seldom() -> None:
    made = encoding()
    reports = [rtcp.SenderReport(SSRC, n << 32, n, n, n) for n in range(100)]
    told = [r for n, r in enumerate(reports) if made.receive_report(r, 10 + n * 0.01)]
    assert len(told) == 5
    assert made.last_report is told[-1]
