"""Hostile participants with good keys, over real UDP: what they send is dropped and counted, it takes bounded
memory, and neither their own room nor another is harmed."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from media import rtcp
from media.interface import MediaConfig, SdpRefused, Source
from media.rtp import extension, extension_block, header
from media.subscription import RESEND_BURST
from media.worker import MediaWorker
from tests.media.raw_peer import RawPeer, raw_peers
from tests.media.rtc_peer import LOOPBACK, relay
from tests.media.test_worker import (
    INTERFRAME,
    KEYFRAME,
    RTX_SSRC,
    VIDEO_SSRC,
    connected_pair,
    dropped,
    payload_of,
    sequence_of,
    video,
)

pytestmark = pytest.mark.usefixtures("packet_path")

MAX_GROWTH_BYTES = 8_000_000
"""What a room may hold: a history of video is 1024 packets, and queues are bounded."""


@asynccontextmanager
async def two_rooms(
    config: MediaConfig = LOOPBACK,
) -> AsyncIterator[tuple[MediaWorker, RawPeer, RawPeer, Callable[[], Awaitable[None]]]]:
    """A hostile pair in one room, and a function that proves that another room's video arrives untouched."""
    async with relay(config) as worker, raw_peers(worker, "a", "b", "good", "sees") as peers:
        hostile, viewer, publisher, seeing = peers
        publisher.room_id = seeing.room_id = "other"
        await connected_pair(publisher, seeing)
        await connected_pair(hostile, viewer)
        sent = 0

        async def unharmed() -> None:
            nonlocal sent
            for _ in range(20):
                payload = (KEYFRAME if sent == 0 else INTERFRAME) + sent.to_bytes(4, "big")
                publisher.send_rtp(video(sent, payload))
                assert payload_of(await seeing.next_rtp()) == payload
                sent += 1

        await unharmed()
        yield worker, hostile, viewer, unharmed
        await unharmed()


async def in_batches(count: int, peer: RawPeer, send: Callable[[int], None]) -> None:
    """Send many packets, never more at once than the socket's buffer takes."""
    for index in range(count):
        send(index)
        if index % 50 == 49:
            await peer.handled()
    await peer.handled()


async def test_a_replay_from_another_address_moves_nobody() -> None:
    async with two_rooms() as (worker, hostile, viewer, _):
        protected = hostile.sending.protect(video(1, KEYFRAME))
        report = viewer.sending.protect_rtcp(rtcp.receiver_report(1, ()))
        hostile.send_datagram(protected)
        viewer.send_datagram(report)
        await viewer.next_rtp()
        await viewer.handled()
        stranger = RawPeer(worker, "stranger")
        await stranger.move(validate=False)
        stranger.send_datagram(protected)
        stranger.send_datagram(report)
        assert await dropped(worker, stranger) == {"unvalidated_address": 2}
        hostile.send_rtp(video(2))
        assert payload_of(await viewer.next_rtp()) == INTERFRAME
        assert stranger.rtp.empty()
        await stranger.close()


async def test_hostile_headers_and_extensions_are_dropped() -> None:
    async with two_rooms() as (worker, hostile, viewer, _):
        hostile.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        # SRTP itself refuses to protect headers that run over the end; padding and extensions it passes.
        for sequence, padding in enumerate((b"\xff", b"\x00"), 2):
            packet = header(96, sequence, 6000, VIDEO_SSRC, True)
            hostile.send_rtp(b"\xa0" + packet[1:] + b"\x10\x01 too much padding" + padding)
        odd = (
            b"\xbe\xde\x00\x01\x3f\x00\x00\x00",  # a transport-cc number longer than the extension
            b"\xbe\xde\x00\x01\xff\xff\xff\xff",  # id 15
            b"\x10\x00\x00\x01\x03\xff\x00\x00",  # the two-byte form, its length beyond the end
            b"\xbe\xde\x00\x02\x4f" + b"x" * 7,  # a mid longer than the block
            b"\xab\xcd\x00\x01\x00\x00\x00\x00",  # no form that is known
        )
        for sequence, block in enumerate(odd, 4):
            packet = header(96, sequence, 6000, VIDEO_SSRC, True)
            hostile.send_rtp(b"\x90" + packet[1:] + block + INTERFRAME)
        assert await dropped(worker, hostile) == {"malformed": 2}
        for _ in odd:
            forwarded = await viewer.next_rtp()
            # The viewer gets the relay's own extensions, never the publisher's.
            assert payload_of(forwarded) == INTERFRAME
            assert forwarded[12:17] == b"\xbe\xde\x00\x02\x31"
            assert extension(forwarded, 4) == b"0"


async def test_random_packets_with_good_keys_take_bounded_memory() -> None:
    rng = random.Random(4)
    async with two_rooms() as (worker, hostile, _, unharmed):

        def send(index: int) -> None:
            number = rng.randrange(1 << 16)
            extensions = extension_block([(3, number.to_bytes(2, "big")), (4, rng.randbytes(3))])
            ssrc = rng.choice((VIDEO_SSRC, RTX_SSRC, rng.randrange(1 << 32)))
            packet = header(rng.choice((96, 97, 50)), index & 0xFFFF, number, ssrc, True, extensions)
            hostile.send_rtp(packet + rng.randbytes(rng.randrange(1, 60)))

        await in_batches(500, hostile, send)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            await in_batches(4000, hostile, send)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < MAX_GROWTH_BYTES
        assert worker.stats().packets_dropped["unknown_ssrc"] > 1000
        await unharmed()


