"""Rendered skin with small lesions for `./dev bench fidelity`: three tones, a moving hand, a sensor's noise.

A picture is a close view of skin with 84 macules of radius 6 px that differ from it by CIEDE2000 3, most of
it blood. Every frame carries its number in black and white blocks, so that what arrives is compared with the
clean rendering of the same instant. Equal arguments give equal pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import de00, linear_rgb_to_lab
from media.simulated.camera import Camera, Illuminant
from media.simulated.color import WHITE_D65, linear_from_lab
from media.simulated.skin import HEMOGLOBIN, MELANIN, TONE_LAB_D65, Tone
from media.simulated.view import Noise, View

WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 30
LOOP_FRAMES = 64
"""Frames until hand and noise repeat."""
MACULE_RADIUS_PX = 6
MACULE_DE00 = 3.0
COLUMNS, ROWS = 12, 7
MARKER_BITS, BLOCK_PX = 6, 32
"""Bits of a frame's number, each followed by its opposite, in blocks along the top."""
TOP_PX = 2 * BLOCK_PX
"""Nothing is measured above."""

_OVERSAMPLING, _MARGIN_PX = 1.5, 24
_SWING_PX = (3.0, 2.4)
_TREMOR_PX = (0.9, 0.8)


@dataclass(frozen=True, slots=True)
class Spot:
    """Something saturated on or beside the skin: name, encoded sRGB 0 to 255, radius in px."""

    name: str
    srgb: tuple[int, int, int]
    radius_px: int


SATURATED = tuple(
    Spot(name, srgb, radius)
    for radius in (6, 14, 30)
    for name, srgb in (
        ("blood", (138, 8, 16)),
        ("dried blood", (84, 22, 18)),
        ("bruise", (98, 62, 108)),
        ("old bruise", (150, 140, 62)),
        ("gentian violet", (88, 40, 140)),
        ("tattoo blue", (36, 62, 128)),
        ("tattoo green", (24, 104, 70)),
        ("tattoo red", (176, 28, 40)),
    )
)
"""What is far from skin's chroma, at three sizes."""


CLOTH = ((20, 70, 150), (200, 30, 60), (230, 210, 40), (240, 240, 240))
"""Encoded sRGB of the drape's threads, from top to bottom."""


