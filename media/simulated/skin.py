"""A forearm with a lesion: pigments in the skin, relief on it, light across it."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from media.simulated.color import WHITE_D65, linear_from_lab
from media.simulated.view import Noise, View, coverage, smooth_step

# Absorption by pigment in linear R, G, B, relative: melanin falls towards red, hemoglobin is green's
# (shapes after Tsumura et al., "Image-based skin color and texture analysis/synthesis", SIGGRAPH 2003).
MELANIN = np.array([0.41, 0.62, 0.80], np.float32)
HEMOGLOBIN = np.array([0.14, 0.79, 0.60], np.float32)
_LIGHT = np.array([-0.40, -0.25, 0.88])


_HALF_WIDTH, _TAPER = 0.205, 0.085


class Tone(StrEnum):
    """Skin of a person, by name."""

    LIGHT = "light"
    TAN = "tan"
    DARK = "dark"


TONE_LAB_D65 = {
    Tone.LIGHT: (68.0, 9.5, 16.5),
    Tone.TAN: (56.0, 12.0, 20.0),
    Tone.DARK: (39.0, 11.5, 16.0),
}
"""CIELAB of the forearm, near the means of Xiao et al., "Characterising the variations in ethnic skin
colours" (Skin Research and Technology 23, 2017)."""


