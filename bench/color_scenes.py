"""Rendered scenes with known truth for `./dev bench color`: chart and skin under measured lights and cameras.

Nothing here is shared with the prior of colorcal: the cameras are measured ones, the lights are CIE's, and
the skin model is another one (Kubelka-Munk), so that what is scored is not what was fitted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats, srgb_encode
from colorcal.reference import COLUMNS, GRID, ROWS
from colorcal.spectra import (
    CHART_REFLECTANCE,
    D65_TO_LINEAR_RGB,
    HEMOGLOBIN_EXTINCTION,
    WAVELENGTHS_NM,
    daylight,
)

LIGHTS: Final = (
    "A", "D50", "D65", "D75", "FL2", "FL4", "FL7", "FL10", "FL11", "FL3.7", "FL3.15", "HP5",
    "LED-B1", "LED-B2", "LED-B3", "LED-B4", "LED-B5", "LED-BH1", "LED-V1", "LED-V2", "LED-RGB1",
)  # fmt: skip
CAMERAS: Final = ("Nikon 5100 (NPL)", "Sigma SDMerill (NPL)", "observer", "phone a", "phone b")
TONES: Final = (0.3, 0.9, 2.0, 4.0, 8.0)
"""Melanin amounts of the skin tones, light to dark."""
_CELL_PX: Final = 60
_MARGIN: Final = 0.75


@dataclass(frozen=True, slots=True)
class Scene:
    """A rendered picture and the truth about it.

    rgb: uint8 [H, W, 3]. centers: float64 [24, 2] px. skin_boxes: x, y, side in px of each skin swatch.
    skin_truth: float64 [N, 3], encoded sRGB under D65. tones: index into TONES of each swatch.
    erythema: added blood of each swatch.
    """

    rgb: NDArray[np.uint8]
    centers: Floats
    skin_boxes: list[tuple[int, int, int]]
    skin_truth: Floats
    tones: list[int]
    erythema: list[float]
    light: str
    camera: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What varies from scene to scene; angles in degrees, lengths in px."""

    light: str = "D65"
    camera: str = "Nikon 5100 (NPL)"
    width: int = 1280
    height: int = 720
    pitch_px: float = 55.0
    rotation_deg: float = 0.0
    tilt_deg: float = 0.0
    exposure: float = 1.0
    contrast: float = 0.15
    gradient: float = 0.1
    flare: float = 0.006
    white_balance_error: float = 0.05
    noise: float = 0.006
    blur_px: float = 0.6
    finger: bool = False
    glare: bool = False
    seed: int = 0
    tones: tuple[int, ...] = field(default=(0, 1, 2, 3, 4))


def random_setup(rng: np.random.Generator, **fixed: Any) -> Setup:
    """A setup as patients make them: any light and camera, hand-held, sometimes a finger or a highlight."""
    drawn: dict[str, Any] = {
        "light": str(rng.choice(LIGHTS)),
        "camera": str(rng.choice(CAMERAS)),
        "pitch_px": float(np.exp(rng.uniform(np.log(26), np.log(85)))),
        "rotation_deg": float(rng.uniform(-180, 180)),
        "tilt_deg": float(rng.uniform(0, 45)),
        "exposure": float(np.exp(rng.uniform(-0.5, 0.25))),
        "contrast": float(rng.uniform(-0.05, 0.35)),
        "gradient": float(rng.uniform(0, 0.3)),
        "flare": float(rng.uniform(0, 0.02)),
        "white_balance_error": float(rng.uniform(0, 0.12)),
        "noise": float(rng.uniform(0.002, 0.015)),
        "blur_px": float(rng.uniform(0.3, 1.6)),
        "finger": bool(rng.random() < 0.2),
        "glare": bool(rng.random() < 0.2),
        "seed": int(rng.integers(1 << 31)),
    }
    return Setup(**(drawn | fixed))


