"""Fixtures for tests of every part: Chromium browsers and a real coturn, ended with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import hypothesis
import pytest_asyncio
from playwright.async_api import Browser, Playwright

from tests.support.browser import launch_chromium

# The same examples in every run, and nothing that depends on how busy the machine is.
hypothesis.settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("deterministic")

LaunchChromium = Callable[..., Awaitable[Browser]]


@pytest_asyncio.fixture
async def chromium(playwright: Playwright) -> AsyncIterator[LaunchChromium]:
    """A function that starts Chromium browsers (y4m=None, args=()); they are closed after the test."""
    async with AsyncExitStack() as opened:

        async def launch(y4m: Path | None = None, args: Sequence[str] = ()) -> Browser:
            browser = await launch_chromium(playwright, y4m, args)
            opened.push_async_callback(browser.close)
            return browser

        yield launch