async def test_the_same_ssrc_in_two_rooms_and_in_one() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b", "c", "d") as peers:
        first, of_first, second, of_second = peers
        await connected_pair(first, of_first)
        await connected_pair(second, of_second)
        for number, publisher in enumerate((first, second)):
            publisher.send_rtp(video(1, KEYFRAME + bytes([number])))
        assert payload_of(await of_first.next_rtp()) == KEYFRAME + b"\x00"
        assert payload_of(await of_second.next_rtp()) == KEYFRAME + b"\x01"
        # Who moves is known by the keys, not by the SSRC.
        await second.move(validate=False)
        second.send_rtp(video(2, b"\x10\x01moved"))
        assert payload_of(await of_second.next_rtp()) == b"\x10\x01moved"
        first.send_rtp(video(2, b"\x10\x01stays"))
        assert payload_of(await of_first.next_rtp()) == b"\x10\x01stays"


async def test_an_offer_that_gives_one_ssrc_to_two_sources_is_refused() -> None:
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        peer.publish(Source.CAMERA, VIDEO_SSRC, RTX_SSRC)
        peer.publish(Source.SCREEN, VIDEO_SSRC)
        with pytest.raises(SdpRefused):
            await peer.negotiate()
        peer.lines.clear()
        peer.publications.clear()
        peer.publish(Source.CAMERA, VIDEO_SSRC, VIDEO_SSRC)
        with pytest.raises(SdpRefused):
            await peer.negotiate()
        assert worker.stats().transports == 0


async def test_rtcp_bombs_are_not_multiplied() -> None:
    async with two_rooms() as (_, hostile, viewer, unharmed):
        hostile.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        ssrc = viewer.answer.sections[0].ssrcs[0]
        reports = b"".join(
            rtcp.sender_report(rtcp.SenderReport(VIDEO_SSRC, n << 32, n, n, n)) for n in range(40)
        )
        targets = struct.pack("!II", 1, 0) + struct.pack("!IB3x", ssrc, 1) * 100
        requests = struct.pack("!BBH", 0x84, 206, len(targets) // 4) + targets
        for _ in range(50):
            hostile.send_rtcp(reports)
            viewer.send_rtcp(requests)
            viewer.send_rtcp(rtcp.picture_loss(1, ssrc) * 80)
        await hostile.handled()
        await viewer.handled()
        told = 0
        while not viewer.rtcp.empty():
            packets = rtcp.parse(viewer.rtcp.get_nowait())
            told += sum(isinstance(p, rtcp.SenderReport) for p in packets)
        # A sender report at most each 0.2 s, instead of 2000.
        assert 1 <= told < 20
        asked = 0
        while not hostile.rtcp.empty():
            packets = rtcp.parse(hostile.rtcp.get_nowait())
            asked += sum(isinstance(p, rtcp.PictureLoss) for p in packets)
        assert asked < 10
        await unharmed()


async def test_a_nack_storm_is_answered_within_a_budget() -> None:
    async with two_rooms() as (_, hostile, viewer, unharmed):
        hostile.send_rtp(video(0, KEYFRAME))
        for number in range(1, 200):
            hostile.send_rtp(video(number))
            await hostile.handled()
        got = [sequence_of(await viewer.next_rtp()) for _ in range(200)]
        ssrc = viewer.answer.sections[0].ssrcs[0]
        everything = rtcp.nack(1, ssrc, got)
        for _ in range(100):
            viewer.send_rtcp(everything + rtcp.nack(1, ssrc, list(range(0, 65536, 500))))
            await viewer.handled()
        again = viewer.rtp.qsize()
        # 20,000 packets were asked for.
        assert 200 <= again < 3 * RESEND_BURST
        await unharmed()


async def test_bogus_transport_feedback_harms_nobody() -> None:
    rng = random.Random(6)
    async with two_rooms() as (worker, hostile, viewer, unharmed):
        hostile.send_rtp(video(0, KEYFRAME))
        await viewer.next_rtp()
        for index in range(300):
            body = rng.randbytes(4 * rng.randrange(0, 60))
            if index % 3 == 0:  # the head of a long run, of packets that were never sent
                body = struct.pack("!HHI", rng.randrange(1 << 16), 0xFFFF, 5 << 8) + b"\x3f\xff" + body
            viewer.send_rtcp(rtcp.transport_feedback(1, 2, body))
        await viewer.handled()
        assert set(worker.stats().packets_dropped) <= {"malformed"}
        hostile.send_rtp(video(1))
        assert payload_of(await viewer.next_rtp()) == INTERFRAME
        await unharmed()


async def test_a_publisher_far_above_its_budget_is_cut_and_others_are_not() -> None:
    config = MediaConfig(bind_host="127.0.0.1", max_publication_bps=100_000)
    async with two_rooms(config) as (worker, hostile, viewer, unharmed):
        hostile.send_rtp(video(0, KEYFRAME))
        await viewer.next_rtp()
        before = worker.stats().packets_sent
        payload = INTERFRAME + bytes(1100)
        # What its budget lasts six minutes for.
        await in_batches(4000, hostile, lambda index: hostile.send_rtp(video(1 + index, payload)))
        found = dict(worker.stats().packets_dropped)
        forwarded = worker.stats().packets_sent - before
        assert found == {"over_budget": 4000 - forwarded}
        assert 1 <= forwarded < 2000
        await unharmed()


async def test_a_viewer_that_sends_media_is_not_recorded_for_ever() -> None:
    async with two_rooms() as (worker, _, viewer, unharmed):
        await in_batches(2000, viewer, lambda index: viewer.send_rtp(video(index, number=index)))
        found = dict(worker.stats().packets_dropped)
        assert found.pop("unknown_ssrc") + found.pop("over_budget", 0) == 2000
        assert found == {}
        await unharmed()
