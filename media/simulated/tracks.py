"""What the simulated phone sends: a scene as video at a steady rate, and a quiet room as audio."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from media.emphasis import emphasize_i420
from media.interface import ChromaEmphasis
from media.simulated.i420 import FrameSource, i420_from_rgb

VIDEO_CLOCK_HZ = 90_000
AUDIO_RATE_HZ = 48_000
AUDIO_FRAME_S = 0.020


class Pace:
    """Turns of equal length; one that came late is left out, so that time stays true."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._started_s: float | None = None
        self._turn = -1

    async def next(self) -> int:
        """Wait for the next turn; its number."""
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s = now_s
        elapsed = int((now_s - self._started_s) / self._interval_s)
        self._turn = max(self._turn + 1, elapsed)
        await asyncio.sleep(self._started_s + self._turn * self._interval_s - now_s)
        return self._turn


class SceneTrack(MediaStreamTrack):
    """The camera: renders in a thread, never ahead of its time."""

    kind = "video"

    def __init__(self, scene: FrameSource, fps: int, emphasis: ChromaEmphasis | None = None) -> None:
        """emphasis: how to stretch chroma before the encoder, for viewers that undo it."""
        super().__init__()
        self._emphasis = emphasis
        self._scene = scene
        self._fps = fps
        self._pace = Pace(1 / fps)

    async def recv(self) -> VideoFrame:
        """The next frame, I420, BT.601 limited range."""
        if self.readyState != "live":
            raise MediaStreamError
        turn = await self._pace.next()
        frame = await asyncio.to_thread(self._render, turn / self._fps)
        frame.pts, frame.time_base = turn * VIDEO_CLOCK_HZ // self._fps, Fraction(1, VIDEO_CLOCK_HZ)
        return frame

    def _render(self, t_s: float) -> VideoFrame:
        picture = i420_from_rgb(self._scene.frame(t_s))
        if self._emphasis is not None:
            emphasize_i420(picture, self._emphasis)
        return VideoFrame.from_ndarray(picture, format="yuv420p")


class RoomTone(MediaStreamTrack):
    """The microphone: a faint rustle near -60 dBFS, so that a meter moves and nobody is disturbed."""

    kind = "audio"

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self._pace = Pace(AUDIO_FRAME_S)
        rng = np.random.default_rng([seed, 3])
        second = np.convolve(rng.standard_normal(AUDIO_RATE_HZ + 31), np.ones(32) / 32, "valid")
        swell = 0.6 + 0.4 * np.sin(2 * np.pi * np.arange(AUDIO_RATE_HZ) / AUDIO_RATE_HZ)
        self._samples = np.rint(second / second.std() * swell * 32).astype(np.int16)

    async def recv(self) -> AudioFrame:
        """The next 20 ms, mono, 48 kHz."""
        if self.readyState != "live":
            raise MediaStreamError
        turn = await self._pace.next()
        size = round(AUDIO_RATE_HZ * AUDIO_FRAME_S)
        start = turn * size % AUDIO_RATE_HZ
        frame = AudioFrame.from_ndarray(self._samples[None, start : start + size], "s16", "mono")
        frame.sample_rate = AUDIO_RATE_HZ
        frame.pts, frame.time_base = turn * size, Fraction(1, AUDIO_RATE_HZ)
        return frame
