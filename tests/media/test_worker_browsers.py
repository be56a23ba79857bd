"""The relay between real Chromium pages: every codec, renegotiation, ICE restart, a page that comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from media import rtp
from media.congestion.estimator import START_BPS
from media.interface import PublicationEnded, PublicationInfo, TappedFrame, TransportChanged, TransportState
from media.layers import EVERYTHING, LayerTarget
from media.worker import MediaWorker
from tests.conftest import LaunchChromium
from tests.media.rtc_peer import Events, relay
from tests.media.signaled_page import serve

pytestmark = pytest.mark.usefixtures("packet_path")

WAIT_S = 40


async def opened(browser: Browser, url: str, participant: str) -> Page:
    """A page of one participant in room r."""
    page = await browser.new_page()
    await page.goto(f"{url}?room=r&participant={participant}")
    return page


async def evaluate(page: Page, expression: str, argument: object = None) -> Any:
    """Evaluate, and fail instead of hanging."""
    return await asyncio.wait_for(page.evaluate(expression, argument), WAIT_S)


async def hears(page: Page) -> None:
    """Wait until a page has played some more of another's sound: 400 ms of it, at 48 kHz."""
    await page.wait_for_function("() => soundTime() !== null")
    before = await evaluate(page, "soundTime()")
    await page.wait_for_function("before => soundTime() - before >= 19_200", arg=before)


@dataclass
class Call:
    """Two pages in room r: b views what a publishes, as lists of [publication id, kind]."""

    worker: MediaWorker
    events: Events
    browser: Browser
    url: str
    publisher: Page
    viewer: Page
    published: list[list[str]]

    def camera(self) -> PublicationInfo:
        """The publisher's camera."""
        return next(
            info
            for info in self.worker.publications("r")
            if info.participant_id == "a" and info.source == "camera"
        )


@asynccontextmanager
async def call(browser: Browser, codec: str = "VP8") -> AsyncIterator[Call]:
    """A call whose picture is on the viewer's page."""
    async with relay() as worker, serve(worker) as url:
        events = Events(worker)
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        published = await evaluate(publisher, "codec => publish(codec)", codec)
        await evaluate(viewer, "list => view(list)", published)
        assert await evaluate(viewer, "id => frames(id, 5)", published[1][0]) == [320, 240]
        yield Call(worker, events, browser, url, publisher, viewer, published)


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
async def test_video_and_audio_reach_another_page(chromium: LaunchChromium, codec: str) -> None:
    async with call(await chromium(), codec) as made:
        [video] = [publication for publication, kind in made.published if kind == "video"]
        await evaluate(made.viewer, "id => frames(id, 15)", video)
        await hears(made.viewer)
        assert made.camera().codec == codec
        stats = made.worker.publication_stats(video)
        assert stats is not None
        assert (stats.width_px, stats.height_px) == (320, 240)
        assert stats.keyframes_received >= 1
        tapped: asyncio.Queue[TappedFrame] = asyncio.Queue()
        end = made.worker.watch(video, tapped.put_nowait)
        frame = await asyncio.wait_for(tapped.get(), WAIT_S)
        assert frame.rgb.shape == (240, 320, 3)
        assert made.worker.best_frame(video) is not None
        end()
        assert made.worker.best_frame(video) is None


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
    async with call(await chromium()) as made:
        camera = made.camera()
        port = await evaluate(made.viewer, "localPort()")
        for page in (made.publisher, made.viewer):
            await evaluate(page, "negotiate({iceRestart: true})")
        await made.viewer.wait_for_function("old => localPort() !== old", arg=port)
        await evaluate(made.viewer, "id => frames(id, 15)", made.published[1][0])
        assert TransportChanged("r", "a", TransportState.CLOSED) not in made.events.seen
        assert made.camera() == camera


