"""A Subscription: start, numbers, switches and retransmissions."""

from __future__ import annotations

import aiortc.rtp
import pytest

from media import rtcp, rtp, vp8
from media.answer import ChosenCodec
from media.depacketize import Depacketizer
from media.encoding import CATCH_UP_BYTES, CATCH_UP_S
from media.layers import EVERYTHING, LayerTarget
from media.publication import Publication
from media.subscription import RESEND_BURST, Subscription
from media.tap import decode_picture, open_decoder
from tests.media import coded, streams
from tests.media.coded import encode, encoder, moving_frames
from tests.media.streams import OPUS, opus, publication, simulcast, subscription, vp8_payload


def send(source: Publication, viewer: Subscription, data: bytes, now: float = 0.0) -> bytes | None:
    """One packet through both."""
    packet = source.encodings[0].receive(data, now)
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
    assert source.encodings[0].keyframes.wanted
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
    assert not source.encodings[0].keyframes.wanted


def test_nothing_is_forwarded_while_the_transport_is_down() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    viewer.deactivate()
    assert send(source, viewer, streams.vp8(2, 2, key=True)) is None
    viewer.want_keyframe()
    wanted_while_down = source.encodings[0].keyframes.wanted
    at_once = viewer.activate(2.0)
    assert (wanted_while_down, at_once, source.encodings[0].keyframes.wanted) == (False, [], True)
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
    assert back.encodings[0].keyframes.wanted
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
        source.encodings[0].receive(streams.vp8(51 + number, 2 + number, key=number == 0), 0.0)


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
    source.encodings[0].receive(streams.vp8(2, 2, key=True), 0.5)
    source.encodings[0].receive(streams.vp8(3, 3), 0.5)
    packets = [aiortc.rtp.RtpPacket.parse(data) for data in viewer.activate(0.6)]
    assert [packet.sequence_number for packet in packets] == [1001, 1002]
    assert 77 < packets[0].timestamp < packets[1].timestamp
    assert [picture_of(packet)[0] for packet in packets] == [2, 3]


