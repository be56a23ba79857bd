"""A real Firefox for tests, with a fake camera and microphone, driven over WebDriver BiDi."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.bidi import BidiPage, BidiSession

START_S = 60
PREFERENCES: Mapping[str, object] = {
    # A camera and a microphone that need neither device nor question.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.getusermedia.insecure.enabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # Host candidates as addresses. Whatever is set, loopback is never among them: the relay under test has to
    # announce an address of the host, too.
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    # Nothing talks to the network but the pages under test.
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    # Tabs behind others, as two participants in one browser are, keep their timers.
    "dom.min_background_timeout_value": 4,
    "dom.timeout.enable_budget_timer_throttling": False,
}

# Firefox offers H.264 where it has downloaded a plugin. Here a plugin is only named to it: it then decodes by
# the system's FFmpeg (Debian: libavcodec59). It cannot encode so: FFmpeg's encoder gives its frames too late.
H264_PREFERENCES: Mapping[str, object] = {"media.navigator.mediadatadecoder_h264_enabled": True}
H264_PLUGIN = """Name: gmpopenh264
Description: H.264
Version: 1.0
APIs: encode-video[h264], decode-video[h264]
"""


def firefox_path() -> str:
    """The system's Firefox; the tests never download one."""
    for name in ("firefox-esr", "firefox"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise FileNotFoundError("Firefox is not installed (Debian: apt-get install firefox-esr)")


class Firefox:
    """A running browser."""

    def __init__(self, session: BidiSession) -> None:
        self.session = session

    async def new_page(self) -> BidiPage:
        """A new tab."""
        return await BidiPage.open(self.session)


@asynccontextmanager
async def launch_firefox(folder: Path, *, h264: bool = False) -> AsyncIterator[Firefox]:
    """Start Firefox with a new profile in a folder; it ends with the context. h264: can show it."""
    profile = folder / "firefox"
    profile.mkdir()
    wanted = dict(PREFERENCES)
    environment = {**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    if h264:
        plugin = folder / "gmp-gmpopenh264" / "1.0"
        plugin.mkdir(parents=True)
        (plugin / "gmpopenh264.info").write_text(H264_PLUGIN, encoding="ascii")
        (plugin / "libgmpopenh264.so").touch()
        environment["MOZ_GMP_PATH"] = str(plugin)
        wanted.update(H264_PREFERENCES)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        firefox_path(),
        *("--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stderr is not None
    drain: asyncio.Future[bytes] | None = None
    try:
        url = await asyncio.wait_for(_address(process.stderr), START_S)
        drain = asyncio.ensure_future(process.stderr.read())
        session = await BidiSession.open(url)
        try:
            yield Firefox(session)
        finally:
            await session.close()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        if drain is not None:
            await drain


async def _address(errors: asyncio.StreamReader) -> str:
    """Where Firefox says that it listens."""
    said = []
    async for line in errors:
        said.append(line.decode(errors="replace"))
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", said[-1])
        if found is not None:
            return found[1]
    raise RuntimeError("Firefox has ended: " + "".join(said)[-2000:])