async def test_a_page_that_closes_and_comes_back(chromium: LaunchChromium) -> None:
    async with call(await chromium()) as made:
        camera = made.camera()
        await made.publisher.close()
        publisher = await opened(made.browser, made.url, "a")
        again = await evaluate(publisher, "publish('VP8')")
        await made.events.until(PublicationEnded(camera))
        # The viewer's m-lines are given to the new Publications: the numbers go on, without a new decoder.
        await evaluate(
            made.viewer,
            """list => { for (const [transceiver, old] of [...wanted]) {
                 const [id, kind] = list.find(([, kind]) => kind === transceiver.receiver.track.kind);
                 wanted.set(transceiver, id); videos.set(id, videos.get(old)); }
               return negotiate(); }""",
            again,
        )
        assert await evaluate(made.viewer, "id => frames(id, 15)", again[1][0]) == [320, 240]
        await hears(made.viewer)


async def test_a_cap_reaches_the_browsers_estimate(chromium: LaunchChromium) -> None:
    async with call(await chromium()) as made:
        made.worker.set_cap(made.published[1][0], 150_000)
        await evaluate(made.publisher, "sinksTo(220_000, 'outbound-rtp', 'video', 'targetBitrate')")


async def test_m_lines_that_rest_are_used_again(chromium: LaunchChromium) -> None:
    async with call(await chromium()) as made:
        camera = made.camera()
        rest = """async () => { for (const map of [sources, wanted])
            for (const transceiver of map.keys()) transceiver.direction = 'inactive';
          window.resting = [new Map(sources), new Map(wanted)]; sources.clear(); wanted.clear();
          return negotiate(); }"""
        assert await evaluate(made.viewer, rest) == []
        assert await evaluate(made.publisher, rest) == []
        await made.events.until(PublicationEnded(camera))
        wake = """async (direction) => { for (const [transceiver, source] of window.resting[0]) {
            transceiver.direction = 'sendonly'; sources.set(transceiver, source); }
          return negotiate(); }"""
        again = await evaluate(made.publisher, wake)
        assert {p[0] for p in again}.isdisjoint(p[0] for p in made.published)
        await evaluate(
            made.viewer,
            """list => { for (const transceiver of window.resting[1].keys()) {
                 const [id] = list.find(([, kind]) => kind === transceiver.receiver.track.kind);
                 transceiver.direction = 'recvonly'; wanted.set(transceiver, id); }
               return negotiate(); }""",
            again,
        )
        assert await evaluate(made.viewer, "id => frames(id, 15)", again[1][0]) == [320, 240]
        await hears(made.viewer)
        # What is received now is numbered as before: the viewer says of each packet when it came.
        lines = (await evaluate(made.viewer, "pc.remoteDescription.sdp")).splitlines()
        assert sum(rtp.TRANSPORT_CC_URI in line for line in lines) == 2
        assert not any("goog-remb" in line for line in lines)


def kept(sent: list[int], received: list[int]) -> list[int]:
    """Which of the frames that were sent arrived: their positions, each after the one before."""
    positions: list[int] = []
    for frame in received:
        positions.append(sent.index(frame, positions[-1] + 1 if positions else 0))
    return positions


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
async def test_temporal_layers_are_left_out_for_one_of_two_viewers(
    chromium: LaunchChromium, codec: str
) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        publisher, slow, other = [await opened(browser, url, name) for name in ("a", "b", "c")]
        published = await evaluate(
            publisher,
            "codec => publish(codec, {width: 320, height: 240}, [{scalabilityMode: 'L1T3'}])",
            codec,
        )
        video = published[1]
        for viewer in (slow, other):
            await evaluate(viewer, "list => view(list, true)", [video])
            await evaluate(viewer, "id => frames(id, 20)", video[0])
        before = await evaluate(slow, "statistics('inbound-rtp', 'video')")
        for highest, factor in ((1, 2), (0, 4), (None, 1)):
            worker.set_layer("r", "b", video[0], LayerTarget(7, highest, paused=False))
            # Twice VP8's cycle of eight pictures at most until a layer is back: four pictures of the base.
            await evaluate(slow, "id => frames(id, 8)", video[0])
            mark = len(await evaluate(slow, "recorded"))
            await evaluate(slow, "id => frames(id, 10)", video[0])
            received = await evaluate(slow, "recorded")
            positions = kept(await evaluate(publisher, "recorded"), received)[mark:]
            steps = Counter(later - sooner for sooner, later in pairwise(positions))
            # A path that a busy machine makes look narrow may lose a frame more now and then.
            assert steps.most_common(1)[0][0] == factor
        after = await evaluate(slow, "statistics('inbound-rtp', 'video')")
        # Nothing looked like loss, and no new beginning was needed.
        for name in ("nackCount", "pliCount", "firCount", "keyFramesDecoded"):
            assert (name, after[name]) == (name, before[name])
        whole = kept(await evaluate(publisher, "recorded"), await evaluate(other, "recorded"))
        assert whole == list(range(whole[0], whole[0] + len(whole)))


