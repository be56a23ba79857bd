"""A real Chromium for end-to-end tests, with a fake camera that plays a file."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, Playwright

FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # WebGL2 without a GPU.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Host candidates as addresses, since nobody answers mDNS on a test machine.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    # Nothing talks to the network but the pages under test.
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Pages behind others, as two participants on one machine are, keep their timers and frames.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)


def chromium_path() -> str:
    """The system's Chromium; the tests never download one."""
    found = shutil.which("chromium")
    if found is None:
        raise FileNotFoundError("chromium is not installed (Debian: apt-get install chromium)")
    return found


async def launch_chromium(
    playwright: Playwright, y4m: Path | None = None, args: Sequence[str] = (), *, loopback_only: bool = True
) -> Browser:
    """Start a Chromium; the caller closes it.

    y4m: the picture that every camera of this browser shows, repeated; None shows Chromium's test pattern.
    loopback_only=False leaves Chromium's own choice of network interfaces for WebRTC.
    """
    flags = [*FLAGS, *args]
    if y4m is not None:
        flags.append(f"--use-file-for-fake-video-capture={y4m}")
    if loopback_only:
        # Otherwise WebRTC leaves out 127.0.0.1 where another interface exists.
        flags.append("--allow-loopback-in-peer-connection")
    return await playwright.chromium.launch(executable_path=chromium_path(), args=flags)
