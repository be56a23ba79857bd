"""A call of two real Chromium pages over the relay, each behind a lossy UDP proxy; what is measured of it."""

from __future__ import annotations

import asyncio
import itertools
import time
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, Page

from bench.harness import percentile
from media.interface import BudgetChanged, MediaConfig, MediaEvent
from media.simulated.i420 import write_y4m
from media.simulated.scene import Scene
from media.worker import MediaWorker
from tests.media.signaled_page import serve
from tests.support.impairment import Link, Passed, Schedule, UdpProxy
from tests.support.netem import Conditions

CONNECT_S = 60
PADDING_BIT = 0x20
GRAIN = 5.0
"""Noise of the camera's sensor, in 8-bit steps: there is always more to encode than the path carries."""

# Publishes as the patient of the product does: all pixels first, temporal layers, frames as the budget says.
# Its bitrate comes by REMB: any new parameters make libwebrtc's encoder_bitrate_adjuster begin anew, with a
# sixth less than allowed for 30 frames. The viewer notes when each frame was shown.
SCRIPT = """
window.publishCamera = async ([width, height, maxBitrate]) => {
  const video = {width, height, frameRate: 30};
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video});
  for (const track of stream.getTracks()) {
    const isVideo = track.kind === 'video';
    const transceiver = pc.addTransceiver(track, {direction: 'sendonly', streams: [stream],
      ...(isVideo ? {sendEncodings: [{maxBitrate, scalabilityMode: 'L1T3'}]} : {})});
    sources.set(transceiver, isVideo ? 'camera' : 'microphone');
    if (!isVideo) continue;
    const parameters = transceiver.sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    await transceiver.sender.setParameters(parameters);
    const all = RTCRtpSender.getCapabilities('video').codecs;
    transceiver.setCodecPreferences(all.filter((c) => ['video/VP8', 'video/rtx'].includes(c.mimeType)));
  }
  return negotiate();
};
window.followBudget = async (maxFramerate) => {
  const sender = pc.getSenders().find(({track}) => track?.kind === 'video');
  const parameters = sender.getParameters();
  if (parameters.encodings[0].maxFramerate === maxFramerate) return;
  parameters.encodings[0].maxFramerate = maxFramerate;
  await sender.setParameters(parameters).catch(() => {}); // overtaken by the next one
};
window.shown = [];
window.noteFrames = (id) => {
  const video = videos.get(id);
  video.width = 160;
  const next = (now) => {
    shown.push(performance.timeOrigin + now);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
};
"""


class Grain:
    """A scene as a sensor sees it in little light."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene = scene
        self._random = np.random.default_rng(seed)
        self.width_px = scene.width_px
        self.height_px = scene.height_px

    def frame(self, t_s: float) -> NDArray[np.uint8]:
        """The picture at t_s, uint8 RGB [H, W, 3]."""
        noise = self._random.normal(0.0, GRAIN, (self.height_px, self.width_px, 3))
        noisy: NDArray[np.uint8] = np.clip(self._scene.frame(t_s) + noise, 0, 255).astype(np.uint8)
        return noisy


@dataclass(slots=True)
class ImpairedCall:
    """Publisher and viewer, and the proxies before them."""

    worker: MediaWorker
    publisher: Page
    viewer: Page
    publishers_path: UdpProxy
    viewers_path: UdpProxy

    async def audio(self) -> dict[str, Any]:
        """The viewer's statistics of the sound."""
        found: dict[str, Any] = await self.viewer.evaluate("statistics('inbound-rtp', 'audio')")
        return found

    async def video(self) -> dict[str, Any]:
        """The viewer's statistics of the picture."""
        found: dict[str, Any] = await self.viewer.evaluate("statistics('inbound-rtp', 'video')")
        return found

    async def longest_freeze_ms(self, begin_s: float, end_s: float) -> float:
        """Longest time between two shown frames, or up to an end; times are those of the viewer's proxy."""
        zero_ms = 1e3 * (time.time() - self.viewers_path.now)
        shown: list[float] = await self.viewer.evaluate("shown")
        times = [at_ms - zero_ms for at_ms in shown]
        inside = [at_ms for at_ms in times if 1e3 * begin_s <= at_ms <= 1e3 * end_s]
        edges = [1e3 * begin_s, *inside, 1e3 * end_s]
        return max(b - a for a, b in itertools.pairwise(edges))