@cache
def _measured() -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Cameras [3, 31] and lights [31] that colour-science carries (loaded late: it takes a second)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour

        shape = colour.SpectralShape(400, 700, 10)
        lights = {n: np.array(colour.SDS_ILLUMINANTS[n].copy().align(shape).values) for n in LIGHTS}
        cameras = {
            n: np.array(colour.MSDS_CAMERA_SENSITIVITIES[n].copy().align(shape).values).T for n in CAMERAS[:2]
        }
        observer = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(shape).values.T
    nm = WAVELENGTHS_NM

    def bell(center: float, left: float, right: float) -> Floats:
        return np.exp(-(((nm - center) / np.where(nm < center, left, right)) ** 2) / 2)

    cut = 1 / (1 + np.exp((nm - 655) / 9))
    cameras["observer"] = np.array(observer)
    cameras["phone a"] = cut * np.stack(
        [bell(605, 26, 45) + 0.12 * bell(460, 30, 25), bell(528, 36, 42), bell(456, 24, 34)]
    )
    cameras["phone b"] = cut * np.stack(
        [bell(593, 20, 38) + 0.05 * bell(430, 20, 40), bell(537, 44, 33), bell(467, 33, 26) + 0.04]
    )
    return cameras, lights


def skin_reflectance(melanin: float, blood: float, saturation: float = 0.6) -> Floats:
    """Kubelka-Munk skin: a melanin filter over an infinite dermis with blood, float64 [31]."""
    nm = WAVELENGTHS_NM
    oxy, deoxy = HEMOGLOBIN_EXTINCTION
    blood_absorption = blood * (saturation * oxy + (1 - saturation) * deoxy) * 2.303 * 150 / 64500
    absorption = blood_absorption + 0.25 + 6.5e8 * nm**-3.22
    scattering = 28 * (nm / 500) ** -1.3 + 2.5e12 * nm**-4
    ratio = absorption / scattering
    dermis = 1 + ratio - np.sqrt(ratio * ratio + 2 * ratio)
    epidermis: Floats = np.exp(-0.35 * melanin * (nm / 500) ** -3.48)
    result: Floats = 0.025 + 0.94 * epidermis * dermis
    return result


def _camera_colors(setup: Setup, rng: np.random.Generator, reflectance: Floats) -> Floats:
    """Linear colors [N, 3] as the camera's own processing leaves them, 1 for a perfect white."""
    cameras, lights = _measured()
    sensor, light = cameras[setup.camera], lights[setup.light]
    response = (sensor * light).T
    white = response.sum(axis=0)
    gains = np.exp(rng.normal(0, setup.white_balance_error, 3))
    raw = reflectance @ response / white * gains / gains[1]
    design = (sensor * daylight(5000)).T
    chart = CHART_REFLECTANCE @ design / design.sum(axis=0)
    target = CHART_REFLECTANCE @ D65_TO_LINEAR_RGB
    matrix, *_ = np.linalg.lstsq(chart, target, rcond=None)
    matrix /= matrix.sum(axis=0)
    result: Floats = raw @ matrix
    return result


def tone_curve(linear: Floats, contrast: float) -> Floats:
    """Encoded picture values (0 to 1) of linear ones: sRGB with a contrast curve on top."""
    encoded = np.clip(srgb_encode(np.clip(linear, 0, None)), 0, 1)
    curved: Floats = encoded + contrast * encoded * (1 - encoded) * (2 * encoded - 1 + 0.3)
    return np.clip(curved, 0, 1)


