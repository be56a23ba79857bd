"""The relay between real Firefox and Chromium pages, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.async_api import Browser

from media.interface import MediaConfig
from media.worker import MediaWorker
from tests.conftest import LaunchChromium
from tests.media.rtc_peer import relay
from tests.media.signaled_page import serve
from tests.support.firefox import Firefox, launch_firefox

pytestmark = pytest.mark.usefixtures("packet_path")

WAIT_S = 60
EVERY_ADDRESS = MediaConfig(bind_host="0.0.0.0")
"""Firefox gathers no candidate on loopback."""

SOUND_GOES_ON = """() => new Promise((resolve) => {
  const video = document.querySelector('video');
  let first = null;
  const look = () => {
    const time = soundTime();
    first ??= time;
    if (time !== first) resolve(true);
    else video.requestVideoFrameCallback(look);
  };
  look();
})"""


class Page(Protocol):
    """What both browsers' drivers offer."""

    async def evaluate(self, expression: str, arg: Any = None, /) -> Any:
        """The value of an expression, or of a function called with the argument."""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[MediaWorker, str]]:
    """A relay and the address of its page."""
    async with relay(EVERY_ADDRESS) as worker, serve(worker) as url:
        yield worker, url


async def opened(browser: Firefox | Browser, url: str, participant: str) -> Page:
    """A page of one participant in room r."""
    page = await browser.new_page()
    await page.goto(f"{url}?room=r&participant={participant}")
    return page


async def evaluate(page: Page, expression: str, argument: object = None) -> Any:
    """Evaluate, and fail instead of hanging."""
    return await asyncio.wait_for(page.evaluate(expression, argument), WAIT_S)


async def sees_and_hears(viewer: Page, published: list[list[str]]) -> None:
    """Sound and a moving picture arrive."""
    await evaluate(viewer, "list => view(list)", published)
    video = next(publication for publication, kind in published if kind == "video")
    assert await evaluate(viewer, "id => frames(id, 15)", video) == [320, 240]
    assert await evaluate(viewer, SOUND_GOES_ON)


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
async def test_firefox_and_chromium_see_and_hear_each_other(
    chromium: LaunchChromium, tmp_path: Path, codec: str
) -> None:
    browser = await chromium()
    async with launch_firefox(tmp_path) as firefox, served() as (worker, url):
        fox, chrome = await opened(firefox, url, "fox"), await opened(browser, url, "chrome")
        of_fox = await evaluate(fox, "codec => publish(codec)", codec)
        of_chrome = await evaluate(chrome, "codec => publish(codec)", codec)
        await sees_and_hears(chrome, of_fox)
        await sees_and_hears(fox, of_chrome)
        videos = [info for info in worker.publications("r") if info.source == "camera"]
        assert [info.codec for info in videos] == [codec, codec]
        # What was there before the second negotiation goes on.
        await evaluate(chrome, "id => frames(id, 5)", of_fox[1][0])


async def test_firefox_shows_h264_of_chromium(chromium: LaunchChromium, tmp_path: Path) -> None:
    browser = await chromium()
    async with launch_firefox(tmp_path, h264=True) as firefox, served() as (worker, url):
        chrome, fox = await opened(browser, url, "chrome"), await opened(firefox, url, "fox")
        await sees_and_hears(fox, await evaluate(chrome, "publish('H264')"))
        assert {info.codec for info in worker.publications("r")} == {"opus", "H264"}


async def test_firefox_publishes_to_firefox(tmp_path: Path) -> None:
    async with launch_firefox(tmp_path) as firefox, served() as (worker, url):
        publisher, viewer = await opened(firefox, url, "a"), await opened(firefox, url, "b")
        published = await evaluate(publisher, "publish('VP8')")
        await sees_and_hears(viewer, published)
        screen = (await evaluate(publisher, "addScreen()"))[2]
        await evaluate(viewer, "list => view(list)", [screen])
        assert await evaluate(viewer, "id => frames(id, 5)", screen[0]) == [320, 240]
        assert worker.stats().packets_dropped == {}


async def test_firefox_restarts_ice(tmp_path: Path) -> None:
    async with launch_firefox(tmp_path) as firefox, served() as (worker, url):
        publisher, viewer = await opened(firefox, url, "a"), await opened(firefox, url, "b")
        published = await evaluate(publisher, "publish('VP8')")
        await sees_and_hears(viewer, published)
        for page in (publisher, viewer):
            await evaluate(page, "negotiate({iceRestart: true})")
        await evaluate(viewer, "id => frames(id, 30)", published[1][0])
        assert {info.publication_id for info in worker.publications("r")} == {p[0] for p in published}
