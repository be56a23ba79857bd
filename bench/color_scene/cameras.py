"""Cameras of the renderer: sensitivities, and what the camera does to a picture before anyone sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import erf
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.color_scene.spectra import WAVELENGTHS_NM, chart, light, measured_camera, to_linear_rgb
from colorcal.color_math import Floats, srgb_encode

_CURVE_POINTS: Final = 4096


@dataclass(frozen=True, slots=True)
class Development:
    """From raw values to picture values: white balance [3], matrix [3, 3] for rows, tone curve [4096]."""

    gains: Floats
    matrix: Floats
    curve: Floats

    def encode(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Picture values 0 to 1 of raw values [..., 3] that are 1 where the sensor is full."""
        balanced = np.minimum(raw, 1) * self.gains.astype(np.float32)
        # a full sensor is white, whatever the balance
        balanced = np.minimum(balanced, np.float32(self.gains.min()))
        linear: Any = cv2.transform(balanced.reshape(1, -1, 3), self.matrix.T.astype(np.float32))
        place = np.clip(linear * (_CURVE_POINTS - 1), 0, _CURVE_POINTS - 1)
        low = place.astype(np.int32)
        part = place - low
        curve = np.append(self.curve, self.curve[-1]).astype(np.float32)
        value = curve[low] * (1 - part) + curve[low + 1] * part
        return np.asarray(value, np.float32).reshape(raw.shape)


@cache
def camera(name: str) -> Floats:
    """Sensitivities [3, BANDS] of a camera: a measured one by its name, "bells N" or "filters N"."""
    family, _, number = name.partition(" ")
    if family == "bells":
        return _bells(np.random.default_rng([11, int(number)]))
    if family == "filters":
        return _filters(np.random.default_rng([23, int(number)]))
    return measured_camera(name)


def _bells(rng: np.random.Generator) -> Floats:
    """Skewed bells with side lobes, as smooth fits to measured cameras look."""
    nm = WAVELENGTHS_NM

    def bell(center: float, left: float, right: float) -> Floats:
        result: Floats = np.exp(-0.5 * ((nm - center) / np.where(nm < center, left, right)) ** 2)
        return result

    red = bell(rng.uniform(588, 612), rng.uniform(18, 30), rng.uniform(32, 50))
    green = bell(rng.uniform(522, 542), rng.uniform(30, 44), rng.uniform(32, 46))
    blue = bell(rng.uniform(450, 470), rng.uniform(20, 32), rng.uniform(24, 38))
    red += rng.uniform(0, 0.12) * bell(450, 30, 30)
    green += rng.uniform(0, 0.1) * bell(460, 30, 20)
    cut = 1 / (1 + np.exp((nm - rng.uniform(645, 685)) / rng.uniform(6, 12)))
    result: Floats = np.stack([red, green, blue]) * cut
    return result


def _filters(rng: np.random.Generator) -> Floats:
    """Silicon under absorbing dyes: edges of a long-pass and two band-pass filters, crosstalk, a lens, an
    interference filter against infrared. Shares no formula with the bells."""
    nm = WAVELENGTHS_NM

    def edge(center: float, width: float) -> Floats:
        return np.array([0.5 * (1 + erf((x - center) / width)) for x in nm])

    leak = rng.uniform(0.0, 0.06, 3)
    red = edge(rng.uniform(578, 592), rng.uniform(14, 26)) + leak[0] * (1 - edge(rng.uniform(455, 480), 22))
    green = edge(rng.uniform(482, 502), rng.uniform(16, 30)) * (
        1 - edge(rng.uniform(568, 590), rng.uniform(22, 34))
    )
    green += leak[1] * edge(655, 22)
    blue = (1 - edge(rng.uniform(492, 512), rng.uniform(18, 34))) + leak[2] * edge(rng.uniform(560, 600), 30)
    dyes = np.stack([red, green, blue])
    silicon = 0.35 + 0.65 * np.exp(-(((nm - rng.uniform(540, 600)) / rng.uniform(120, 170)) ** 2))
    lens = edge(rng.uniform(408, 422), rng.uniform(8, 14))
    cut_nm, ripple = rng.uniform(640, 668), rng.uniform(0, 0.03)
    cut = (1 - edge(cut_nm, rng.uniform(10, 24))) * (1 + ripple * np.sin(nm / rng.uniform(8, 14)))
    crosstalk = np.eye(3) + rng.uniform(0.01, 0.06, (3, 3)) * (1 - np.eye(3))
    result: Floats = crosstalk @ (dyes * silicon * lens * cut)
    return result