def test_a_past_that_is_old_or_long_is_not_sent_and_a_keyframe_is_asked_for() -> None:
    source = publication()
    past(source, 3)
    viewer = subscription(source)
    viewer.deactivate()
    wanted_before = source.encodings[0].keyframes.wanted
    at_once = viewer.activate(CATCH_UP_S + 0.01)
    assert (wanted_before, at_once, source.encodings[0].keyframes.wanted) == (False, [], True)
    source = publication()
    past(source, 1)
    viewer = subscription(source)
    viewer.deactivate()
    for number in range(CATCH_UP_BYTES // 1000 + 1):
        source.encodings[0].receive(streams.vp8(52 + number, 3, marker=False) + bytes(1000), 0.0)
    assert viewer.activate(0.1) == []
    assert source.encodings[0].keyframes.wanted


BASE_ONLY = LayerTarget(max_spatial=0, max_temporal=0, paused=False)
L1T3 = (0, 2, 1, 2)


def layered(number: int, key: bool = False) -> bytes:
    """One of a stream of L1T3: a picture in one packet; the layers above the base begin anew each time."""
    temporal = L1T3[number % 4]
    return streams.vp8(
        500 + number, 40 + number, key=key, tl0=number // 4, temporal=temporal, sync=number % 4 in (1, 2)
    )


def test_temporal_layers_are_left_out_for_one_viewer_without_a_gap() -> None:
    source = publication()
    slow, other = subscription(source), subscription(source)
    packets: dict[Subscription, list[aiortc.rtp.RtpPacket]] = {slow: [], other: []}
    for number in range(24):
        if number in (8, 16):
            slow.set_layer(BASE_ONLY if number == 8 else EVERYTHING)
        taken = source.encodings[0].receive(layered(number, key=number == 0), number / 30)
        assert taken is not None
        for viewer, got in packets.items():
            outgoing = viewer.forward(taken, number / 30)
            if outgoing is not None:
                got.append(aiortc.rtp.RtpPacket.parse(outgoing))
    assert [p.payload for p in packets[other]] == [layered(n, key=n == 0)[12:] for n in range(24)]
    kept = [*range(9), 12, 16, 18, *range(20, 24)]
    assert [p.timestamp for p in packets[slow]] == [77 + 3000 * n for n in kept]
    assert [p.sequence_number for p in packets[slow]] == [1000 + n for n in range(len(kept))]
    assert [picture_of(p) for p in packets[slow]] == [(40 + n, kept[n] // 4) for n in range(len(kept))]
    # What is asked for again is what went out under that number.
    for packet in packets[slow]:
        (again,) = slow.retransmit((packet.sequence_number,), 5.0)
        start, end = rtp.payload_bounds(again)
        assert again[start + 2 : end] == packet.payload


def test_a_viewer_who_wants_little_from_the_start_gets_no_more() -> None:
    source = publication()
    viewer = subscription(source)
    viewer.set_layer(BASE_ONLY)
    got = [send(source, viewer, layered(number, key=number == 0)) for number in range(8)]
    assert [packet is not None for packet in got] == [True, False, False, False] * 2


def test_what_is_late_of_a_layer_left_out_fills_its_number_and_stays_empty() -> None:
    source = publication()
    viewer = subscription(source)
    viewer.set_layer(BASE_ONLY)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    upper = [streams.vp8(n, 2, temporal=1, marker=n == 4, starts=n == 2) for n in range(2, 5)]
    # The first and the second packet of the picture change places.
    assert send(source, viewer, upper[1]) is None
    late = forwarded(source, viewer, upper[0])
    assert (late.sequence_number, late.payload, late.marker) == (1001, b"", 0)
    assert send(source, viewer, upper[2]) is None
    assert forwarded(source, viewer, streams.vp8(5, 3)).sequence_number == 1002
    (again,) = viewer.retransmit((1001,), 1.0)
    start, end = rtp.payload_bounds(again)
    assert again[start:end] == (1001).to_bytes(2, "big")


def test_a_switch_of_publications_goes_on_from_a_thinned_one() -> None:
    front, back = publication(), publication(name="back")
    viewer = subscription(front)
    viewer.set_layer(BASE_ONLY)
    for number in range(7):
        send(front, viewer, layered(number, key=number == 0))
    viewer.attach(back)
    after = forwarded(back, viewer, streams.vp8(9, 300, key=True, tl0=9), 1.0)
    assert (after.sequence_number, picture_of(after)) == (1002, (42, 2))
    assert send(back, viewer, streams.vp8(10, 301, temporal=2)) is None
    assert picture_of(forwarded(back, viewer, streams.vp8(11, 302, tl0=10), 1.1)) == (43, 3)


def test_nothing_goes_out_while_paused_and_a_keyframe_begins_it_again() -> None:
    source = publication()
    viewer = subscription(source)
    forwarded(source, viewer, streams.vp8(1, 1, key=True))
    viewer.set_layer(LayerTarget(0, None, paused=True))
    assert send(source, viewer, streams.vp8(2, 2, key=True)) is None
    viewer.restart()
    viewer.deactivate()
    at_once, wanted_while_paused = viewer.activate(0.1), source.encodings[0].keyframes.wanted
    viewer.set_layer(EVERYTHING)
    assert (at_once, wanted_while_paused, source.encodings[0].keyframes.wanted) == ([], False, True)
    assert send(source, viewer, streams.vp8(3, 3)) is None
    assert forwarded(source, viewer, streams.vp8(4, 4, key=True)).sequence_number == 1001


@pytest.mark.parametrize(("codec", "is_flexible"), [("VP8", False), ("VP9", False), ("VP9", True)])
@pytest.mark.parametrize("highest", [0, 1])
def test_a_decoder_takes_what_is_left_of_a_real_stream(codec: str, is_flexible: bool, highest: int) -> None:
    name = ChosenCodec(codec, 96, 90000, 1, {}, ("nack", "nack pli"))
    source = publication(name)
    viewer = subscription(source, name)
    coded_pictures = encode(encoder(codec, 160, 120, layers=True), moving_frames(40))
    depacketizer, decoder = Depacketizer(codec), open_decoder(codec)
    frames, identities = 0, []
    for index, packets in enumerate(coded.packets(codec, coded_pictures, layers=coded.L1T3)):
        if index == 12:
            viewer.set_layer(LayerTarget(0, highest, paused=False))
        if index == 28:
            viewer.set_layer(EVERYTHING)
        for packet in packets:
            data = packet[:8] + streams.SSRC.to_bytes(4, "big") + packet[12:]
            outgoing = send(source, viewer, flexible(data) if is_flexible else data)
            if outgoing is None:
                continue
            identities.append(int.from_bytes(outgoing[2:4], "big"))
            if codec == "VP9":  # whose picture ids may have gaps: nothing of the payload is ours to change
                start, end = rtp.payload_bounds(packet)
                assert is_flexible or outgoing.endswith(packet[start:end])
            # As if of one layer, so that nothing is passed over before the decoder.
            plain = without_layers(codec, outgoing)
            for picture in depacketizer.push(plain, index / 30):
                assert decode_picture(decoder, picture) is not None
                frames += 1
    thinned = 4 if highest == 0 else 8
    # VP8 says nowhere that a layer can be had again; VP9 does at each picture of the base.
    assert frames == 12 + thinned + (12 if codec == "VP9" else 12 // (4 if highest == 0 else 2))
    assert identities == [(1000 + n) & 0xFFFF for n in range(len(identities))]


def without_layers(codec: str, packet: bytes) -> bytes:
    """An outgoing packet whose descriptor says nothing of layers."""
    start, _ = rtp.payload_bounds(packet)
    if codec == "VP8":
        return packet[: start + 1] + b"\x80" + packet[start + 2 : start + 4] + packet[start + 6 :]
    first, layers = bytes((packet[start] & ~0x20,)), 1 if packet[start] & 0x10 else 2
    return packet[:start] + first + packet[start + 1 : start + 3] + packet[start + 3 + layers :]


def flexible(packet: bytes) -> bytes:
    """A VP9 packet in flexible mode: without TL0PICIDX, with a reference where there is one."""
    first = packet[12] | 0x10
    reference = b"\x02" if first & 0x40 else b""
    return packet[:12] + bytes((first,)) + packet[13:16] + reference + packet[17:]


class Layers:
    """A camera in three sizes and one viewer of it."""

    def __init__(self) -> None:
        self.source = simulcast()
        self.viewer = subscription(self.source)
        self.sent = [0, 0, 0]
        self.got: list[aiortc.rtp.RtpPacket] = []
        self.shown: list[int] = []

    def send(self, now: float, *indices: int, key: bool = False) -> None:
        """One picture of each of these encodings."""
        for index in indices:
            encoding = self.source.encodings[index]
            self.sent[index] += 1
            number = self.sent[index]
            packet = encoding.receive(
                streams.simulcast_vp8(encoding, 5000 * index + number, number, key=key), now
            )
            assert packet is not None
            outgoing = self.viewer.forward(packet, now)
            if outgoing is not None:
                self.got.append(aiortc.rtp.RtpPacket.parse(outgoing))
                self.shown.append(index)
        if self.source.refresh(now):
            self.viewer.choose()

    def check_numbers(self) -> None:
        """A decoder sees one stream."""
        assert [p.sequence_number for p in self.got] == [1000 + n for n in range(len(self.got))]
        first = picture_of(self.got[0])
        assert [picture_of(p)[0] for p in self.got] == [first[0] + n for n in range(len(self.got))]
        times = [p.timestamp for p in self.got]
        assert times == sorted(set(times))


def test_a_viewer_changes_between_sizes_at_keyframes_only() -> None:
    layers = Layers()
    low, _, high = layers.source.encodings
    layers.send(0.0, 0, 1, 2, key=True)
    assert layers.shown == [0, 2]  # the smallest came first, and was better than nothing
    layers.send(0.1, 0, 1, 2)
    layers.viewer.set_layer(LayerTarget(0, None, paused=False))
    assert low.keyframes.wanted
    layers.send(0.2, 0, 1, 2)
    layers.send(0.3, 0, key=True)
    layers.send(0.3, 1, 2)
    layers.send(0.4, 0, 1, 2)
    assert layers.shown == [0, 2, 2, 2, 0, 0]
    layers.viewer.set_layer(EVERYTHING)
    assert high.keyframes.wanted
    layers.send(0.5, 0, 1, 2)
    layers.send(0.6, 0, 1, 2, key=True)
    assert layers.shown[6:] == [0, 0, 2]
    layers.check_numbers()
    # A retransmission comes from the encoding that is shown now.
    (again,) = layers.viewer.retransmit((layers.got[-1].sequence_number,), 1.0)
    start, end = rtp.payload_bounds(again)
    assert again[start + 2 : end] == layers.got[-1].payload
    assert layers.viewer.retransmit((layers.got[-2].sequence_number,), 1.0) == []


def test_an_encoding_that_falls_silent_is_replaced_by_the_best_below_and_comes_back() -> None:
    layers = Layers()
    layers.send(0.0, 0, 1, 2, key=True)
    for step in range(1, 20):
        layers.send(0.1 * step, 0, 1)
    assert layers.source.encodings[1].keyframes.wanted
    layers.send(2.0, 0, 1, key=True)
    layers.send(2.1, 0, 1)
    assert layers.shown[-2:] == [1, 1]
    layers.send(2.2, 0, 1, 2)
    assert layers.source.encodings[2].keyframes.wanted
    layers.send(2.3, 0, 1, 2, key=True)
    layers.send(2.4, 0, 1, 2)
    assert layers.shown[-2:] == [2, 2]
    layers.check_numbers()


def test_who_comes_in_between_begins_with_the_size_that_is_there() -> None:
    layers = Layers()
    layers.viewer.deactivate()
    layers.send(0.0, 0, key=True)
    layers.send(0.1, 0, 1, 2)
    first, second = layers.viewer.activate(0.2)
    assert layers.source.encodings[2].keyframes.wanted
    layers.got += [aiortc.rtp.RtpPacket.parse(data) for data in (first, second)]
    assert not layers.source.encodings[0].keyframes.wanted
    layers.send(0.3, 0, 1, 2)
    layers.send(0.4, 0, 1, 2, key=True)
    assert layers.shown == [0, 0, 2]
    layers.check_numbers()


def test_a_report_is_of_the_encoding_that_is_shown() -> None:
    layers = Layers()
    layers.send(0.0, 0, 1, 2, key=True)
    shown = layers.got[-1]
    packet_time = int.from_bytes(streams.simulcast_vp8(layers.source.encodings[2], 1, 1)[4:8], "big")
    report = layers.viewer.sender_report(rtcp.SenderReport(streams.LAYER_SSRCS[2], 1, packet_time, 1, 1))
    assert report is not None
    assert report.rtp_timestamp == shown.timestamp


def test_another_publication_after_the_past_keeps_its_own_time() -> None:
    front, back = publication(), publication(name="back")
    past(front, 3)
    viewer = subscription(front)
    viewer.deactivate()
    assert len(viewer.activate(0.1)) == 3
    viewer.attach(back)
    first = forwarded(back, viewer, streams.vp8(1, 1, key=True), 0.2)
    second = forwarded(back, viewer, streams.vp8(2, 2), 0.3)
    assert second.timestamp - first.timestamp == 3000
