"""Pictures through codecs as calls and stills use them: JPEG, and VP8 and H.264 as a call encodes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_ENCODERS: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "vp8": ("libvpx", "ivf", {"deadline": "realtime", "cpu-used": "6"}),
    "h264": ("libx264", "h264", {"preset": "veryfast", "tune": "zerolatency"}),
}
_BIT_RATE_RANGE_BPS: Final = (400_000, 2_500_000)
FRAMES_PER_S: Final = 10
_STILL_FRAMES: Final = 4
"""Equal frames before one that stands for a picture in a call: the encoder has settled by then."""


def through_codec(frames: Sequence[Picture], codec: str, seed: int) -> list[Picture]:
    """Frames (one, or a sequence) as they come out of "none", "jpeg", "vp8" or "h264".

    The quality is drawn with the seed. Matrix BT.601 and narrow range, said so on both sides.
    """
    rng = np.random.default_rng([seed, 31])
    if codec == "none":
        return list(frames)
    if codec == "jpeg":
        quality = int(rng.integers(70, 96))
        return [_jpeg(frame, quality) for frame in frames]
    low, high = np.log(_BIT_RATE_RANGE_BPS)
    bit_rate_bps = int(np.exp(rng.uniform(low, high)))
    if len(frames) == 1:
        return [_video(list(frames) * _STILL_FRAMES, codec, bit_rate_bps)[-1]]
    return _video(frames, codec, bit_rate_bps)


def _jpeg(frame: Picture, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded[..., ::-1])


def _video(frames: Sequence[Picture], codec: str, bit_rate_bps: int) -> list[Picture]:
    name, container_format, options = _ENCODERS[codec]
    sink = io.BytesIO()
    with av.open(sink, "w", format=container_format) as container:
        stream: Any = container.add_stream(name, rate=FRAMES_PER_S)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.options = "yuv420p", bit_rate_bps, options
        stream.codec_context.thread_count = 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for packet in stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU601")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    sink.seek(0)
    with av.open(sink, "r", format=container_format) as recorded:
        recorded.streams.video[0].codec_context.thread_count = 1
        return [
            np.asarray(frame.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray(), np.uint8)
            for frame in recorded.decode(video=0)
        ]
