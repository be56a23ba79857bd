"""A neutral animated picture for the camera of somebody who is not the subject: a figure that nods."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SHIFT = 4
_BACKDROP = ((58, 74, 92), (96, 116, 132))
_COAT, _LAPEL, _SHIRT = (226, 231, 234), (206, 214, 220), (104, 146, 172)
_SKIN, _SHADE, _HAIR, _MOUTH = (205, 160, 134), (180, 134, 110), (58, 46, 42), (158, 88, 84)
_DOT = (70, 190, 160)

_Point = tuple[float, float]
_Color = tuple[int, int, int]


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
        body, head = (sway / 2, breath), (sway, nod)
        shoulders = ((-0.50, 0.60), (-0.42, 0.30), (-0.12, 0.19), (0.12, 0.19), (0.42, 0.30), (0.50, 0.60))
        self._polygon(picture, body, shoulders, _COAT)
        self._ellipse(picture, body, (-0.365, 0.405), (0.125, 0.13), _COAT)
        self._ellipse(picture, body, (0.365, 0.405), (0.125, 0.13), _COAT)
        self._polygon(picture, body, ((-0.12, 0.19), (0.12, 0.19), (0.0, 0.60)), _SHIRT)
        for side in (-1, 1):
            lapel = ((0.115 * side, 0.18), (0.21 * side, 0.29), (0.15 * side, 0.33), (0.02 * side, 0.60))
            self._polygon(picture, body, lapel, _LAPEL)
        self._ellipse(picture, head, (0.0, 0.15), (0.075, 0.11), _SHADE)
        for side in (-1, 1):
            self._ellipse(picture, head, (0.152 * side, -0.03), (0.022, 0.042), _SHADE)
        self._ellipse(picture, head, (0.0, -0.10), (0.170, 0.185), _HAIR)
        self._ellipse(picture, head, (0.0, -0.035), (0.146, 0.185), _SKIN)
        fringe = ((-0.15, -0.10), (-0.11, -0.24), (0.11, -0.24), (0.15, -0.10), (0.04, -0.165))
        self._polygon(picture, head, fringe, _HAIR)
        open_eye = 0.003 if np.cos(turn) > 0.98 else 0.012
        for side in (-1, 1):
            self._ellipse(picture, head, (0.058 * side, -0.05), (0.013, open_eye), _HAIR)
            self._ellipse(picture, head, (0.060 * side, -0.086), (0.030, 0.005), _HAIR)
        self._ellipse(picture, head, (0.0, 0.015), (0.014, 0.010), _SHADE)
        mouth = 0.006 + 0.011 * abs(np.sin(5 * turn)) * (np.sin(turn) > 0)
        self._ellipse(picture, head, (0.0, 0.075), (0.040, mouth), _MOUTH)
        circle = (0.06 * np.cos(turn), 0.06 * np.sin(turn))
        self._ellipse(picture, circle, (0.62, -0.32), (0.022, 0.022), _DOT)
        return picture

    def _ellipse(
        self, picture: NDArray[np.uint8], at: _Point, center: _Point, half: _Point, color: _Color
    ) -> None:
        """Fill an ellipse; lengths in picture heights, from the middle of the picture moved by at."""
        one = self._size[1] * (1 << _SHIFT)
        axes = (round(half[0] * one), round(half[1] * one))
        middle = self._px(at, center)
        cv2.ellipse(picture, middle, axes, 0, 0, 360, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def _polygon(
        self, picture: NDArray[np.uint8], at: _Point, corners: Sequence[_Point], color: _Color
    ) -> None:
        """Fill a polygon, measured as an ellipse is."""
        points = np.array([self._px(at, corner) for corner in corners], np.int32)
        cv2.fillPoly(picture, [points], color, cv2.LINE_AA, _SHIFT)

    def _px(self, at: _Point, point: _Point) -> tuple[int, int]:
        width, height = self._size
        x, y = width / 2 + (at[0] + point[0]) * height, height / 2 + (at[1] + point[1]) * height
        return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))
