"""A neutral animated picture for the camera of somebody who is not the subject: a figure that nods."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SHIFT = 4
_BACKDROP = ((58, 74, 92), (96, 116, 132))
_COAT, _SHIRT, _SKIN, _HAIR, _DOT = (
    (232, 236, 238),
    (120, 158, 178),
    (196, 152, 126),
    (62, 50, 46),
    (70, 190, 160),
)


class Placeholder:
    """A drawn doctor before a plain wall; nods, blinks and talks, and a dot circles. Closes every loop_s."""

    def __init__(self, width_px: int = 640, height_px: int = 360, loop_s: float = 4.0) -> None:
        self._size = (width_px, height_px)
        self._loop_s = loop_s
        top, bottom = (np.array(color, np.float64) for color in _BACKDROP)
        fade = np.linspace(0, 1, height_px)[:, None]
        self._wall = np.repeat(
            np.rint(top + fade * (bottom - top)).astype(np.uint8)[:, None], width_px, axis=1
        )

    @property
    def width_px(self) -> int:
        """Width of a frame."""
        return self._size[0]

    @property
    def height_px(self) -> int:
        """Height of a frame."""
        return self._size[1]

    def frame(self, t_s: float) -> NDArray[np.uint8]:
        """The picture at t_s, uint8 RGB [H, W, 3]."""
        turn = 2 * np.pi * t_s / self._loop_s
        picture = self._wall.copy()
        breath, nod, sway = 0.004 * np.sin(2 * turn), 0.010 * np.sin(3 * turn), 0.012 * np.sin(turn)
        self._ellipse(picture, sway / 2, 0.62 + breath, 0.44, 0.42, _COAT)
        self._ellipse(picture, sway / 2, 0.42 + breath, 0.13, 0.16, _SHIRT)
        self._ellipse(picture, sway, 0.16 + nod, 0.075, 0.16, _SKIN)
        self._ellipse(picture, sway, -0.105 + nod, 0.168, 0.190, _HAIR)
        self._ellipse(picture, sway, -0.045 + nod, 0.150, 0.195, _SKIN)
        open_eye = 0.004 if np.cos(turn) > 0.98 else 0.014
        for side in (-1, 1):
            self._ellipse(picture, sway + side * 0.058, -0.06 + nod, 0.016, open_eye, _HAIR)
        mouth = 0.008 + 0.012 * abs(np.sin(5 * turn)) * (np.sin(turn) > 0)
        self._ellipse(picture, sway, 0.065 + nod, 0.042, mouth, (150, 84, 84))
        self._ellipse(picture, 0.62 + 0.06 * np.cos(turn), -0.32 + 0.06 * np.sin(turn), 0.022, 0.022, _DOT)
        return picture

    def _ellipse(
        self,
        picture: NDArray[np.uint8],
        x: float,
        y: float,
        half_x: float,
        half_y: float,
        color: tuple[int, ...],
    ) -> None:
        """Fill an ellipse; lengths in picture heights, from the middle of the picture."""
        width, height = self._size
        one = height * (1 << _SHIFT)
        center = (round(width * (1 << _SHIFT) / 2 + x * one), round(one / 2 + y * one))
        axes = (round(half_x * one), round(half_y * one))
        cv2.ellipse(picture, center, axes, 0, 0, 360, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
