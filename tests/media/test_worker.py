"""The worker over real UDP with a peer that sends exactly what a test tells it: identity, feedback, repair,
movement, and everything hostile."""

from __future__ import annotations

import asyncio
import random
import struct
from typing import NoReturn

import aiortc.codecs
import aiortc.codecs.h264
import aiortc.codecs.opus
import aiortc.codecs.vpx
import av
import pytest

from media import rtcp, sdp, stun, twcc
from media.interface import (
    PublicationAdded,
    SdpRefused,
    Source,
    TappedFrame,
    TransportChanged,
    TransportState,
    UnknownPublication,
)
from media.rtp import extension, extension_block, header, payload_bounds, unwrap_rtx
from media.worker import MediaWorker
from tests.media.coded import encode, encoder, moving_frames, packets, payloads
from tests.media.raw_peer import RawPeer, raw_peers
from tests.media.rtc_peer import Events, relay

pytestmark = pytest.mark.usefixtures("packet_path")

VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC = 0x1111, 0x2222, 0x3333
KEYFRAME = b"\x10\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00 a key frame"
INTERFRAME = b"\x10\x01 another frame"


def video(
    sequence: int, payload: bytes = INTERFRAME, *, marker: bool = True, number: int | None = None
) -> bytes:
    """A packet of the test camera; number: its transport-wide sequence number."""
    extensions = b"" if number is None else extension_block([(3, number.to_bytes(2, "big"))])
    return header(96, sequence, 3000 * sequence, VIDEO_SSRC, marker, extensions) + payload


async def connected_pair(publisher: RawPeer, viewer: RawPeer) -> str:
    """A camera of one, viewed by the other; its publication id."""
    publisher.publish(Source.CAMERA, VIDEO_SSRC, RTX_SSRC)
    (info,) = (await publisher.negotiate()).publications
    viewer.subscribe(info.publication_id)
    await viewer.negotiate()
    await publisher.connect()
    await viewer.connect()
    return info.publication_id


def payload_of(packet: bytes) -> bytes:
    """What lies behind header and extensions."""
    start, end = payload_bounds(packet)
    return packet[start:end]


def sequence_of(packet: bytes) -> int:
    """The sequence number on the wire."""
    return int.from_bytes(packet[2:4], "big")


async def dropped(worker: MediaWorker, peer: RawPeer) -> dict[str, int]:
    """Drops by reason, after everything that the peer has sent."""
    await peer.handled()
    return dict(worker.stats().packets_dropped)


async def rtcp_of(peer: RawPeer, kind: type[rtcp.Rtcp]) -> rtcp.Rtcp:
    """The next RTCP packet of a kind that the relay sends to a peer."""
    async with asyncio.timeout(20):
        while True:
            for packet in rtcp.parse(await peer.rtcp.get()):
                if isinstance(packet, kind):
                    return packet


async def test_payloads_are_identical_and_no_encoder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    for index, picture in enumerate(encode(encoder("VP8", 160, 120), moving_frames(12))):
        sent += payloads("VP8", picture, index)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the relay constructs no encoder")

    for module, name in (
        (aiortc.codecs.vpx, "Vp8Encoder"),
        (aiortc.codecs.h264, "H264Encoder"),
        (aiortc.codecs.opus, "OpusEncoder"),
        (aiortc.codecs, "get_encoder"),
        (av, "CodecContext"),
    ):
        monkeypatch.setattr(module, name, refuse)
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        received = []
        for sequence, payload in enumerate(sent):
            publisher.send_rtp(video(sequence, payload, marker=False))
            received.append(payload_of(await viewer.next_rtp()))
        assert received == sent


async def test_header_is_the_viewers_own_and_the_first_packet_announces() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        events = Events(worker)
        publication_id = await connected_pair(publisher, viewer)
        assert worker.publications("r") == ()
        publisher.send_rtp(video(7, KEYFRAME, marker=False))
        publisher.send_rtp(video(8, marker=True))
        first, second = await viewer.next_rtp(), await viewer.next_rtp()
        (info,) = worker.publications("r")
        assert info.publication_id == publication_id
        assert PublicationAdded(info) in events.seen
        assert worker.publications("other") == ()
        ssrc = viewer.answer.sections[0].ssrcs[0]
        assert int.from_bytes(first[8:12], "big") == ssrc != VIDEO_SSRC
        assert (sequence_of(second) - sequence_of(first)) & 0xFFFF == 1
        stamps = [struct.unpack_from("!I", packet, 4)[0] for packet in (first, second)]
        assert (stamps[1] - stamps[0]) & 0xFFFFFFFF == 3000
        assert [packet[1] for packet in (first, second)] == [96, 96 | 0x80]
        assert extension(first, 4) == b"0"