class LesionScene:
    """A moving close view of skin in one tone. spots: laid over the macules' places; cloth: a woven drape of
    saturated threads covers the right third."""

    def __init__(
        self,
        tone: Tone,
        seed: int = 1,
        spots: tuple[Spot, ...] = (),
        cloth: bool = False,
        illuminant: Illuminant = Illuminant.DAYLIGHT,
    ) -> None:
        self.width_px, self.height_px = WIDTH_PX, HEIGHT_PX
        self.spots = spots
        rng = np.random.default_rng([seed, 23])
        self._base = linear_from_lab(np.array(TONE_LAB_D65[tone]), WHITE_D65)
        self._camera = Camera(illuminant)
        self.centers = self._places(rng)
        """Of the macules at rest, [84, 2] px; those of spots come first."""
        width, height = (round(_OVERSAMPLING * (side + 2 * _MARGIN_PX)) for side in (WIDTH_PX, HEIGHT_PX))
        self._view = View(
            -_MARGIN_PX / WIDTH_PX, -_MARGIN_PX / WIDTH_PX, _OVERSAMPLING * WIDTH_PX, width, height
        )
        self._painted = self._paint(rng, cloth)
        self._noises = [self._camera.noise(seed + n, HEIGHT_PX, WIDTH_PX) for n in range(16)]
        self._phases = rng.uniform(0, 2 * np.pi, (2, 2))
        self._clean: dict[int, NDArray[np.uint8]] = {}

    def frame(self, t_s: float) -> NDArray[np.uint8]:
        """The camera's picture at t_s, uint8 RGB [H, W, 3], with noise and its number."""
        number = round(t_s * FPS) % LOOP_FRAMES
        picture = np.asarray(
            cv2.add(self.clean(number), self._noises[number % 16], dtype=cv2.CV_8U), np.uint8
        )
        for index, bit in enumerate(_marker(number)):
            picture[:BLOCK_PX, index * BLOCK_PX : (index + 1) * BLOCK_PX] = 235 if bit else 20
        return picture

    def clean(self, number: int) -> NDArray[np.uint8]:
        """The same without noise and number."""
        if number not in self._clean:
            shift = self.shift(number)
            to_painted = np.array([[1.0, 0, _MARGIN_PX - shift[0]], [0, 1.0, _MARGIN_PX - shift[1]]])
            # Pixel centers: (x + 0.5) * oversampling - 0.5.
            to_painted = to_painted * _OVERSAMPLING
            to_painted[:, 2] += 0.5 * (_OVERSAMPLING - 1)
            self._clean[number] = np.asarray(
                cv2.warpAffine(
                    self._painted,
                    to_painted,
                    (WIDTH_PX, HEIGHT_PX),
                    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                ),
                np.uint8,
            )
        return self._clean[number]

    def shift(self, number: int) -> NDArray[np.float64]:
        """Where the hand has moved the picture, px."""
        turn = 2 * np.pi * number / LOOP_FRAMES
        return np.array(
            [
                _SWING_PX[axis] * np.sin(turn + self._phases[axis, 0])
                + _TREMOR_PX[axis] * np.sin(3 * turn + self._phases[axis, 1])
                for axis in range(2)
            ]
        )

    def centers_at(self, number: int) -> NDArray[np.float64]:
        """Centers of the macules in a frame, [84, 2] px."""
        return np.asarray(self.centers + self.shift(number))

    def _places(self, rng: np.random.Generator) -> NDArray[np.float64]:
        step_x, step_y = WIDTH_PX / COLUMNS, (HEIGHT_PX - TOP_PX) / ROWS
        grid = np.array([[c + 0.5, r + 0.5] for r in range(ROWS) for c in range(COLUMNS)])
        places = grid * (step_x, step_y) + (0, TOP_PX)
        return np.asarray(places + rng.uniform(-12, 12, places.shape))

    def _paint(self, rng: np.random.Generator, cloth: bool) -> NDArray[np.uint8]:
        view = self._view
        seeds = iter(rng.integers(0, 2**31, 16).tolist())

        def layer(cell: float, amount: float, turn: float = 0.0, stretch: float = 1.0) -> NDArray[np.float32]:
            return np.float32(amount) * Noise(next(seeds), cell, turn, stretch).over(view)

        blood = layer(0.09, 0.02) + layer(0.02, 0.015)
        pigment = layer(0.07, 0.025) + layer(0.012, 0.012)
        cover = self._cover(self.centers, MACULE_RADIUS_PX)
        amount = self._macule_amount()
        blood += np.float32(amount) * cover
        pigment += np.float32(0.35 * amount) * cover
        skin = self._base * np.exp(-(pigment[..., None] * MELANIN + blood[..., None] * HEMOGLOBIN))
        relief = 1 + layer(0.0024, 0.022, 0.6, 3.6) + layer(0.0022, 0.022, -0.7, 3.6) + layer(0.0012, 0.014)
        x, y = view.grid()
        shade = np.float32(1.04) - np.float32(0.16) * (x - 0.4) ** 2 - np.float32(0.30) * (y - 0.25) ** 2
        linear = np.asarray(skin * (relief * shade)[..., None], np.float32)
        if cloth:
            self._lay_cloth(linear)
        self._lay_spots(linear)
        return self._camera.expose(linear)

    def _cover(self, centers: NDArray[np.float64], radius_px: float) -> NDArray[np.float32]:
        """How much of each painted pixel discs with soft borders cover, 0 to 1."""
        cover = np.zeros((self._view.height_px, self._view.width_px), np.float32)
        for x, y in centers:
            self._disc(cover, x, y, radius_px)
        return cover

    def _disc(self, cover: NDArray[np.float32], x: float, y: float, radius_px: float) -> None:
        scale = _OVERSAMPLING
        px, py = ((value + _MARGIN_PX + 0.5) * scale - 0.5 for value in (x, y))
        reach = (radius_px + 2) * scale
        rows = np.arange(max(0, int(py - reach)), min(cover.shape[0], int(py + reach) + 2))
        columns = np.arange(max(0, int(px - reach)), min(cover.shape[1], int(px + reach) + 2))
        away = np.hypot(rows[:, None] - py, columns[None, :] - px) / scale
        here = np.clip((radius_px + 0.75 - away) / 1.5, 0, 1)
        part = cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        np.maximum(part, here.astype(np.float32), out=part)

    def _lay_spots(self, linear: NDArray[np.float32]) -> None:
        for spot, center in zip(self.spots, self.centers, strict=False):
            cover = self._cover(center[None, :], spot.radius_px)[..., None]
            color = (np.array(spot.srgb) / 255) ** 2.2
            linear += cover * (color.astype(np.float32) - linear)

    def _lay_cloth(self, linear: NDArray[np.float32]) -> None:
        x, y = self._view.grid()
        threads = np.sin(2 * np.pi * (x * 160 + y * 40)) * np.sin(2 * np.pi * (y * 150 - x * 30))
        colors = [(np.array(color) / 255) ** 2.2 for color in CLOTH]
        bands = np.clip(((y + 0.02) * 7).astype(int), 0, 3)
        cloth = np.stack(colors)[np.broadcast_to(bands, threads.shape)] * (0.75 + 0.25 * threads[..., None])
        linear[:] = np.where((x > 2 / 3)[..., None], cloth, linear)

    def _macule_amount(self) -> float:
        """How much blood makes the CIEDE2000 that a macule has, by bisection."""
        low, high = 0.0, 2.0
        for _ in range(30):
            middle = (low + high) / 2
            spot = self._base * np.exp(-middle * (0.35 * MELANIN + HEMOGLOBIN))
            seen = [np.array(linear_rgb_to_lab(one)) for one in (self._base, spot)]
            low, high = (middle, high) if de00(*seen) < MACULE_DE00 else (low, middle)
        return low


def _marker(number: int) -> list[bool]:
    bits = [bool(number >> bit & 1) for bit in range(MARKER_BITS)]
    return [value for bit in bits for value in (bit, not bit)]


def read_marker(luma: NDArray[np.uint8]) -> int | None:
    """The number in a decoded picture's luma at any size, or None where it cannot be read."""
    scale = luma.shape[1] / WIDTH_PX
    bright = []
    for index in range(2 * MARKER_BITS):
        x0, x1 = ((index + part) * BLOCK_PX * scale for part in (0.3, 0.7))
        y0, y1 = (part * BLOCK_PX * scale for part in (0.3, 0.7))
        bright.append(float(luma[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].mean()) > 126)
    pairs = list(zip(bright[::2], bright[1::2], strict=True))
    if any(one == other for one, other in pairs):
        return None
    return sum(1 << bit for bit, (one, _) in enumerate(pairs) if one)
