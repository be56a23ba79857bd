"""What every publisher of the load sends: ten seconds of real 720p VP8 and real Opus, cut into RTP payloads
and laid out in time as a browser's pacer would send them.

It is coded once from the simulated patient's scene (same seed, same pictures) and kept beside the
environment. It is real media because one of the relays decodes it; the others never look inside.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from media.simulated.i420 import i420_from_rgb
from media.simulated.scene import Scene, SceneOptions

LENGTH_S = 10.0
FRAME_RATE = 30
VIDEO_BPS = 1_500_000
AUDIO_BPS = 32_000
AUDIO_FRAME_S = 0.02
AUDIO_RATE_HZ = 48_000
MAX_CHUNK = 1_160
"""Bytes of coded video in a packet: with header, extensions, descriptor and tag just below 1,200."""
PACER_INTERVAL_S = 0.005
PACING_FACTOR = 2.5
"""libwebrtc's pacer sends up to 2.5 times the target rate, in turns of 5 ms (pacing_controller.h)."""
TAIL_BYTES = 16
"""A packet is recognised at a viewer by so many last bytes of its payload, which no relay here rewrites."""
_CACHE = Path(__file__).resolve().parents[2] / ".venv" / "bench"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One payload. at_s: when it is sent, frame_s: when its frame was taken, since the beginning."""

    at_s: float
    frame_s: float
    data: bytes
    first: bool
    last: bool
    keyframe: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """Both streams in order of time. A video chunk is what follows VP8's payload descriptor."""

    video: tuple[Chunk, ...]
    audio: tuple[Chunk, ...]

    def slots(self) -> dict[bytes, int]:
        """Last bytes of a payload -> its number, video first; payloads that are not unique are left out."""
        found: dict[bytes, int] = {}
        twice = set()
        for number, chunk in enumerate((*self.video, *self.audio)):
            tail = chunk.data[-TAIL_BYTES:]
            if tail in found:
                twice.add(tail)
            found[tail] = number
        return {tail: number for tail, number in found.items() if tail not in twice}

    @property
    def packets_per_s(self) -> float:
        """Mean rate of both streams together."""
        return (len(self.video) + len(self.audio)) / LENGTH_S

    @property
    def video_bps(self) -> float:
        """Mean rate of the coded video."""
        return 8 * sum(len(chunk.data) for chunk in self.video) / LENGTH_S


def load_trace() -> Trace:
    """The trace, coded now or at an earlier run; another version of this file or of the codecs codes anew."""
    recipe = Path(__file__).read_bytes() + av.__version__.encode()
    path = _CACHE / f"trace-{hashlib.sha256(recipe).hexdigest()[:16]}.pickle"
    if path.exists():
        frames, sounds = pickle.loads(path.read_bytes())
    else:
        frames, sounds = _coded_video(), _coded_audio()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(pickle.dumps((frames, sounds)))
        partial.replace(path)
    return cut(frames, sounds)


def cut(frames: list[tuple[bytes, bool]], sounds: list[bytes]) -> Trace:
    """Coded frames (with whether each is a keyframe) and sounds as payloads in time."""
    budget = PACING_FACTOR * VIDEO_BPS / 8 * PACER_INTERVAL_S
    video: list[Chunk] = []
    free_s = 0.0
    for number, (data, keyframe) in enumerate(frames):
        taken_s = number / FRAME_RATE
        count = -(-len(data) // MAX_CHUNK)
        size = -(-len(data) // count)
        turn_s, sent = max(taken_s, free_s), 0.0
        for index in range(count):
            if sent >= budget:
                turn_s, sent = turn_s + PACER_INTERVAL_S, sent - budget
            piece = data[index * size : (index + 1) * size]
            video.append(Chunk(turn_s, taken_s, piece, index == 0, index == count - 1, keyframe))
            sent += len(piece)
        free_s = turn_s + PACER_INTERVAL_S
    audio = tuple(
        Chunk(number * AUDIO_FRAME_S, number * AUDIO_FRAME_S, data, True, False, False)
        for number, data in enumerate(sounds)
    )
    return Trace(tuple(video), audio)


def _coded_video() -> list[tuple[bytes, bool]]:
    encoder = VideoCodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 1280, 720, "yuv420p"
    encoder.bit_rate = VIDEO_BPS
    encoder.time_base = Fraction(1, FRAME_RATE)
    encoder.gop_size = 10_000
    encoder.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "error-resilient": "1",
        "minrate": str(VIDEO_BPS),
        "maxrate": str(VIDEO_BPS),
        "bufsize": str(VIDEO_BPS),
        "undershoot-pct": "100",
    }
    scene = Scene(SceneOptions(loop_s=LENGTH_S))
    coded: list[tuple[bytes, bool]] = []
    for number in range(round(LENGTH_S * FRAME_RATE)):
        frame = VideoFrame.from_ndarray(i420_from_rgb(scene.frame(number / FRAME_RATE)), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        coded += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return coded + [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(None)]


def _coded_audio() -> list[bytes]:
    encoder = AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_RATE_HZ, "stereo", "s16"
    encoder.bit_rate = AUDIO_BPS
    encoder.options = {"application": "voip", "frame_duration": "20"}
    rng = np.random.default_rng(20261)
    samples = round(AUDIO_FRAME_S * AUDIO_RATE_HZ)
    coded: list[bytes] = []
    for number in range(round(LENGTH_S / AUDIO_FRAME_S)):
        loudness = 2000 * (1 + np.sin(2 * np.pi * number * AUDIO_FRAME_S / 0.4))  # syllables
        noise = rng.normal(0, loudness, samples).astype(np.int16)
        frame = AudioFrame.from_ndarray(np.repeat(noise, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = AUDIO_RATE_HZ, number * samples
        coded += [bytes(packet) for packet in encoder.encode(frame)]
    coded += [bytes(packet) for packet in encoder.encode(None)]
    return coded[: round(LENGTH_S / AUDIO_FRAME_S)]