async def test_a_subscription_starts_at_a_keyframe_and_asks_for_it() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1))
        wish = await rtcp_of(publisher, rtcp.PictureLoss)
        assert isinstance(wish, rtcp.PictureLoss)
        assert wish.media_ssrc == VIDEO_SSRC
        publisher.send_rtp(video(2))
        publisher.send_rtp(video(3, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME


async def test_the_publisher_is_asked_for_what_is_missing_and_its_rtx_fills_the_gap() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        publisher.send_rtp(video(4))
        nack = await rtcp_of(publisher, rtcp.Nack)
        assert nack == rtcp.Nack(nack.sender_ssrc, VIDEO_SSRC, (2, 3))  # type: ignore[union-attr]
        lost = b"\x10\x01 was lost"
        publisher.send_rtp(header(97, 500, 6000, RTX_SSRC, True) + b"\x00\x02" + lost)
        base = sequence_of(await viewer.next_rtp())
        got = [await viewer.next_rtp(), await viewer.next_rtp()]
        assert [(sequence_of(p) - base) & 0xFFFF for p in got] == [3, 1]
        assert payload_of(got[1]) == lost
        assert got[1][1] == 96 | 0x80


async def test_the_viewers_nack_is_answered_by_rtx_from_the_history() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        publisher.send_rtp(video(2))
        await viewer.next_rtp()
        second = await viewer.next_rtp()
        ssrc, rtx_ssrc = viewer.answer.sections[0].ssrcs
        viewer.send_rtcp(rtcp.nack(5, ssrc, [sequence_of(second)]))
        again = await viewer.next_rtp()
        assert again[1] & 0x7F == 97
        assert int.from_bytes(again[8:12], "big") == rtx_ssrc
        start, end = payload_bounds(again)
        original = unwrap_rtx(again, start, end, 96, ssrc)
        assert original is not None
        assert (original[1:12], payload_of(original)) == (second[1:12], payload_of(second))


async def test_transport_feedback_reports_and_cap_reach_the_publisher() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publication_id = await connected_pair(publisher, viewer)
        for number in range(100, 120):
            publisher.send_rtp(video(number, KEYFRAME, number=number))
        heard: set[int] = set()
        while len(heard) < 20:
            feedback = await rtcp_of(publisher, rtcp.TransportFeedback)
            assert isinstance(feedback, rtcp.TransportFeedback)
            first, _, arrivals = twcc.decode(feedback.body)
            heard |= {first + offset for offset in arrivals}
        assert heard == set(range(100, 120))
        report = await rtcp_of(publisher, rtcp.ReceiverReport)
        assert isinstance(report, rtcp.ReceiverReport)
        assert [block.ssrc for block in report.blocks] == [VIDEO_SSRC]
        worker.set_cap(publication_id, 200_000)
        async with asyncio.timeout(20):
            while True:
                remb = await rtcp_of(publisher, rtcp.Remb)
                assert isinstance(remb, rtcp.Remb)
                if abs(remb.bitrate_bps - 200_000) < 1000:
                    break
        assert remb.ssrcs == (VIDEO_SSRC,)
        worker.set_cap("unknown", 1)


async def test_a_sender_report_is_translated() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        forwarded = await viewer.next_rtp()
        publisher.send_rtcp(rtcp.sender_report(rtcp.SenderReport(VIDEO_SSRC, 77 << 32, 3000 + 450, 1, 1)))
        report = await rtcp_of(viewer, rtcp.SenderReport)
        assert isinstance(report, rtcp.SenderReport)
        stamp = struct.unpack_from("!I", forwarded, 4)[0]
        assert report.ntp == 77 << 32
        assert (report.rtp_timestamp - stamp) & 0xFFFFFFFF == 450
        assert (report.packets, report.octets) == (1, len(KEYFRAME))


async def test_audio_starts_at_once_and_an_unnamed_ssrc_is_known_by_its_mid() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        mid = publisher.publish(Source.MICROPHONE)
        camera_mid = publisher.publish(Source.CAMERA)
        screen_mid = publisher.publish(Source.SCREEN)
        infos = (await publisher.negotiate()).publications
        assert [info.source for info in infos] == [Source.MICROPHONE, Source.CAMERA, Source.SCREEN]
        viewer.subscribe(infos[0].publication_id, "audio")
        viewer.subscribe(infos[1].publication_id)
        viewer.subscribe(infos[2].publication_id)
        await viewer.negotiate()
        await publisher.connect()
        await viewer.connect()
        for named, payload_type, ssrc, payload in (
            (mid, 111, 1, b"sound"),
            (screen_mid, 96, 2, KEYFRAME + b"screen"),
            (camera_mid, 96, 3, KEYFRAME + b"camera"),
        ):
            block = extension_block([(4, named.encode())])
            publisher.send_rtp(header(payload_type, 1, 1, ssrc, True, block) + payload)
        got = {
            (p[1] & 0x7F, payload_of(p), extension(p, 4)) for p in [await viewer.next_rtp() for _ in range(3)]
        }
        assert got == {
            (111, b"sound", b"0"),
            (96, KEYFRAME + b"camera", b"1"),
            (96, KEYFRAME + b"screen", b"2"),
        }


async def test_another_network_is_followed_by_srtp_and_by_stun() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        await publisher.move(validate=False)
        publisher.send_rtp(video(2))
        assert payload_of(await viewer.next_rtp()) == INTERFRAME
        # Feedback comes to the new address, and asks for a keyframe that mends what was lost on the way.
        assert await rtcp_of(publisher, rtcp.PictureLoss)
        await viewer.move()
        publisher.send_rtp(video(3))
        assert payload_of(await viewer.next_rtp()) == INTERFRAME


async def test_a_viewer_that_sends_only_rtcp_is_followed_at_once() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b", "c") as (publisher, viewer, other):
        publication_id = await connected_pair(publisher, viewer)
        other.subscribe(publication_id)
        await other.negotiate()
        await other.connect()
        # Both use the SSRC of a browser that only receives.
        for peer in (viewer, other):
            peer.send_rtcp(rtcp.receiver_report(1, ()))
            await peer.handled()
        await viewer.move(validate=False)
        viewer.sockets[0].close()
        viewer.send_rtcp(rtcp.receiver_report(1, ()))
        # A keyframe is asked for, that mends what was lost on the way.
        publisher.send_rtp(video(1, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME
        assert payload_of(await other.next_rtp()) == KEYFRAME
        assert (await dropped(worker, publisher)) == {}


async def test_an_ice_restart_takes_new_credentials_and_the_old_ones_for_a_while() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        events = Events(worker)
        publication_id = await connected_pair(publisher, viewer)
        old = publisher.local
        publisher.ufrag, publisher.password = "restarted", "x" * 24
        (info,) = (await publisher.negotiate()).publications
        assert info.publication_id == publication_id
        assert publisher.local != old
        publisher.send_datagram(publisher.binding(*old))
        assert stun.parse(await publisher.stun.get()).message_type == stun.BINDING_SUCCESS
        await publisher.move()
        publisher.send_rtp(video(1, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME
        assert TransportChanged("r", "a", TransportState.CLOSED) not in events.seen


async def test_plain_stun_is_served_like_a_stun_server() -> None:
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        await peer.move(validate=False)
        peer.send_datagram(stun.build(stun.BINDING_REQUEST, b"t" * 12, []))
        reply = stun.parse(await asyncio.wait_for(peer.stun.get(), 20))
        assert reply.message_type == stun.BINDING_SUCCESS
        mapped = stun.read_xor_address(reply.attributes[stun.XOR_MAPPED_ADDRESS], b"t" * 12)
        assert mapped == peer.sockets[0].get_extra_info("sockname")
        assert worker.stats().transports == 0


async def test_the_tap_delivers_frames_and_ends() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publication_id = await connected_pair(publisher, viewer)
        frames: asyncio.Queue[TappedFrame] = asyncio.Queue()
        end = worker.watch(publication_id, frames.put_nowait)
        also = worker.watch(publication_id, frames.put_nowait)
        for picture in packets("VP8", encode(encoder("VP8", 160, 120), moving_frames(12))):
            for packet in picture:
                publisher.send_rtp(packet[:8] + VIDEO_SSRC.to_bytes(4, "big") + packet[12:])
                await viewer.next_rtp()
        frame = await asyncio.wait_for(frames.get(), 20)
        assert frame.rgb.shape == (120, 160, 3)
        assert await asyncio.wait_for(frames.get(), 20) is frame
        end()
        end()
        assert worker.best_frame(publication_id) is not None
        also()
        assert worker.best_frame(publication_id) is None
        with pytest.raises(UnknownPublication):
            worker.watch("unknown", frames.put_nowait)


# --- hostile input --------------------------------------------------------------------------------------


async def test_what_does_not_authenticate_is_dropped_and_counted() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        protected = publisher.sending.protect(video(2))
        publisher.send_datagram(protected)
        await viewer.next_rtp()
        replayed, truncated, forged = protected, protected[:-3], protected[:1] + bytes(40)
        for datagram in (replayed, truncated, forged, b"\x80\x60short", b"\x50" + bytes(40)):
            publisher.send_datagram(datagram)
        publisher.send_rtp(header(96, 1, 1, 0xBAD, True) + INTERFRAME)
        publisher.send_rtp(header(50, 9, 1, VIDEO_SSRC, True) + INTERFRAME)
        publisher.send_rtcp(b"\x81\xc8\x00\x01" + bytes(4))
        assert await dropped(worker, publisher) == {
            "not_authenticated": 3,
            "malformed": 3,
            "unknown_protocol": 1,
            "unknown_ssrc": 1,
        }
        publisher.send_rtp(video(3))
        assert payload_of(await viewer.next_rtp()) == INTERFRAME


async def test_nothing_but_stun_is_looked_at_from_an_unvalidated_address() -> None:
    async with relay() as worker, raw_peers(worker, "a", "stranger") as (peer, stranger):
        peer.publish(Source.CAMERA, VIDEO_SSRC)
        await peer.negotiate()
        stranger.answer = peer.answer
        await stranger.move(validate=False)
        ufrag, _ = peer.local
        for first in (b"\x16\xfe\xfd", b"\x80\x60", b"\x80\xc8"):
            stranger.send_datagram(first + bytes(50))
        stranger.send_datagram(stranger.binding(ufrag, "a wrong password"))
        stranger.send_datagram(stranger.binding("nobody", "a wrong password"))
        stranger.send_datagram(b"\x00\x01" + bytes(30))
        assert await dropped(worker, stranger) == {
            "unvalidated_address": 3,
            "wrong_integrity": 1,
            "unknown_ufrag": 1,
            "malformed": 1,
        }
        assert stranger.stun.empty()
        await peer.connect()


async def test_random_datagrams_change_nothing() -> None:
    rng = random.Random(20)
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        for _ in range(300):
            publisher.send_datagram(rng.randbytes(rng.randrange(1, 200)))
        publisher.send_rtp(video(1, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME


async def test_a_queue_of_dtls_datagrams_is_bounded() -> None:
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        peer.publish(Source.CAMERA)
        await peer.negotiate()
        await peer.move()
        for _ in range(200):
            peer.send_datagram(b"\x16\xfe\xfd" + bytes(10))
        await peer.dtls.handshake(peer.answer.sections[0].fingerprints)


async def test_a_refused_offer_changes_nothing() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b", "elsewhere") as (publisher, viewer, elsewhere):
        publication_id = await connected_pair(publisher, viewer)
        elsewhere.room_id = "s"
        elsewhere.subscribe(publication_id)
        with pytest.raises(UnknownPublication):
            await elsewhere.negotiate()
        with pytest.raises(SdpRefused):
            await worker.negotiate("r", "a", "v=0\r\n", {}, {})
        with pytest.raises(SdpRefused):
            await worker.negotiate("r", "a", publisher.offer(), {"9": Source.CAMERA}, {})
        with pytest.raises(SdpRefused):
            await worker.negotiate("r", "c", publisher.offer(), {"0": Source.MICROPHONE}, {})
        assert worker.stats().transports == 2
        publisher.send_rtp(video(1, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME


async def test_a_wrong_certificate_gets_no_keys() -> None:
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        events = Events(worker)
        peer.publish(Source.CAMERA)
        wrong = ":".join(["AB"] * 32)
        lines = [
            f"a=fingerprint:sha-256 {wrong}" if line.startswith("a=fingerprint") else line
            for line in peer.offer().split("\r\n")
        ]
        negotiation = await worker.negotiate("r", "a", "\r\n".join(lines), peer.publications, {})
        peer.answer = sdp.parse(negotiation.sdp)
        await peer.move()
        await peer.dtls.handshake(peer.answer.sections[0].fingerprints)
        await events.until(TransportChanged("r", "a", TransportState.CLOSED))
        assert worker.stats().transports == 0
