"""A Subscription: start, numbers, switches and retransmissions."""

from __future__ import annotations

import aiortc.rtp
import pytest

from media import rtcp, rtp, vp8
from media.answer import ChosenCodec
from media.publication import CATCH_UP_BYTES, CATCH_UP_S, Publication
from media.subscription import RESEND_BURST, Subscription
from tests.media import streams
from tests.media.streams import OPUS, opus, publication, subscription, vp8_payload


def send(source: Publication, viewer: Subscription, data: bytes, now: float = 0.0) -> bytes | None:
    """One packet through both."""
    packet = source.receive(data, now)
    assert packet is not None
    return viewer.forward(packet, now)


def forwarded(
    source: Publication, viewer: Subscription, data: bytes, now: float = 0.0
) -> aiortc.rtp.RtpPacket:
    """What the viewer gets, read by another codec."""
    outgoing = send(source, viewer, data, now)
    assert outgoing is not None
    return aiortc.rtp.RtpPacket.parse(outgoing)


def picture_of(packet: aiortc.rtp.RtpPacket) -> tuple[int, int]:
    """Picture numbers of a VP8 packet."""
    return vp8.picture_numbers(packet.payload, 0, len(packet.payload))


def test_it_starts_at_a_keyframe_under_its_own_numbers() -> None:
    source = publication()
    viewer = subscription(source)
    assert source.keyframes.wanted
    assert send(source, viewer, streams.vp8(50, 1)) is None
    first = forwarded(source, viewer, streams.vp8(51, 2, key=True, marker=False))
    second = forwarded(source, viewer, streams.vp8(53, 4))
    assert (first.sequence_number, second.sequence_number) == (1000, 1002)
    assert (first.timestamp, second.timestamp) == (77, 77 + 6000)
    assert (first.payload_type, first.ssrc, first.marker, second.marker) == (120, 500, 0, 1)
    assert first.payload == vp8_payload(2, key=True)
    assert second.payload == vp8_payload(4)


def test_what_came_before_the_start_is_not_sent_and_what_was_late_is() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(51, 2, key=True))
    forwarded(source, viewer, streams.vp8(53, 4))
    assert forwarded(source, viewer, streams.vp8(52, 3)).sequence_number == 1001
    assert send(source, viewer, streams.vp8(50, 1)) is None


def test_audio_starts_at_once() -> None:
    source = publication(OPUS)
    viewer = subscription(source)
    packet = forwarded(source, viewer, opus(7))
    assert (packet.sequence_number, packet.payload_type, packet.payload) == (1000, 63, opus(7)[12:])
    assert not source.keyframes.wanted


def test_nothing_is_forwarded_while_the_transport_is_down() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    viewer.deactivate()
    assert send(source, viewer, streams.vp8(2, 2, key=True)) is None
    viewer.want_keyframe()
    wanted_while_down = source.keyframes.wanted
    at_once = viewer.activate(2.0)
    assert (wanted_while_down, at_once, source.keyframes.wanted) == (False, [], True)
    assert send(source, viewer, streams.vp8(3, 3)) is None
    assert forwarded(source, viewer, streams.vp8(4, 4, key=True), 2.0).sequence_number == 1001


def test_numbers_wrap() -> None:
    source = publication()
    viewer = subscription(source, first_sequence=0x7FFF)
    got = [
        forwarded(source, viewer, streams.vp8(n & 0xFFFF, n, key=n == 65000))
        for n in range(65000, 65000 + 40000)
    ]
    assert [p.sequence_number for p in got] == [(0x7FFF + n) & 0xFFFF for n in range(40000)]


def test_a_switch_goes_on_without_a_gap() -> None:
    front, back = publication(), publication(name="back")
    viewer = subscription(front)
    forwarded(front, viewer, streams.vp8(1, 100, key=True, tl0=7), 1.0)
    before = forwarded(front, viewer, streams.vp8(2, 101, tl0=8), 1.033)
    viewer.attach(back)
    assert back.keyframes.wanted
    assert send(back, viewer, streams.vp8(9000, 5000)) is None
    after = forwarded(back, viewer, streams.vp8(9001, 5001, key=True, tl0=200), 1.533)
    assert after.sequence_number == before.sequence_number + 1
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 45000
    assert picture_of(before) == (101, 8)
    assert picture_of(after) == (102, 9)
    assert after.payload[5:] == vp8_payload(5001, key=True)[5:]
    following = forwarded(back, viewer, streams.vp8(9002, 5002, tl0=201), 1.566)
    assert picture_of(following) == (103, 10)
    # Back again: numbers still go on, and a retransmission carries the same numbers.
    viewer.attach(front)
    third = forwarded(front, viewer, streams.vp8(3, 150, key=True, tl0=30), 2.0)
    assert picture_of(third) == (104, 11)
    (again,) = viewer.retransmit((third.sequence_number,), 2.1)
    start, end = rtp.payload_bounds(again)
    assert again[start + 2 : end] == third.payload


