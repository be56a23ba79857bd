"""Decoded pictures to RGB, with the matrix and the range stated: no silent default decides color."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from media.emphasis import inverse_table
from media.interface import ChromaEmphasis, StatedMatrix

LUMA_WEIGHTS: dict[int, tuple[float, float]] = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.FCC: (0.30, 0.11),
    Colorspace.ITU601: (0.299, 0.114),
    Colorspace.SMPTE170M: (0.299, 0.114),
    Colorspace.SMPTE240M: (0.212, 0.087),
    Colorspace.BT2020: (0.2627, 0.0593),
}
"""Kr and Kb by matrix (ITU-T H.273 table 4). An untagged stream is BT.601: what cameras and VP8 give."""


def rgb_from_yuv(kr: float, kb: float, full_range: bool) -> NDArray[np.float64]:
    """The 3 x 4 matrix from 8-bit Y'CbCr to 8-bit R'G'B' (ITU-T H.273 section 8.3)."""
    kg = 1 - kr - kb
    from_unit = np.array(
        [
            [1, 0, 2 * (1 - kr)],
            [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg],
            [1, 2 * (1 - kb), 0],
        ]
    )
    scale = np.array([1.0, 1.0, 1.0]) if full_range else np.array([255 / 219, 255 / 224, 255 / 224])
    offset = np.array([0.0 if full_range else 16.0, 128.0, 128.0])
    matrix = from_unit * scale
    return np.hstack([matrix, -(matrix @ offset)[:, None]])


def to_rgb(frame: VideoFrame, emphasis: ChromaEmphasis | None = None) -> NDArray[np.uint8]:
    """Convert a decoded picture to uint8 RGB, H x W x 3, by the matrix and range that its stream states.

    Untagged means BT.601, limited range. Chroma is interpolated, so that a lesion's edge stays where it is;
    one that was stretched before the encoder is brought back first, sample by sample.
    """
    if emphasis is None and (frame.format.is_rgb or frame.format.name.startswith("gbr")):
        return np.ascontiguousarray(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))
    full = _is_full_range(frame)
    kr, kb = LUMA_WEIGHTS.get(frame.colorspace, LUMA_WEIGHTS[Colorspace.ITU601])
    if frame.format.name not in ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuvj422p", "yuvj444p"):
        frame = frame.reformat(format="yuv444p")
    size = (frame.width, frame.height)
    luma, *chroma = [plane_of(frame, index) for index in range(3)]
    planes: list[NDArray[Any]] = [luma, *chroma]
    if emphasis is not None:
        tables = [inverse_table(c, emphasis.softness) for c in (emphasis.center_u, emphasis.center_v)]
        planes = [luma.astype(np.float32), *(t[plane] for t, plane in zip(tables, chroma, strict=True))]
    merged = cv2.merge([p if p.shape == size[::-1] else cv2.resize(p, size) for p in planes])
    rgb = cv2.transform(merged.astype(np.float32), rgb_from_yuv(kr, kb, full).astype(np.float32))
    # Rounds to nearest and saturates.
    return cv2.convertScaleAbs(np.maximum(rgb, 0)).astype(np.uint8, copy=False)


def stated_matrix(frame: VideoFrame) -> StatedMatrix | None:
    """What the stream says of its matrix and range; None where it says no matrix, or has none."""
    weights = LUMA_WEIGHTS.get(frame.colorspace)
    if weights is None or frame.format.is_rgb:
        return None
    return StatedMatrix(*weights, full_range=_is_full_range(frame))


def _is_full_range(frame: VideoFrame) -> bool:
    return frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")


def plane_of(frame: VideoFrame, index: int) -> NDArray[np.uint8]:
    """One 8-bit plane as it lies in memory, uint8, without the padding at the ends of its rows."""
    plane = frame.planes[index]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        plane.height, plane.line_size
    )
    return rows[:, : plane.width]
