"""RGB pictures as I420, BT.601 limited range, as cameras give them; and Y4M for a browser's fake camera."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

# ITU-R BT.601, 8-bit limited range: Y' 16..235, Cb and Cr 16..240 (ITU-T H.273 section 8.3).
_KR, _KB = 0.299, 0.114
_YUV_FROM_RGB = np.array(
    [
        [_KR, 1 - _KR - _KB, _KB, 0],
        [-_KR / (2 - 2 * _KB), -(1 - _KR - _KB) / (2 - 2 * _KB), 0.5, 0],
        [0.5, -(1 - _KR - _KB) / (2 - 2 * _KR), -_KB / (2 - 2 * _KR), 0],
    ]
) * np.array([[219 / 255], [224 / 255], [224 / 255]]) + np.array([[0, 0, 0, v] for v in (16, 128, 128)])


class FrameSource(Protocol):
    """Anything that has a picture at any time."""

    @property
    def width_px(self) -> int:
        """Width of a frame."""

    @property
    def height_px(self) -> int:
        """Height of a frame."""

    def frame(self, t_s: float) -> NDArray[np.uint8]:
        """The picture at t_s, uint8 RGB [H, W, 3]."""


def i420_from_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert uint8 RGB [H, W, 3], H and W even, to I420: uint8 [H * 3 / 2, W], planes Y, Cb, Cr.

    Chroma is the mean of its four pixels.
    """
    height, width = rgb.shape[:2]
    out = np.empty((height * 3 // 2, width), np.uint8)
    out[:height] = cv2.transform(rgb, _YUV_FROM_RGB[:1])
    small = cv2.resize(rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    chroma = out[height:].reshape(2, height // 2, width // 2)
    for plane in range(2):
        chroma[plane] = cv2.transform(small, _YUV_FROM_RGB[plane + 1 : plane + 2])
    return out


def write_y4m(path: Path, scene: FrameSource, fps: int, seconds: float) -> None:
    """Write the scene from t = 0 as YUV4MPEG2. It repeats seamlessly if seconds is the scene's loop."""
    with path.open("wb") as file:
        head = f"YUV4MPEG2 W{scene.width_px} H{scene.height_px} F{fps}:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n"
        file.write(head.encode())
        for number in range(round(seconds * fps)):
            file.write(b"FRAME\n")
            file.write(i420_from_rgb(scene.frame(number / fps)).tobytes())
