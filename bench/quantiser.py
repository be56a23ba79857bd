"""`./dev bench quantiser`: what a small lesion keeps at each quantiser, the curves of media/fidelity.py.

The scene of `./dev bench fidelity` is encoded in this process by libvpx and x264 as for live video, held to
one quantiser after the other, with and without chroma emphasis, and scored as there. The quantiser is read
from the coded frames as the relay reads it from packets that pass.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from bench.fidelity_scene import FPS, LesionScene
from bench.fidelity_score import Decoded, score, to_rgb
from bench.harness import Report, machine, parse
from media.emphasis import SKIN, forward_table
from media.interface import ChromaEmphasis
from media.quantiser import QuantiserMeter
from media.simulated.i420 import i420_from_rgb
from media.simulated.skin import Tone
from tests.media.coded import encode, payloads, quantised

LEVELS = {
    "VP8": (4, 10, 16, 22, 28, 34, 40, 48, 56),
    "VP9": (4, 10, 16, 22, 28, 34, 40, 48),
    "H264": (12, 16, 20, 24, 28, 32, 36, 40),
}
"""In the encoders' own words: libvpx has 64 steps of VP8's 128 and VP9's 256."""
QUICK = {"VP8": (10, 28)}
FRAMES, SETTLED = 28, 16
"""The first frames live off the keyframe; only then is a frame what this quantiser makes of it."""
_DECODERS = {"VP8": "vp8", "VP9": "vp9", "H264": "h264"}
SPEEDS = {"VP8": {"cpu-used": "-6"}, "VP9": {"cpu-used": "7"}, "H264": {"preset": "ultrafast"}}


def camera_frames(scene: LesionScene, emphasis: ChromaEmphasis | None) -> list[NDArray[np.uint8]]:
    """What an encoder is given: I420, chroma stretched or not."""
    frames = []
    for number in range(FRAMES):
        i420 = i420_from_rgb(scene.frame(number / FPS))
        if emphasis is not None:
            chroma = i420[scene.height_px :].reshape(2, -1)
            for plane, center in zip(chroma, (emphasis.center_u, emphasis.center_v), strict=True):
                plane[:] = forward_table(center, emphasis.softness)[plane]
        frames.append(i420)
    return frames


def measure(
    codec: str,
    level: int,
    scene: LesionScene,
    frames: Sequence[NDArray[np.uint8]],
    emphasis: ChromaEmphasis | None,
) -> tuple[float, float, float]:
    """(quantiser as the relay reads it, contrast kept, kbit/s), means over the settled frames."""
    encoder = quantised(codec, scene.width_px, scene.height_px, level, SPEEDS[codec])
    encoder.bit_rate = 20_000_000
    pictures = encode(encoder, [av.VideoFrame.from_ndarray(frame, "yuv420p") for frame in frames])
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    meter = QuantiserMeter(codec)
    kept = []
    for number, picture in enumerate(pictures):
        for payload in payloads(codec, picture, number, mtu=1100):
            meter.packet(payload, 0, len(payload), number, number / FPS)
        for decoded in decoder.decode(av.Packet(picture)):
            if number >= SETTLED and number % 4 == 0:
                planes = Decoded(scene.width_px, scene.height_px, decoded.to_ndarray().tobytes())
                kept.append(score(scene, to_rgb(planes, emphasis), number).kept)
    mean = meter.mean(FRAMES / FPS)
    assert mean is not None
    size = sum(len(picture) for picture in pictures[SETTLED:])
    return mean, statistics.mean(kept), size * 8 * FPS / 1000 / (FRAMES - SETTLED)


def main() -> None:
    """`./dev bench quantiser`."""
    options = parse("quantiser", __doc__ or "")
    report = Report("quantiser", conditions=machine("av", "numpy"))
    curves: dict[tuple[str, bool, int], list[tuple[float, float]]] = {}
    for tone in (Tone.TAN,) if options.quick else Tone:
        scene = LesionScene(tone)
        for emphasis in (None, SKIN):
            frames = camera_frames(scene, emphasis)
            for codec, levels in (QUICK if options.quick else LEVELS).items():
                if codec != "VP8" and emphasis is not None:
                    continue  # the product stretches chroma before VP8 only
                for level in levels:
                    quantiser, kept, kbps = measure(codec, level, scene, frames, emphasis)
                    stretched = emphasis is not None
                    report.row(
                        codec=codec,
                        chroma_stretched=stretched,
                        tone=tone.value,
                        quantiser=round(quantiser, 1),
                        kept=round(kept, 3),
                        kbps=round(kbps),
                    )
                    curves.setdefault((codec, stretched, level), []).append((quantiser, kept))
    for (codec, stretched, level), points in curves.items():
        quantiser = statistics.mean(point[0] for point in points)
        worst = min(point[1] for point in points)
        words = "stretched" if stretched else "plain"
        print(f"{codec} {words:9} {quantiser:6.1f}  {worst:.2f} in the worst tone")
        report.figure(f"kept_{codec.lower()}_{words}_{level}", worst)
    report.finish(options)


if __name__ == "__main__":
    main()