class Forearm:
    """A forearm lying in the scene, and the lesion on it. Everything follows from tone and seed."""

    center = np.array([0.285, 0.28])
    lesion_center = np.array([0.262, 0.262])
    lesion_radius = 0.034

    def __init__(self, tone: Tone, seed: int) -> None:
        self._base = linear_from_lab(np.array(TONE_LAB_D65[tone]), WHITE_D65).astype(np.float32)
        rng = np.random.default_rng([seed, 11])
        turn = np.deg2rad(9.0)
        self._along = np.array([-np.sin(turn), np.cos(turn)])
        self._across = np.array([np.cos(turn), np.sin(turn)])
        order = np.arange(2, 8)
        self._waves = np.stack(
            [order, rng.normal(0, 0.12, 6) * (2 / order) ** 0.7, rng.uniform(0, 2 * np.pi, 6)]
        )
        self._hair = self._grow_hair(rng)
        self._hair_strength = 0.26 if tone is Tone.LIGHT else 0.34
        seeds = iter(rng.integers(0, 2**31, 16).tolist())

        def noise(cell: float, turn: float = 0.0, stretch: float = 1.0) -> Noise:
            return Noise(next(seeds), cell, turn, stretch)

        self._blood = [(noise(0.09), 0.040), (noise(0.028, 0.5), 0.034), (noise(0.008, 1.0), 0.032)]
        self._pigment = [(noise(0.06, 0.9), 0.045), (noise(0.014, 0.2), 0.030), (noise(0.0042, 0.2), 0.022)]
        self._freckles = noise(0.0085, 0.7)
        # Furrows run across each other at an angle, finer than the pores between them.
        self._relief = [
            (noise(0.0021, 0.6, 3.6), 0.030),
            (noise(0.0019, -0.7, 3.6), 0.030),
            (noise(0.0010, 1.2, 3.0), 0.022),
        ]
        self._creases = noise(0.006, -0.15, 9.0)
        self._pores = noise(0.0026)
        self._grain = noise(0.0008, 0.3, 1.6)
        self._outline = noise(0.16, 0.4)
        self._mottle = noise(0.0062, 0.4)
        self._network = noise(0.0034, 1.2)

    def lesion_outline(self, points: int = 96) -> NDArray[np.float64]:
        """The lesion's border in scene units, [points, 2]."""
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        radius = self._lesion_radius(angle)
        return self.lesion_center + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)

    def paint(self, view: View, canvas: NDArray[np.float32]) -> None:
        """Paint the arm over canvas (linear RGB of the view), with its shadow on what lies below."""
        view, rows, columns = view.crop(view.left, view.top, self._right_end(view.top), np.inf)
        canvas = canvas[rows, columns]
        x, y = view.grid()
        dx, dy = x - np.float32(self.center[0]), y - np.float32(self.center[1])
        along = dx * np.float32(self._along[0]) + dy * np.float32(self._along[1])
        across = dx * np.float32(self._across[0]) + dy * np.float32(self._across[1])
        half = _HALF_WIDTH - _TAPER * along + 0.0035 * self._outline.over(view)
        distance = np.abs(across) - half
        self._cast_shadow(canvas, across, distance)
        side = np.asarray(np.clip(across / half, -1, 1), np.float32)
        skin = self._absorb(view, x, y)
        skin *= self._shade(side)[..., None]
        skin *= self._relieve(view)[..., None]
        # A faint sheen of oil, in the color of the light.
        sheen = 0.016 * np.exp(-(((side + 0.33) / 0.20) ** 2)) * (1 + 0.45 * self._pores.over(view))
        skin += np.maximum(sheen, 0)[..., None]
        skin *= 1 - self._hair_strength * self._hair_mask(view)[..., None]
        canvas += coverage(distance, 1 / view.scale)[..., None] * (skin - canvas)

    def _right_end(self, top: float) -> float:
        """Where, below top, neither arm nor shadow reaches any more to the right."""
        reach = _HALF_WIDTH + 0.13 - (top - self.center[1]) * (self._across[1] + _TAPER * self._along[1])
        return float(self.center[0] + reach / (self._across[0] + _TAPER * self._along[0]))

    def _absorb(self, view: View, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reflectance without light or relief: base tone darkened by local pigment (Beer-Lambert)."""
        blood = np.asarray(sum(amount * noise.over(view) for noise, amount in self._blood), np.float32)
        pigment = np.asarray(sum(amount * noise.over(view) for noise, amount in self._pigment), np.float32)
        pigment += 0.16 * smooth_step(1.9, 3.1, self._freckles.over(view))
        spot = self._lesion(x, y)
        mottle = self._mottle.over(view)
        # The darker half lies off the middle, as in many a nevus.
        dark_side = smooth_step(
            -0.6, 0.9, ((x - self.lesion_center[0]) - 0.6 * (y - self.lesion_center[1])) / self.lesion_radius
        )
        pigment += spot * (0.72 + 0.60 * dark_side + 0.13 * mottle + 0.08 * self._network.over(view))
        blood += spot * (0.36 + 0.08 * mottle) + 0.09 * self._halo(x, y)
        absorbed = pigment[..., None] * MELANIN + blood[..., None] * HEMOGLOBIN
        return np.asarray(self._base * np.exp(-absorbed), np.float32)

    def _relieve(self, view: View) -> NDArray[np.float32]:
        """Light and shade of furrows, pores and creases, around 1."""
        relief = np.ones((view.height_px, view.width_px), np.float32)
        for noise, amount in self._relief:
            relief += np.float32(amount) * (1 - np.abs(noise.over(view)) * np.float32(1.25))
        relief -= np.float32(0.050) * smooth_step(0.9, 2.2, self._pores.over(view))
        relief += np.float32(0.017) * self._grain.over(view)
        relief += np.float32(0.016) * self._creases.over(view)
        return relief

    def _lesion_radius(self, angle: NDArray[np.float64]) -> NDArray[np.float64]:
        order, size, phase = self._waves
        waves = (size[:, None] * np.cos(order[:, None] * angle.ravel() + phase[:, None])).sum(axis=0)
        return np.asarray(self.lesion_radius * (1 + waves.reshape(angle.shape)))

    def _lesion(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        dx, dy = x - self.lesion_center[0], y - self.lesion_center[1]
        distance = np.hypot(dx, dy)
        inside = np.zeros(distance.shape, np.float32)
        near = distance < 2 * self.lesion_radius
        border = self._lesion_radius(np.arctan2(*np.broadcast_arrays(dy, dx))[near].astype(np.float64))
        inside[near] = smooth_step(-0.0032, 0.0032, (border - distance[near]).astype(np.float32))
        return inside

    def _halo(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        away = np.hypot(x - self.lesion_center[0], y - self.lesion_center[1]) / self.lesion_radius
        return np.asarray(np.exp(-((away / 1.45) ** 4)), np.float32)

    @staticmethod
    def _shade(side: NDArray[np.float32]) -> NDArray[np.float32]:
        """Light on a rounded limb: a broad source from the upper left, and what the room gives back."""
        normal_x = side * np.float32(0.93)
        normal_z = np.sqrt(np.maximum(1 - normal_x**2, 0))
        facing = (_LIGHT[0] * normal_x + _LIGHT[2] * normal_z + 0.30) / 1.30
        shade = 0.22 + 0.84 * np.clip(facing, 0, None)
        edge = 1 - 0.22 * np.abs(side) ** 9
        return np.asarray(shade * edge, np.float32)

    @staticmethod
    def _cast_shadow(
        canvas: NDArray[np.float32], across: NDArray[np.float32], distance: NDArray[np.float32]
    ) -> None:
        away = np.maximum(distance, 0)
        lit = np.exp(-away / 0.012) * 0.45
        dark = np.exp(-away / 0.030) * 0.62
        blend = smooth_step(-0.05, 0.05, across)
        canvas *= (1 - (lit * (1 - blend) + dark * blend))[..., None]

    def _grow_hair(self, rng: np.random.Generator) -> list[NDArray[np.float64]]:
        """Fine hairs as short curves, most of them on the outer side of the arm."""
        hairs = []
        for _ in range(150):
            across = rng.uniform(-0.18, 0.19)
            root = self.center + self._along * rng.uniform(-0.42, 0.42) + self._across * across
            if np.hypot(*(root - self.lesion_center)) < 1.5 * self.lesion_radius:
                continue
            heading = np.deg2rad(rng.normal(68, 11))
            bend, length = rng.normal(14, 9), rng.uniform(0.008, 0.026)
            steps = np.linspace(0, 1, 9)
            angle = heading + bend * steps * length
            step = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * length / 8
            hairs.append(root + np.vstack([np.zeros(2), np.cumsum(step[:-1], axis=0)]))
        return hairs

    def _hair_mask(self, view: View) -> NDArray[np.float32]:
        """How much a hair covers each pixel: thinner and paler towards its tip."""
        mask = np.zeros((view.height_px, view.width_px), np.uint8)
        for hair in self._hair:
            points = np.rint(view.to_px(hair) * 16).astype(np.int32)
            for start, rest in enumerate(np.linspace(1, 0.25, len(points) - 1)):
                breadth = 0.00055 * rest * view.scale
                # Below one pixel a hair gets fainter, not thinner.
                ink = round(255 * min(1.0, breadth))
                cv2.line(mask, points[start], points[start + 1], ink, max(1, round(breadth)), cv2.LINE_AA, 4)
        return np.asarray(mask, np.float32) / np.float32(255)