def develop(name: str, light_name: str, rng: np.random.Generator) -> tuple[Floats, Development]:
    """What a camera makes of a light: weights [BANDS, 3] from reflectance to raw, and its development.

    A white surface has raw values of at most 1 at exposure 1. The camera balances its white with an error,
    sometimes leaves part of a warm cast, takes the matrix made for daylight or for tungsten, whichever is
    nearer, and has its own saturation and tone curve.
    """
    sensor, lamp = camera(name), light(light_name)
    weights = (sensor * lamp).T
    white = weights.sum(axis=0)
    weights = weights / white.max()
    white = weights.sum(axis=0)
    day = (sensor * light("D65")).T.sum(axis=0)
    cast = (white / day) / (white / day).mean()
    kept_cast = float(rng.choice([0.0, 0.0, 0.0, 0.25]))
    gains = white[1] / white * cast**kept_cast * np.exp(rng.normal(0, rng.uniform(0.0, 0.06), 3))
    gains /= gains[1]
    # a warm light has much red and little blue
    presets = {"D65": _matrix(name, "D65"), "A": _matrix(name, "A")}
    warmth = float(np.clip(np.log(cast[0] / cast[2]) / 1.2, 0, 1))
    matrix = (1 - warmth) * presets["D65"] + warmth * presets["A"]
    saturation = float(rng.uniform(0.9, 1.2))
    grey = np.full((3, 3), 1 / 3)
    matrix = matrix @ (saturation * np.eye(3) + (1 - saturation) * grey)
    twist = rng.normal(0, 0.02, (3, 3))
    matrix = matrix @ (np.eye(3) + twist - twist.mean(axis=0))
    return weights, Development(gains, matrix / matrix.sum(axis=0), _tone_curve(rng))


@cache
def _matrix(name: str, light_name: str) -> Floats:
    """The maker's matrix [3, 3] from white-balanced raw to linear sRGB: fitted on a chart, white kept."""
    response = (camera(name) * light(light_name)).T
    raw = chart("babel") @ response / response.sum(axis=0)
    target = np.clip(chart("babel") @ to_linear_rgb(), 0, 1)
    matrix = np.linalg.solve(raw.T @ raw + 3e-3 * np.eye(3), raw.T @ target + 3e-3 * np.eye(3))
    result: Floats = matrix / matrix.sum(axis=0)
    return result


def _tone_curve(rng: np.random.Generator) -> Floats:
    """Picture value of linear 0 to 1 [4096]: sRGB itself, with a contrast curve, or a film-like shoulder."""
    linear = np.linspace(0, 1, _CURVE_POINTS)
    kind = rng.choice(3, p=(0.2, 0.4, 0.4))
    if kind == 0:
        return srgb_encode(linear)
    if kind == 1:
        value = srgb_encode(linear)
        amount = rng.uniform(0.05, 0.3)
        # a smooth S around a pivot of its own
        pivot = rng.uniform(0.35, 0.5)
        bent = value + amount * value * (1 - value) * np.tanh(3 * (value - pivot))
        return np.maximum.accumulate(np.clip(bent, 0, 1))
    boost = rng.uniform(1.0, 1.8)
    shoulder = rng.uniform(0.1, 0.7)
    lifted = boost * linear
    rolled = lifted * (1 + shoulder * 0.3) / (1 + shoulder * lifted)
    rolled /= max(float(rolled[-1]), 1.0)
    toe = rng.uniform(0.0, 0.006)
    value = srgb_encode(np.clip(rolled**2 / (rolled + toe + 1e-9), 0, 1))
    return np.maximum.accumulate(np.clip(value / value[-1], 0, 1))