@asynccontextmanager
async def impaired_call(
    browser: Browser,
    *,
    size: tuple[int, int],
    max_bps: int,
    publishers: Schedule,
    viewers: Schedule,
    seed: int,
) -> AsyncIterator[ImpairedCall]:
    """Connect the pages; yields when the viewer's first frames are shown.

    publishers: the path from the publisher to the relay; viewers: from the relay to the viewer. The way back
    has the delay of the first entry, and nothing else.
    """
    worker = await MediaWorker.start(MediaConfig(bind_host="127.0.0.1"))
    server = ("127.0.0.1", worker.port)
    back = {name: _back(schedule) for name, schedule in (("publisher", publishers), ("viewer", viewers))}
    publishers_path = await UdpProxy.start(server, publishers, back["publisher"], seed)
    viewers_path = await UdpProxy.start(server, back["viewer"], viewers, seed + 10)
    ports = {"publisher": publishers_path.address[1], "viewer": viewers_path.address[1]}
    pages: list[Page] = []
    try:
        async with serve(worker, ports, patient="publisher") as url, asyncio.TaskGroup() as telling:
            for participant in ports:
                page = await browser.new_page()
                pages.append(page)
                await page.add_init_script(SCRIPT)
                await page.goto(f"{url}?room=r&participant={participant}")
            publisher, viewer = pages

            ended = False

            def tell(event: MediaEvent) -> None:
                if isinstance(event, BudgetChanged) and not ended:
                    most = max(1.0, event.max_framerate)
                    telling.create_task(publisher.evaluate("followBudget", most))

            publishers_path.begin(publishers, back["publisher"], seed)
            viewers_path.begin(back["viewer"], viewers, seed + 10)
            async with asyncio.timeout(CONNECT_S):
                published = await publisher.evaluate("publishCamera", [*size, max_bps])
                await viewer.evaluate("list => view(list)", published)
                video = next(publication for publication, kind in published if kind == "video")
                await viewer.evaluate("id => frames(id, 3)", video)
                await viewer.evaluate("noteFrames", video)
            worker.subscribe_events(tell)
            yield ImpairedCall(worker, publisher, viewer, publishers_path, viewers_path)
            ended = True
    finally:
        for page in pages:
            await page.close()
        await publishers_path.close()
        await viewers_path.close()
        await worker.stop()


def _back(schedule: Schedule) -> Schedule:
    return [(0.0, Conditions(delay_s=schedule[0][1].delay_s))]


# --- what is read off a link ----------------------------------------------------------------------------


def is_media(passed: Passed) -> bool:
    """SRTP or SRTCP, by its first byte (RFC 7983)."""
    return 127 < passed.datagram[0] < 192


def is_padding(passed: Passed) -> bool:
    """An SRTP packet with padding: browsers and the relay use it for probes only."""
    return is_media(passed) and bool(passed.datagram[0] & PADDING_BIT)


def utilisation(link: Link, begin_s: float, end_s: float) -> float:
    """Delivered bits, padding left out, against what the bottleneck could pass on."""
    bits = sum(
        8 * passed.size
        for passed in link.passed
        if passed.arrived_s is not None and begin_s <= passed.arrived_s < end_s and not is_padding(passed)
    )
    return bits / link.path.capacity_bits(begin_s, end_s)


def queue_delay_p95_ms(link: Link, begin_s: float, end_s: float) -> float:
    """95th percentile of the wait at the bottleneck, its own transmission included; what the full queue
    dropped waited as long as the queue is."""
    waits = []
    for passed in link.passed:
        if begin_s <= passed.at_s < end_s:
            full_s = link.path.conditions(passed.at_s).queue_s
            waits.append(full_s if passed.waited_s is None else passed.waited_s)
    return 1e3 * percentile(waits, 95)


def recovered_after_s(
    passed: Sequence[Passed], at_s: float, queue_s: float = 0.1, hold_s: float = 0.5
) -> float:
    """Seconds from a time until packets wait less than queue_s, and go on so for hold_s."""
    since_s = None
    for one in passed:
        if one.at_s < at_s:
            continue
        if one.waited_s is not None and one.waited_s < queue_s:
            since_s = one.at_s if since_s is None else since_s
            if one.at_s - since_s >= hold_s:
                return since_s - at_s
        else:
            since_s = None
    return float("inf")


def write_camera(path: Path, scene: Scene, seed: int) -> None:
    """Two seconds of a scene with grain, for a browser's fake camera."""
    write_y4m(path, Grain(scene, seed), fps=30, seconds=2)


def write_microphone(path: Path) -> None:
    """Ten seconds like speech, for a browser's fake microphone: 120 Hz and its overtones, in syllables.

    A codec protects a voice, and no silence.
    """
    rate = 48_000
    t_s = np.arange(10 * rate) / rate
    phase = 2 * np.pi * 120 * (t_s + 0.002 * np.sin(2 * np.pi * 3 * t_s))
    voice = sum(np.sin(k * phase) / k for k in range(1, 30))
    syllables = np.clip(1.5 * np.sin(2 * np.pi * 2 * t_s) ** 2, 0.05, 1.0)
    samples = (0.2 * 32767 * voice * syllables).clip(-32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
