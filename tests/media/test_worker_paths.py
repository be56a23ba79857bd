"""The worker over real UDP: viewers say what came, and publishers are told what viewers can take."""

from __future__ import annotations

import asyncio

import pytest

from media import rtcp, twcc
from media.interface import BudgetChanged, Source
from media.rtp import extension, header
from tests.media.raw_peer import raw_peers
from tests.media.rtc_peer import Events, relay
from tests.media.test_worker import (
    AUDIO_SSRC,
    INTERFRAME,
    KEYFRAME,
    RTX_SSRC,
    VIDEO_SSRC,
    connected_pair,
    dropped,
    rtcp_of,
    video,
)

pytestmark = pytest.mark.usefixtures("packet_path")


async def test_packets_are_numbered_over_all_streams_and_feedback_is_read() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publisher.publish(Source.CAMERA, VIDEO_SSRC, RTX_SSRC)
        publisher.publish(Source.MICROPHONE, AUDIO_SSRC)
        camera, microphone = (await publisher.negotiate()).publications
        viewer.subscribe(camera.publication_id)
        viewer.subscribe(microphone.publication_id, "audio")
        await viewer.negotiate()
        await publisher.connect()
        await viewer.connect()
        recorder = twcc.ArrivalRecorder()
        now_us = 1_000_000
        for n in range(40):
            now_us += 10_000
            publisher.send_rtp(video(n, KEYFRAME if n == 0 else INTERFRAME))
            publisher.send_rtp(header(111, n, 960 * n, AUDIO_SSRC, False) + b"sound")
            for _ in range(2):
                value = extension(await viewer.next_rtp(), 3)
                assert value is not None
                recorder.received(int.from_bytes(value, "big"), now_us)
        (message,) = recorder.feedback(1, 2)
        viewer.send_rtcp(message)
        viewer.send_rtcp(rtcp.receiver_report(1, ()) + rtcp.transport_feedback(1, 2, b"nonsense"))
        assert (await dropped(worker, viewer))["malformed"] == 1
        stats = worker.path_stats("r", "b")
        assert stats is not None
        assert stats.loss == 0.0
        assert worker.path_stats("r", "nobody") is None
        first, count, arrivals = twcc.decode(message[12:])
        assert (first, count, len(arrivals)) == (0, 80, 80)


async def test_what_viewers_can_take_is_told_to_the_publisher() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b", "c") as (publisher, slow, fast):
        events = Events(worker)
        publication_id = await connected_pair(publisher, slow)
        publisher.send_rtp(video(0, KEYFRAME))
        ssrc = int.from_bytes((await slow.next_rtp())[8:12], "big")
        block = rtcp.ReportBlock(ssrc, 0, 0, 1, 0, 0, 0)
        slow.send_rtcp(rtcp.receiver_report(1, (block,)) + rtcp.remb(1, 500_000, [ssrc]))
        told = BudgetChanged("r", "a", publication_id, 500_000, 30.0)
        await events.until(told)
        while True:
            remb = await rtcp_of(publisher, rtcp.Remb)
            assert isinstance(remb, rtcp.Remb)
            if remb.bitrate_bps <= 500_000:
                break
        # The slowest viewer does not starve another one.
        fast.subscribe(publication_id)
        await fast.negotiate()
        await fast.connect()
        await events.until(BudgetChanged("r", "a", publication_id, 2_500_000, 30.0))
        await worker.leave("r", "b")
        await worker.leave("r", "c")
        while (await rtcp_of(publisher, rtcp.Remb)) != rtcp.Remb(remb.sender_ssrc, 2_500_000, (VIDEO_SSRC,)):
            pass


async def test_a_publisher_of_sound_is_told_the_share_that_its_worst_viewer_loses() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publisher.publish(Source.MICROPHONE, AUDIO_SSRC)
        (info,) = (await publisher.negotiate()).publications
        viewer.subscribe(info.publication_id, "audio")
        await viewer.negotiate()
        await publisher.connect()
        await viewer.connect()
        publisher.send_rtp(header(111, 1, 960, AUDIO_SSRC, True) + b"sound")
        await viewer.next_rtp()
        ssrc = viewer.answer.sections[0].ssrcs[0]
        viewer.send_rtcp(rtcp.receiver_report(1, (rtcp.ReportBlock(ssrc, 26, 9, 100, 0, 0, 0),)))
        async with asyncio.timeout(20):
            while True:
                report = await rtcp_of(publisher, rtcp.ReceiverReport)
                assert isinstance(report, rtcp.ReceiverReport)
                (block,) = report.blocks
                assert (block.ssrc, block.lost) == (AUDIO_SSRC, 0)
                if block.fraction_lost == 26:
                    break