def test_a_nack_is_answered_by_rtx() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    lost = send(source, viewer, streams.vp8(2, 2))
    assert lost is not None
    original = aiortc.rtp.RtpPacket.parse(lost)
    (first,) = viewer.retransmit((1001,), 1.0)
    wrapped = aiortc.rtp.RtpPacket.parse(first)
    assert (wrapped.payload_type, wrapped.ssrc) == (121, 501)
    unwrapped = aiortc.rtp.unwrap_rtx(wrapped, payload_type=120, ssrc=500)
    assert unwrapped.serialize() == original.serialize()
    (second,) = viewer.retransmit((1001,), 2.0)
    assert aiortc.rtp.RtpPacket.parse(second).sequence_number == wrapped.sequence_number + 1


def test_without_rtx_the_same_packet_is_sent_again() -> None:
    source = publication()
    viewer = subscription(source, ChosenCodec("VP8", 120, 90000, 1, {}, ("nack",)))
    sent = send(source, viewer, streams.vp8(1, 1, key=True))
    assert viewer.retransmit((1000,), 1.0) == [sent]


def test_what_cannot_be_sent_again_is_not() -> None:
    source, other = publication(), publication(name="other")
    viewer = subscription(source)
    assert viewer.retransmit((1000,), 0.0) == []
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    assert viewer.retransmit((999, 1001, 40000), 1.0) == []
    viewer.attach(other)
    forwarded(other, viewer, streams.vp8(1, 1, key=True), 1.0)
    assert viewer.retransmit((1000,), 2.0) == []
    assert len(viewer.retransmit((1001,), 2.0)) == 1


def test_a_flood_of_nacks_is_bounded() -> None:
    source = publication()
    viewer = subscription(source)
    for number in range(1, 901):
        send(source, viewer, streams.vp8(number, number, key=number == 1))
    everything = tuple(range(1000, 1900))
    sent = sum(len(viewer.retransmit(everything, 10.0 + 0.001 * tick)) for tick in range(100))
    assert sent <= RESEND_BURST + 100
    assert viewer.retransmit((1000, 1000), 20.0) != []
    assert viewer.retransmit((1000,), 20.001) == []


def test_a_sender_report_is_in_the_viewers_terms() -> None:
    source = publication()
    viewer = subscription(source)
    report = rtcp.SenderReport(streams.SSRC, 12345, 3000 * 2 + 90, 10, 20)
    assert viewer.sender_report(report) is None
    forwarded(source, viewer, streams.vp8(1, 2, key=True))
    octets = len(vp8_payload(2, key=True))
    assert viewer.sender_report(report) == rtcp.SenderReport(500, 12345, 77 + 90, 1, octets)


@pytest.mark.parametrize("picture", [0x7FFE, 0x7FFF])
def test_picture_numbers_wrap_at_a_switch(picture: int) -> None:
    front, back = publication(), publication(name="back")
    viewer = subscription(front)
    forwarded(front, viewer, streams.vp8(1, picture, key=True, tl0=255))
    viewer.attach(back)
    after = forwarded(back, viewer, streams.vp8(1, 3, key=True, tl0=3), 1.0)
    assert picture_of(after) == ((picture + 1) & 0x7FFF, 0)


def past(source: Publication, frames: int) -> None:
    """A keyframe and what follows it, before anybody came."""
    for number in range(frames):
        source.receive(streams.vp8(51 + number, 2 + number, key=number == 0), 0.0)


def test_the_past_is_hastened_towards_the_present() -> None:
    source = publication()
    past(source, 5)
    viewer = subscription(source)
    viewer.deactivate()
    packets = [aiortc.rtp.RtpPacket.parse(data) for data in viewer.activate(0.1)]
    live = packets[-1].timestamp
    assert [live - packet.timestamp for packet in packets] == [
        12000 // 16,
        9000 // 16,
        6000 // 16,
        3000 // 16,
        0,
    ]
    following = forwarded(source, viewer, streams.vp8(56, 7))
    assert following.timestamp == live + 3000
    (again,) = viewer.retransmit((packets[1].sequence_number,), 1.0)
    resent = aiortc.rtp.RtpPacket.parse(again)
    assert (resent.timestamp, resent.payload[2:]) == (packets[1].timestamp, packets[1].payload)


def test_back_from_silence_the_past_goes_on_under_the_next_numbers() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    viewer.deactivate()
    source.receive(streams.vp8(2, 2, key=True), 0.5)
    source.receive(streams.vp8(3, 3), 0.5)
    packets = [aiortc.rtp.RtpPacket.parse(data) for data in viewer.activate(0.6)]
    assert [packet.sequence_number for packet in packets] == [1001, 1002]
    assert 77 < packets[0].timestamp < packets[1].timestamp
    assert [picture_of(packet)[0] for packet in packets] == [2, 3]


def test_a_past_that_is_old_or_long_is_not_sent_and_a_keyframe_is_asked_for() -> None:
    source = publication()
    past(source, 3)
    viewer = subscription(source)
    viewer.deactivate()
    wanted_before = source.keyframes.wanted
    at_once = viewer.activate(CATCH_UP_S + 0.01)
    assert (wanted_before, at_once, source.keyframes.wanted) == (False, [], True)
    source = publication()
    past(source, 1)
    viewer = subscription(source)
    viewer.deactivate()
    for number in range(CATCH_UP_BYTES // 1000 + 1):
        source.receive(streams.vp8(52 + number, 3, marker=False) + bytes(1000), 0.0)
    assert viewer.activate(0.1) == []
    assert source.keyframes.wanted