def render(setup: Setup) -> Scene:
    """Draw the scene of a setup: skin behind, swatches of skin around, the chart in the middle."""
    rng = np.random.default_rng(setup.seed)
    width, height = setup.width, setup.height
    erythema = [float(rng.choice([0.0, 0.02, 0.05])) for _ in setup.tones]
    skins = np.array(
        [skin_reflectance(TONES[t], 0.012 + e) for t, e in zip(setup.tones, erythema, strict=True)]
    )
    frame_material = np.full((1, len(WAVELENGTHS_NM)), 0.035)
    table = np.full((1, len(WAVELENGTHS_NM)), rng.uniform(0.15, 0.5)) * np.linspace(
        0.7, 1.2, len(WAVELENGTHS_NM)
    )
    linear = _camera_colors(setup, rng, np.vstack([CHART_REFLECTANCE, frame_material, table, skins]))
    canvas: Floats = np.empty((height, width, 3))
    canvas[:] = linear[25]
    texture = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 5)
    canvas *= (1 + 0.6 * texture / max(float(texture.std()), 1e-9) * 0.08)[..., None]
    side = height // 6
    boxes: list[tuple[int, int, int]] = []
    places = [(0.03, 0.05), (0.03, 0.72), (0.87, 0.05), (0.87, 0.72), (0.03, 0.4)]
    for (px, py), color in zip(places[: len(skins)], linear[26:], strict=False):
        x, y = int(px * width), int(py * height)
        boxes.append((x, y, side))
        canvas[y : y + side, x : x + side] = color
    homography = _pose(setup, rng)
    canvas = _draw_chart(canvas, linear[:25], homography)
    centers = cv2.perspectiveTransform(GRID[None], homography)[0]
    ramp = (np.arange(width) / width - 0.5)[None, :] * np.cos(setup.seed) + (
        np.arange(height) / height - 0.5
    )[:, None] * np.sin(setup.seed)
    canvas *= (setup.exposure * np.exp(2 * setup.gradient * ramp))[..., None]
    if setup.finger:
        _cover_corner(canvas, centers, linear[26] * setup.exposure)
    if setup.glare:
        _add_glare(canvas, centers, rng)
    canvas += setup.flare
    blurred: Any = cv2.GaussianBlur(canvas, (0, 0), setup.blur_px)
    canvas = np.asarray(blurred, np.float64).reshape(height, width, 3)
    noise = rng.normal(0, setup.noise, canvas.shape)
    canvas += noise * np.sqrt(np.maximum(canvas, 0) + 0.02)
    encoded = tone_curve(canvas, setup.contrast)
    rgb = np.round(encoded * 255).astype(np.uint8)
    truth = srgb_encode(np.clip(skins @ D65_TO_LINEAR_RGB, 0, 1))
    return Scene(rgb, centers, boxes, truth, list(setup.tones), erythema, setup.light, setup.camera)


def _pose(setup: Setup, rng: np.random.Generator) -> Floats:
    """Homography from chart units to px, by a pinhole camera over a tilted, turned chart."""
    distance = 18.0
    turn, tilt = np.radians(setup.rotation_deg), np.radians(setup.tilt_deg)
    axis = rng.uniform(0, 2 * np.pi)
    corners = np.array([(0, 0), (COLUMNS - 1, 0), (COLUMNS - 1, ROWS - 1), (0, ROWS - 1)], float)
    flat: Floats = corners - np.array(((COLUMNS - 1) / 2, (ROWS - 1) / 2))
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    flat = np.asarray(flat @ spin.T, np.float64)
    direction = np.array([np.cos(axis), np.sin(axis)])
    along = flat @ direction
    depth = distance + along * np.sin(tilt)
    flat = flat + np.outer(along * (np.cos(tilt) - 1), direction)
    points = flat / depth[:, None] * distance * setup.pitch_px
    points = points + np.array((setup.width * 0.5, setup.height * 0.5))
    matrix: Any = cv2.getPerspectiveTransform(corners.astype(np.float32), points.astype(np.float32))
    return np.asarray(matrix, np.float64)