async def test_a_viewer_is_given_one_of_three_sizes(chromium: LaunchChromium) -> None:
    browser = await chromium()
    async with relay() as worker, serve(worker) as url:
        publisher, viewer = await opened(browser, url, "a"), await opened(browser, url, "b")
        # Of smaller cameras Chromium sends fewer sizes; few frames, so that a slow machine keeps up.
        published = await evaluate(
            publisher,
            """() => publish('VP8', {width: 960, height: 540, frameRate: 10}, [
                 {rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}])""",
        )
        video = published[1][0]
        await evaluate(viewer, "list => view(list)", published)
        sizes = [(240, 135), (480, 270), (960, 540)]
        await evaluate(viewer, "([id, width, height]) => sized(id, width, height)", [video, *sizes[2]])
        for rank in (0, 1, 2, 0, 2):
            worker.set_layer("r", "b", video, LayerTarget(rank, None, paused=False))
            await evaluate(viewer, "([id, width, height]) => sized(id, width, height)", [video, *sizes[rank]])
            assert await evaluate(viewer, "id => frames(id, 5)", video) == list(sizes[rank])
        stats = worker.publication_stats(video)
        assert stats is not None
        assert [(each.rid, each.width_px, each.height_px) for each in stats.encodings] == [
            (rid, *size) for rid, size in zip("qhf", sizes, strict=True)
        ]
        inbound = await evaluate(viewer, "statistics('inbound-rtp', 'video')")
        assert (inbound["pliCount"], inbound["firCount"]) == (0, 0)
        worker.set_layer("r", "b", video, EVERYTHING)
        await hears(viewer)


async def test_av1_reaches_another_page(chromium: LaunchChromium) -> None:
    async with call(await chromium(), "AV1") as made:
        await evaluate(made.viewer, "id => frames(id, 15)", made.published[1][0])
        assert made.camera().codec == "AV1"
        stats = made.worker.publication_stats(made.camera().publication_id)
        assert stats is not None
        assert (stats.width_px, stats.height_px) == (320, 240)
        assert stats.keyframes_received >= 1
        for page in (made.publisher, made.viewer):
            # Chromium offers it with some sets of layers only; what it offers is answered.
            offered, answered = [
                "dependency-descriptor" in await evaluate(page, f"pc.{side}Description.sdp")
                for side in ("local", "remote")
            ]
            assert answered == offered
        inbound = await evaluate(made.viewer, "statistics('inbound-rtp', 'video')")
        assert inbound["nackCount"] == 0


async def test_a_viewers_feedback_raises_the_relays_estimate(chromium: LaunchChromium) -> None:
    async with call(await chromium()) as made:
        viewer, video = made.viewer, made.published[1][0]
        async with asyncio.timeout(WAIT_S):
            while True:
                await evaluate(viewer, "id => frames(id, 3)", video)
                stats = made.worker.path_stats("r", "b")
                assert stats is not None
                if stats.estimate_bps > 2 * START_BPS:
                    break
        assert stats.rtt_ms > 0
        # Probes were taken for what they are: nothing is missing after them.
        await evaluate(viewer, "id => frames(id, 30)", video)
        seen = await evaluate(viewer, "statistics('inbound-rtp', 'video')")
        assert (seen["packetsLost"], seen["nackCount"]) == (0, 0)
        heard = await evaluate(viewer, "statistics('inbound-rtp', 'audio')")
        assert heard["packetsLost"] == 0
