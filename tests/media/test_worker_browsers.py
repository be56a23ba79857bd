"""The relay between real Chromium pages: every codec, renegotiation, ICE restart, a page that comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from media.interface import PublicationEnded, PublicationInfo, TappedFrame, TransportChanged, TransportState
from media.worker import MediaWorker
from tests.conftest import LaunchChromium
from tests.media.rtc_peer import Events, relay
from tests.media.signaled_page import serve

WAIT_S = 40


async def opened(browser: Browser, url: str, participant: str) -> Page:
    """A page of one participant in room r."""
    page = await browser.new_page()
    await page.goto(f"{url}?room=r&participant={participant}")
    return page


async def evaluate(page: Page, expression: str, argument: object = None) -> Any:
    """Evaluate, and fail instead of hanging."""
    return await asyncio.wait_for(page.evaluate(expression, argument), WAIT_S)


def camera(worker: MediaWorker, participant: str) -> PublicationInfo:
    """A participant's camera that has begun."""
    return next(
        info
        for info in worker.publications("r")
        if info.participant_id == participant and info.source == "camera"
    )


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
async def test_video_and_audio_reach_another_page(chromium: LaunchChromium, codec: str) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        published = await evaluate(publisher, "codec => publish(codec)", codec)
        await evaluate(viewer, "list => view(list)", published)
        video = next(publication for publication, kind in published if kind == "video")
        assert await evaluate(viewer, "id => frames(id, 15)", video) == [320, 240]
        assert await evaluate(viewer, "() => grows('inbound-rtp', 'audio', 'packetsReceived', 20)")
        assert camera(worker, "a").codec == codec
        stats = worker.publication_stats(video)
        assert stats is not None
        assert (stats.width_px, stats.height_px) == (320, 240)
        assert stats.keyframes_received >= 1
        tapped: asyncio.Queue[TappedFrame] = asyncio.Queue()
        end = worker.watch(video, tapped.put_nowait)
        frame = await asyncio.wait_for(tapped.get(), WAIT_S)
        assert frame.rgb.shape == (240, 320, 3)
        assert worker.best_frame(video) is not None
        end()
        assert worker.best_frame(video) is None


async def test_both_ways_with_a_subscription_and_a_screen_added_later(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        first, second = await opened(browser, url, "a"), await opened(browser, url, "b")
        of_first = await evaluate(first, "publish('VP8')")
        of_second = await evaluate(second, "publish('VP8')")
        await evaluate(first, "list => view(list)", of_second)
        await evaluate(second, "list => view(list)", of_first)
        await evaluate(first, "id => frames(id, 5)", of_second[1][0])
        await evaluate(second, "id => frames(id, 5)", of_first[1][0])
        renegotiated = await evaluate(first, "addScreen()")
        assert [p[0] for p in renegotiated[:2]] == [p[0] for p in of_first]
        screen = renegotiated[2]
        await evaluate(second, "list => view(list)", [screen])
        assert await evaluate(second, "id => frames(id, 5)", screen[0]) == [320, 240]
        # What was there before goes on.
        await evaluate(second, "id => frames(id, 5)", of_first[1][0])


async def test_an_ice_restart_keeps_the_connection(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        events = Events(worker)
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        published = await evaluate(publisher, "publish('VP8')")
        await evaluate(viewer, "list => view(list)", published)
        await evaluate(viewer, "id => frames(id, 5)", published[1][0])
        port = await evaluate(viewer, "localPort()")
        for page in (publisher, viewer):
            await evaluate(page, "negotiate({iceRestart: true})")
        await evaluate(
            viewer,
            "old => new Promise((done) => { const look = () => "
            "localPort() === old ? setTimeout(look, 20) : done(); look(); })",
            port,
        )
        await evaluate(viewer, "id => frames(id, 15)", published[1][0])
        closed = TransportChanged("r", "a", TransportState.CLOSED)
        assert closed not in events.seen
        assert camera(worker, "a").publication_id == published[1][0]


async def test_a_page_that_closes_and_comes_back(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        events = Events(worker)
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        published = await evaluate(publisher, "publish('VP8')")
        await evaluate(viewer, "list => view(list)", published)
        await evaluate(viewer, "id => frames(id, 5)", published[1][0])
        info = camera(worker, "a")
        await publisher.close()
        publisher = await opened(browser, url, "a")
        again = await evaluate(publisher, "publish('VP8')")
        await events.until(PublicationEnded(info))
        # The viewer's m-lines are given to the new Publications: the numbers go on, without a new decoder.
        await evaluate(
            viewer,
            """list => { for (const [transceiver, old] of [...wanted]) {
                 const [id, kind] = list.find(([, kind]) => kind === transceiver.receiver.track.kind);
                 wanted.set(transceiver, id); videos.set(id, videos.get(old)); }
               return negotiate(); }""",
            again,
        )
        assert await evaluate(viewer, "id => frames(id, 15)", again[1][0]) == [320, 240]
        assert await evaluate(viewer, "() => grows('inbound-rtp', 'audio', 'packetsReceived', 20)")


async def test_a_cap_reaches_the_browsers_estimate(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        publisher = await opened(browser, url, "a")
        published = await evaluate(publisher, "publish('VP8')")
        await evaluate(publisher, "grows('outbound-rtp', 'video', 'framesSent', 5)")
        worker.set_cap(published[1][0], 150_000)
        await evaluate(
            publisher,
            """() => new Promise((done) => { const look = async () => {
                 const {targetBitrate} = await statistics('outbound-rtp', 'video');
                 targetBitrate <= 220000 ? done() : setTimeout(look, 50); }; look(); })""",
        )


async def test_m_lines_that_rest_are_used_again(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        events = Events(worker)
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        published = await evaluate(publisher, "publish('VP8')")
        await evaluate(viewer, "list => view(list)", published)
        await evaluate(viewer, "id => frames(id, 5)", published[1][0])
        info = camera(worker, "a")
        rest = """async () => { for (const map of [sources, wanted])
            for (const transceiver of map.keys()) transceiver.direction = 'inactive';
          window.resting = [new Map(sources), new Map(wanted)]; sources.clear(); wanted.clear();
          return negotiate(); }"""
        assert await evaluate(viewer, rest) == []
        assert await evaluate(publisher, rest) == []
        await events.until(PublicationEnded(info))
        wake = """async (direction) => { for (const [transceiver, source] of window.resting[0]) {
            transceiver.direction = 'sendonly'; sources.set(transceiver, source); }
          return negotiate(); }"""
        again = await evaluate(publisher, wake)
        assert {p[0] for p in again}.isdisjoint(p[0] for p in published)
        await evaluate(
            viewer,
            """list => { for (const transceiver of window.resting[1].keys()) {
                 const [id] = list.find(([, kind]) => kind === transceiver.receiver.track.kind);
                 transceiver.direction = 'recvonly'; wanted.set(transceiver, id); }
               return negotiate(); }""",
            again,
        )
        assert await evaluate(viewer, "id => frames(id, 15)", again[1][0]) == [320, 240]
        assert await evaluate(viewer, "() => grows('inbound-rtp', 'audio', 'packetsReceived', 20)")