def _draw_chart(canvas: Floats, colors: Floats, homography: Floats) -> Floats:
    wide = int((COLUMNS - 1 + 2 * _MARGIN) * _CELL_PX)
    tall = int((ROWS - 1 + 2 * _MARGIN) * _CELL_PX)
    art = np.empty((tall, wide, 3))
    art[:] = colors[24]
    half = int(0.43 * _CELL_PX)
    for (column, row), color in zip(GRID, colors[:24], strict=True):
        x, y = int((column + _MARGIN) * _CELL_PX), int((row + _MARGIN) * _CELL_PX)
        art[y - half : y + half, x - half : x + half] = color
    to_units = np.array([[1 / _CELL_PX, 0, -_MARGIN], [0, 1 / _CELL_PX, -_MARGIN], [0, 0, 1]])
    double = np.diag([2.0, 2.0, 1.0])
    size = (canvas.shape[1] * 2, canvas.shape[0] * 2)
    matrix = double @ homography @ to_units
    cover: Any = cv2.warpPerspective(np.ones((tall, wide), np.float32), matrix, size)
    layer: Any = cv2.warpPerspective(art.astype(np.float32), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    half_size = (canvas.shape[1], canvas.shape[0])
    alpha = cv2.resize(cover, half_size, interpolation=cv2.INTER_AREA)[..., None]
    layer = cv2.resize(layer, half_size, interpolation=cv2.INTER_AREA)
    mixed: Floats = canvas * (1 - alpha) + layer * alpha
    return mixed


def _cover_corner(canvas: Floats, centers: Floats, skin: Floats) -> None:
    pitch = float(np.hypot(*(centers[1] - centers[0])))
    mask = np.zeros(canvas.shape[:2], np.uint8)
    start, end = centers[17] * 2 - centers[9], centers[10]
    cv2.line(mask, start.astype(int).tolist(), end.astype(int).tolist(), 1, max(3, int(0.9 * pitch)))
    canvas[mask > 0] = skin


def _add_glare(canvas: Floats, centers: Floats, rng: np.random.Generator) -> None:
    pitch = float(np.hypot(*(centers[1] - centers[0])))
    x, y = centers[rng.integers(24)]
    ys, xs = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    canvas += (0.6 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (0.5 * pitch) ** 2)))[..., None]


def negative(seed: int, width: int = 1280, height: int = 720) -> NDArray[np.uint8]:
    """A picture without a chart that looks like one: keys, panes, tiles, swatches, a scrambled chart.

    Returns uint8 [H, W, 3].
    """
    rng = np.random.default_rng(seed)
    kind = seed % 8
    columns, rows = int(rng.integers(4, 15)), int(rng.integers(3, 9))
    cell = min(width // (columns + 2), height // (rows + 2))
    base = rng.uniform(0.1, 0.9, 3)
    picture = np.full((height, width, 3), rng.uniform(0.02, 0.9, 3))
    chart = srgb_encode(np.clip(CHART_REFLECTANCE @ D65_TO_LINEAR_RGB, 0, 1))
    order = rng.permutation(len(chart))
    for row in range(rows):
        for column in range(columns):
            color = {
                0: base,  # keys
                1: base * rng.uniform(0.8, 1.2),  # panes
                2: rng.uniform(0, 1, 3),  # mosaic
                3: base + rng.normal(0, 0.15, 3),  # swatches of one paint
                4: chart[order[(row * columns + column) % len(chart)]],  # a scrambled chart
                5: chart[(row * columns + column) % len(chart)][[2, 1, 0]],  # its colors swapped
                6: np.full(3, rng.uniform(0, 1)),  # greys
                7: np.array([row / rows, column / columns, rng.uniform(0, 1)]),  # a color picker
            }[kind]
            x, y, gap = (column + 1) * cell, (row + 1) * cell, max(1, int(rng.uniform(0.05, 0.2) * cell))
            picture[y + gap : y + cell - gap, x + gap : x + cell - gap] = color
    angle = float(rng.uniform(-40, 40))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned: Any = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    noisy = cv2.GaussianBlur(turned, (0, 0), 0.8) + rng.normal(0, 0.01, picture.shape)
    result: NDArray[np.uint8] = np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    return result
