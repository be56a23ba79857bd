"""Coded video for tests: PyAV's encoders, and plain RTP around what they make."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

_ENCODERS = {"VP8": "libvpx", "VP9": "libvpx-vp9", "H264": "libx264", "AV1": "libsvtav1"}
L1T3 = (0, 2, 1, 2)


@dataclass(frozen=True)
class Tags:
    """How a stream's colors are to be read."""

    colorspace: int = Colorspace.ITU601
    color_range: int = ColorRange.MPEG


def yuv_frame(
    planes: Sequence[NDArray[np.uint8]], tags: Tags | None = None, format_: str = "yuv420p"
) -> VideoFrame:
    """A frame of three given planes, tagged or not."""
    height, width = planes[0].shape
    frame = VideoFrame(width, height, format_)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = samples
        plane.update(rows.tobytes())
    if tags is not None:
        frame.colorspace = tags.colorspace
        frame.color_range = tags.color_range
    return frame


def flat_frame(y: int, u: int, v: int, width: int = 64, height: int = 48) -> VideoFrame:
    """One color everywhere, 4:2:0, untagged."""
    chroma = (height // 2, width // 2)
    return yuv_frame(
        [np.full((height, width), y, np.uint8), np.full(chroma, u, np.uint8), np.full(chroma, v, np.uint8)]
    )


def moving_frames(count: int, width: int = 160, height: int = 120) -> list[VideoFrame]:
    """A textured scene that moves, so that every picture differs and spans several packets."""
    texture = np.random.default_rng(7).integers(40, 200, (height + count, width + count), dtype=np.uint8)
    chroma = np.full((height // 2, width // 2), 110, np.uint8)
    return [yuv_frame([texture[i : i + height, i : i + width], chroma, chroma + 40]) for i in range(count)]


def encoder(
    codec: str, width: int, height: int, tags: Tags | None = None, layers: bool = False
) -> VideoCodecContext:
    """An encoder set for live video: no look-ahead, no reordering. layers: VP8 or VP9 with L1T3."""
    context = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 30)
    context.framerate = Fraction(30)
    context.bit_rate = 2_000_000
    context.gop_size = 3000
    if tags is not None:
        context.colorspace, context.color_range = tags.colorspace, tags.color_range
    if codec == "AV1":
        context.options = {"preset": "10", "svtav1-params": "pred-struct=1:lookahead=0:rc=2:rtc=1:lp=1"}
    elif codec == "H264":
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
        }
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
        if layers:
            context.options |= {
                "error-resilient": "0",
                "ts-parameters": "ts_number_layers=3:ts_target_bitrate=800,1200,2000:ts_rate_decimator=4,2,1"
                ":ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3",
            }
    return context


def quantised(
    codec: str, width: int, height: int, quantiser: int, options: dict[str, str] | None = None
) -> VideoCodecContext:
    """An encoder that is held to one quantiser: of libvpx's 0 to 63, or x264's 0 to 51."""
    context = encoder(codec, width, height)
    if codec == "H264":
        # Without ipratio a keyframe would be finer than asked for.
        extra = (options or {}).get("x264-params", "")
        context.options |= options or {}
        context.options |= {"qp": str(quantiser), "x264-params": "ipratio=1" + (extra and ":" + extra)}
    else:
        context.qmin = context.qmax = quantiser
        context.options |= options or {}
    return context


def encode(
    context: VideoCodecContext, frames: Sequence[VideoFrame], keyframes: Sequence[int] = (0,)
) -> list[bytes]:
    """Coded pictures, one for each frame; keyframes: the indices that must be one."""
    pictures = []
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, Fraction(1, 30)
        frame.pict_type = PictureType.I if index in keyframes else PictureType.NONE
        pictures.append(b"".join(bytes(packet) for packet in context.encode(frame)))
    return pictures


def payloads(codec: str, picture: bytes, index: int, mtu: int = 300, layer: int | None = None) -> list[bytes]:
    """Split one picture into RTP payloads with their descriptors. layer: temporal id of VP8 or VP9."""
    if codec == "H264":
        return list(_h264_payloads(picture, mtu))
    if codec == "AV1":
        return list(_av1_payloads(picture, mtu))
    pieces = [picture[at : at + mtu] for at in range(0, len(picture), mtu)]
    made = []
    for number, piece in enumerate(pieces):
        if codec == "VP8":
            descriptor = bytes((0x90 if number == 0 else 0x80,))
            picture_id = struct.pack("!H", 0x8000 | index & 0x7FFF)
            if layer is None:
                descriptor += b"\x80" + picture_id
            else:
                descriptor += b"\xe0" + picture_id + bytes((index // 4 & 0xFF, layer << 6))
        else:
            first, last = number == 0, number == len(pieces) - 1
            inter = vp9_inter(picture)
            layered = layer is not None
            descriptor = bytes((0x80 | inter << 6 | layered << 5 | first << 3 | last << 2,))
            descriptor += struct.pack("!H", 0x8000 | index & 0x7FFF)
            if layer is not None:
                # The layers above the base begin anew after each of its pictures, which says so.
                descriptor += bytes((layer << 5 | (layer == 0) << 4, index // 4 & 0xFF))
        made.append(descriptor + piece)
    return made


def vp9_inter(picture: bytes) -> bool:
    """frame_type of the uncompressed header, profile 0 (VP9 bitstream specification section 6.2)."""
    return bool(picture[0] & 0x04)


def _h264_payloads(annex_b: bytes, mtu: int) -> Iterator[bytes]:
    units = [
        unit for unit in annex_b.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01") if unit
    ]
    small = [unit for unit in units if unit[0] & 0x1F in (6, 7, 8)]
    if small:
        stap = b"".join(struct.pack("!H", len(unit)) + unit for unit in small if unit[0] & 0x1F != 6)
        if stap:
            yield b"\x78" + stap
    for unit in units:
        if unit in small:
            continue
        if len(unit) <= mtu:
            yield unit
            continue
        pieces = [unit[at : at + mtu] for at in range(1, len(unit), mtu)]
        for number, piece in enumerate(pieces):
            flags = 0x80 * (number == 0) | 0x40 * (number == len(pieces) - 1)
            yield bytes((unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F)) + piece


def obus(temporal_unit: bytes) -> list[bytes]:
    """OBUs without size fields and temporal delimiters (RTP payload format for AV1, 5)."""
    found, at = [], 0
    while at < len(temporal_unit):
        header = temporal_unit[at : at + (2 if temporal_unit[at] & 0x04 else 1)]
        at += len(header)
        size = shift = 0
        while True:
            size |= (temporal_unit[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not temporal_unit[at - 1] & 0x80:
                break
        if header[0] >> 3 & 0x0F != 2:
            found.append(bytes((header[0] & ~0x02,)) + header[1:] + temporal_unit[at : at + size])
        at += size
    return found


def leb128(value: int) -> bytes:
    """AV1's variable-length number (AV1 bitstream, 4.10.5)."""
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*made, value))


def _av1_payloads(temporal_unit: bytes, mtu: int) -> Iterator[bytes]:
    units = obus(temporal_unit)
    new_sequence = units[0][0] >> 3 & 0x0F == 1
    payload, continues = b"", False
    for unit in units:
        while unit:
            if len(payload) + 3 >= mtu:
                yield bytes((0x80 * continues | 0x08 * new_sequence,)) + payload
                payload, continues, new_sequence = b"", False, False
            piece, unit = unit[: mtu - len(payload) - 3], unit[mtu - len(payload) - 3 :]
            payload += leb128(len(piece)) + piece
            if unit:
                yield bytes((0x80 * continues | 0x40 | 0x08 * new_sequence,)) + payload
                payload, continues, new_sequence = b"", True, False
    yield bytes((0x80 * continues | 0x08 * new_sequence,)) + payload


def rtp(payload: bytes, sequence: int, timestamp: int, marker: bool, ssrc: int = 1) -> bytes:
    """A plain RTP packet."""
    head = (0x80, 0x80 * marker | 96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return struct.pack("!BBHII", *head) + payload


def packets(
    codec: str, pictures: Sequence[bytes], first_sequence: int = 65530, layers: Sequence[int] | None = None
) -> list[list[bytes]]:
    """RTP packets of each picture, 30 pictures a second; sequence numbers wrap on the way."""
    sequence, made = first_sequence, []
    for index, picture in enumerate(pictures):
        layer = None if layers is None else layers[index % len(layers)]
        parts = payloads(codec, picture, index, layer=layer)
        made.append(
            [rtp(part, sequence + n, index * 3000, n == len(parts) - 1) for n, part in enumerate(parts)]
        )
        sequence += len(parts)
    return made
