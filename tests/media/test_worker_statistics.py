"""The worker over real UDP: how each viewer fares, in numbers."""

from __future__ import annotations

import asyncio

import pytest

from media import rtcp
from media.interface import MediaConfig, SubscriptionStats
from media.layers import LayerTarget
from media.worker import MediaWorker
from tests.media.raw_peer import RawPeer, raw_peers
from tests.media.rtc_peer import relay
from tests.media.test_worker import INTERFRAME, KEYFRAME, connected_pair, video

pytestmark = pytest.mark.usefixtures("packet_path")


def of_viewer(worker: MediaWorker) -> SubscriptionStats:
    """The only Subscription of participant b."""
    (stats,) = worker.subscription_stats("r", "b")
    return stats


async def fast_and_lossy(worker: MediaWorker, publisher: RawPeer, viewer: RawPeer) -> int:
    """Send until a rate is known, and have the viewer report, of a loss too small to give way to; how many
    packets went out."""
    count = 0
    async with asyncio.timeout(20):
        while not of_viewer(worker).frame_rate:
            publisher.send_rtp(video(count, KEYFRAME if count == 0 else INTERFRAME))
            count += 1
            await viewer.next_rtp()
    ssrc = viewer.answer.sections[0].ssrcs[0]
    viewer.send_rtcp(rtcp.receiver_report(1, (rtcp.ReportBlock(ssrc, 4, 7, 100, 900, 0, 0),)))
    await viewer.handled()
    return count


async def test_each_subscription_says_how_its_viewer_fares() -> None:
    # However fast the packets follow each other here, it is not too much for the viewer.
    generous = MediaConfig(bind_host="127.0.0.1", max_publication_bps=10**10)
    async with relay(generous) as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publication_id = await connected_pair(publisher, viewer)
        assert worker.subscription_stats("r", "a") == worker.subscription_stats("r", "nobody") == ()
        count = await fast_and_lossy(worker, publisher, viewer)
        stats = of_viewer(worker)
        assert stats.publication_id == publication_id
        assert stats.bitrate_bps > 8 * len(INTERFRAME)
        assert (stats.width_px, stats.height_px, stats.spatial, stats.encodings) == (320, 240, 0, 1)
        assert (stats.loss, stats.packets_lost, stats.jitter_ms) == (4 / 256, 7, 10.0)
        assert (stats.paused, stats.max_temporal) == (False, None)
        frames = worker.publication_stats(publication_id)
        assert frames is not None
        assert frames.frames_received == count
        worker.set_layer("r", "b", publication_id, LayerTarget(0, None, paused=True))
        stats = of_viewer(worker)
        assert (stats.paused, stats.width_px, stats.spatial) == (True, 0, None)


async def test_a_standstill_and_losses_are_summed_beyond_the_call() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        await fast_and_lossy(worker, publisher, viewer)
        async with asyncio.timeout(20):
            while not of_viewer(worker).freeze_count:
                await publisher.handled()
        assert worker.stats().viewer_packets_lost == 7
        frozen_s = worker.stats().viewer_frozen_s
        assert frozen_s > 0.5
        await worker.leave("r", "b")
        assert worker.stats().viewer_packets_lost == 7
        assert worker.stats().viewer_frozen_s >= frozen_s
