"""Draw a scene: bands of skin with inflamed spots, a chart between them, light, lens, sensor, development."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.color_scene.cameras import Development, develop
from bench.color_scene.charts import chart_art
from bench.color_scene.coding import through_codec
from bench.color_scene.halves import TRAINING, Half
from bench.color_scene.skin import ERYTHEMA, draw_person
from bench.color_scene.spectra import BANDS, to_linear_rgb
from colorcal.color_math import Floats, srgb_encode
from colorcal.layouts import LAYOUTS
from colorcal.reference import COLUMNS, GRID, ROWS

_SPOT: Final = 0.34
"""Radius of a spot of skin in units of the band's width; two thirds of it are measured."""
Raw = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Setup:
    """What varies from scene to scene; angles in degrees, lengths in px, light relative to a full sensor.

    chart: a ColorChecker's colors. layout: which chart lies there. print_number: of a card, its print batch.
    cast: by how much the camera's white balance is further off, red, green, blue.
    """

    half: Half = TRAINING
    camera: str = "bells 0"
    light: str = "D55"
    chart: str = "babel"
    layout: str = "classic"
    print_number: int = 1
    codec: str = "none"
    seed: int = 0
    width: int = 1280
    height: int = 720
    pitch_px: float = 55.0
    rotation_deg: float = 0.0
    tilt_deg: float = 0.0
    exposure: float = 0.7
    gradient: float = 0.1
    flare: float = 0.005
    noise: float = 0.006
    blur_px: float = 0.7
    motion_px: float = 0.0
    finger: bool = False
    glare: float = 0.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of skin: center and radius in px, index into TONES and into ERYTHEMA, linear sRGB truth [3]."""

    x: float
    y: float
    radius: float
    tone: int
    erythema: int
    truth: Floats


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and the truth about it: rgb uint8 [H, W, 3], centers float64 [24, 2] px, spots of skin."""

    rgb: NDArray[np.uint8]
    centers: Floats
    spots: tuple[Spot, ...]
    setup: Setup

    def skin(self, picture: NDArray[np.uint8] | None = None) -> Floats:
        """Mean encoded color [N, 3], 0 to 1, of each spot in a picture of this scene: its own by default."""
        return mean_skin(self.rgb if picture is None else picture, self.spots)

    @property
    def truth(self) -> Floats:
        """True encoded color of each spot under D65 [N, 3], 0 to 1."""
        return srgb_encode(np.array([np.clip(spot.truth, 0, 1) for spot in self.spots]))


def draw_setup(half: Half, index: int, **fixed: Any) -> Setup:
    """Scene number `index` of a half: cameras and lights in turn, the rest at random, as patients make it."""
    rng = np.random.default_rng([half.seed, index])
    pitch = float(np.exp(rng.uniform(np.log(26), np.log(80))))
    drawn = Setup(
        half=half,
        camera=half.cameras[index % len(half.cameras)],
        # coprime steps: every light meets every camera
        light=half.lights[(index * 5 + index // len(half.cameras)) % len(half.lights)],
        chart=half.charts[int(rng.integers(len(half.charts)))],
        codec=str(rng.choice(("none", "jpeg", "vp8", "h264"), p=(0.25, 0.25, 0.25, 0.25))),
        seed=int(rng.integers(1 << 31)),
        pitch_px=pitch,
        rotation_deg=float(rng.uniform(-180, 180)),
        tilt_deg=float(rng.uniform(0, 45)),
        exposure=float(np.exp(rng.uniform(np.log(0.45), np.log(0.95)))),
        gradient=float(rng.uniform(0, 0.08)),
        flare=float(rng.uniform(0, 0.012)),
        noise=float(rng.uniform(0.002, 0.012)),
        blur_px=float(rng.uniform(0.4, 1.5)),
        motion_px=float(rng.uniform(1, 0.12 * pitch)) if rng.random() < 0.2 else 0.0,
        finger=bool(rng.random() < 0.2),
        glare=float(rng.uniform(0.15, 1.0)) if rng.random() < 0.25 else 0.0,
        print_number=int(rng.choice(half.prints)),
    )
    return replace(drawn, **fixed)


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene before the shutter: light on the sensor without noise, and what becomes of it.

    raw: float32 [H, W, 3], relative to a full sensor.
    """

    raw: Raw
    development: Development
    centers: Floats
    spots: tuple[Spot, ...]
    setup: Setup

    def shoot(self, frame: int = 0) -> NDArray[np.uint8]:
        """The picture as the camera stores it, before any codec: uint8 [H, W, 3]. frame: which noise."""
        rng = np.random.default_rng([self.setup.seed, 77, frame])
        # shot and read noise, spread over neighbours by the demosaicing
        noise = rng.standard_normal(self.raw.shape, np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (3, 3), 0.6), np.float32) * np.float32(1.6)
        deviation = self.setup.noise * np.sqrt(np.maximum(self.raw, 0) + 0.02)
        noisy = np.maximum(self.raw + noise * deviation.astype(np.float32), 0)
        picture: NDArray[np.uint8] = np.rint(self.development.encode(noisy) * 255).astype(np.uint8)
        return picture


def mean_skin(picture: NDArray[np.uint8], spots: tuple[Spot, ...]) -> Floats:
    """Mean encoded color [N, 3], 0 to 1, of each spot in a picture."""
    means = []
    for spot in spots:
        reach = int(spot.radius * 0.66)
        x, y = round(spot.x), round(spot.y)
        means.append(picture[y - reach : y + reach + 1, x - reach : x + reach + 1].mean(axis=(0, 1)))
    return np.array(means) / 255


def render(setup: Setup, *, with_chart: bool = True) -> Scene:
    """The picture of a setup after its codec."""
    stage = set_stage(setup, with_chart=with_chart)
    rgb = through_codec([stage.shoot()], setup.codec, setup.seed)[0]
    return Scene(rgb, stage.centers, stage.spots, setup)


def set_stage(setup: Setup, *, with_chart: bool = True, shift_px: tuple[float, float] = (0, 0)) -> Stage:
    """Lay out the scene and let the light fall on the sensor. shift_px: how far the hand moved the chart."""
    rng = np.random.default_rng([setup.seed, 5])
    weights, development = develop(setup.camera, setup.light, np.random.default_rng([setup.seed, 6]))
    development = replace(development, gains=development.gains * setup.cast)
    people = [draw_person(setup.half, tone, rng) for tone in range(len(setup.half.melanin))]
    skins = np.array([[person.reflectance(blood) for blood in ERYTHEMA] for person in people])
    ramp = np.linspace(rng.uniform(0.6, 1.4), rng.uniform(0.6, 1.4), BANDS)
    table = rng.uniform(0.08, 0.5) * ramp
    canvas = _textured(table @ weights, setup, rng, strength=0.08)
    spots = _paint_skin(canvas, skins, weights, setup, rng)
    homography = _pose(setup, rng, shift_px)
    centers = np.asarray(cv2.perspectiveTransform(GRID[None], homography)[0], np.float64)
    if with_chart:
        art = chart_art(setup.layout, setup.chart, setup.print_number, float(rng.uniform(0.03, 0.045)))
        colors = (art.materials @ weights).astype(np.float32)
        _lay(canvas, colors[art.labels], art.to_units, homography)
        if setup.finger:
            _cover(canvas, centers, skins[rng.integers(len(skins)), 0] @ weights, setup, rng)
    # light: from one side, less towards the corners of the lens
    y, x = np.ogrid[-0.5 : 0.5 : setup.height * 1j, -0.5 : 0.5 : setup.width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    shade = np.exp(2 * setup.gradient * (x * np.cos(angle) + y * np.sin(angle))) * (
        1 - 0.02 * (x * x + y * y) * 4
    )
    canvas *= (setup.exposure * shade).astype(np.float32)[..., None]
    if setup.glare and with_chart:
        _add_glare(canvas, centers, weights.sum(axis=0) * setup.exposure, setup, rng)
    canvas += (setup.flare * setup.exposure * weights.sum(axis=0)).astype(np.float32)
    if setup.motion_px:
        canvas = _move(canvas, setup.motion_px, rng.uniform(0, np.pi))
    raw = np.asarray(cv2.GaussianBlur(canvas, (0, 0), setup.blur_px), np.float32)
    return Stage(raw, development, centers, spots, setup)


def _textured(color: Floats, setup: Setup, rng: np.random.Generator, strength: float) -> Raw:
    coarse = rng.standard_normal((setup.height // 4, setup.width // 4)).astype(np.float32)
    texture: Any = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 2), (setup.width, setup.height))
    texture = 1 + strength * texture / max(float(texture.std()), 1e-6)
    return np.asarray(np.maximum(texture, 0.2)[..., None] * color.astype(np.float32), np.float32)


def _paint_skin(
    canvas: Raw, skins: Floats, weights: Floats, setup: Setup, rng: np.random.Generator
) -> tuple[Spot, ...]:
    """Paint a band of skin for each person at the sides, with spots of each amount of blood on it."""
    tones, levels, _ = skins.shape
    width = round(0.07 * setup.width)
    step = round(0.078 * setup.width)
    order = rng.permutation(tones)
    fine = rng.standard_normal((setup.height, width)).astype(np.float32)
    fine = np.asarray(cv2.GaussianBlur(fine, (0, 0), 1.2), np.float32)
    fine = 1 + 0.015 * fine[..., None] / max(float(fine.std()), 1e-6)
    spots = []
    for place, tone in enumerate(int(one) for one in order):
        left = place * step if place < tones // 2 else setup.width - (tones - place) * step + step - width
        band = np.empty((setup.height, width, 3), np.float32)
        band[:] = (skins[tone, 0] @ weights).astype(np.float32)
        for level, slot in enumerate(rng.permutation(levels)):
            center = (
                width / 2,
                setup.height * (slot + 0.5) / levels + rng.uniform(-0.04, 0.04) * setup.height,
            )
            radius = _SPOT * width
            mask = np.zeros((setup.height, width), np.float32)
            cv2.circle(mask, (round(center[0]), round(center[1])), round(radius), 1.0, -1)
            alpha = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32)[..., None]
            band += alpha * ((skins[tone, level] @ weights).astype(np.float32) - band)
            truth = skins[tone, level] @ to_linear_rgb()
            spots.append(Spot(left + center[0], center[1], radius, tone, level, truth))
        canvas[:, left : left + width] = band * fine
    return tuple(sorted(spots, key=lambda spot: (spot.tone, spot.erythema)))


def _pose(setup: Setup, rng: np.random.Generator, shift_px: tuple[float, float]) -> Floats:
    """Homography from chart units to px, by a pinhole camera over a tilted, turned chart."""
    distance = rng.uniform(12, 24)
    turn, tilt, axis = np.radians(setup.rotation_deg), np.radians(setup.tilt_deg), rng.uniform(0, 2 * np.pi)
    corners = np.array([(0, 0), (COLUMNS - 1, 0), (COLUMNS - 1, ROWS - 1), (0, ROWS - 1)], np.float64)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    upright = (corners - corners.mean(axis=0)) / (1, LAYOUTS[setup.layout].row_over_column)
    flat = upright @ spin.T
    direction = np.array([np.cos(axis), np.sin(axis)])
    along = flat @ direction
    foreshortened = flat + np.outer(along * (np.cos(tilt) - 1), direction)
    points = foreshortened / (distance + along * np.sin(tilt))[:, None] * distance * setup.pitch_px
    border = 5.0 if setup.layout == "card" else 1.8
    room = (0.66 * setup.width, setup.height) - np.ptp(points, axis=0) - border * setup.pitch_px
    room = np.maximum(room, 0)
    middle = np.array((setup.width, setup.height)) / 2 + rng.uniform(-0.5, 0.5, 2) * room + shift_px
    matrix: Any = cv2.getPerspectiveTransform(
        corners.astype(np.float32), (points + middle).astype(np.float32)
    )
    return np.asarray(matrix, np.float64)


def _lay(canvas: Raw, art: Raw, to_units: Floats, homography: Floats) -> None:
    """Lay a chart over the canvas, drawn at twice the size and averaged."""
    tall, wide = art.shape[:2]
    edge = np.array([(0, 0), (wide, 0), (wide, tall), (0, tall)], np.float64) - 0.5
    outline = cv2.perspectiveTransform(edge[None], homography @ to_units)[0]
    height, width = canvas.shape[:2]
    left, top = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, (width, height))
    # a pixel's center lies at a whole number; on the grid of half pixels that is 2 x + 0.5
    to_half_px = np.array([[2.0, 0, 0.5 - 2 * left], [0, 2.0, 0.5 - 2 * top], [0, 0, 1]])
    matrix = to_half_px @ homography @ to_units
    size = (2 * int(right - left), 2 * int(bottom - top))
    cover: Any = cv2.warpPerspective(np.ones((tall, wide), np.float32), matrix, size)
    layer: Any = cv2.warpPerspective(art, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    single = (size[0] // 2, size[1] // 2)
    alpha = cv2.resize(cover, single, interpolation=cv2.INTER_AREA)[..., None]
    layer = cv2.resize(layer, single, interpolation=cv2.INTER_AREA)
    region = canvas[top:bottom, left:right]
    region += alpha * (layer - region)


def _cover(canvas: Raw, centers: Floats, skin: Floats, setup: Setup, rng: np.random.Generator) -> None:
    """A thumb over a corner, or a finger over the edge: two or three patches, with its shadow."""
    corner = int(rng.choice((0, 5, 18, 23)))
    inward = {0: 7, 5: 10, 18: 13, 23: 16}[corner]
    start = 3 * centers[corner] - 2 * centers[inward]
    end = centers[corner] + rng.uniform(0.1, 0.9) * (centers[inward] - centers[corner])
    breadth = max(3, int(rng.uniform(0.7, 1.1) * setup.pitch_px))
    mask = np.zeros(canvas.shape[:2], np.float32)
    cv2.line(mask, start.astype(int).tolist(), end.astype(int).tolist(), 1.0, breadth, cv2.LINE_AA)
    shadow = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.15 * setup.pitch_px), np.float32)
    canvas *= (1 - 0.4 * shadow)[..., None]
    canvas += mask[..., None] * (skin.astype(np.float32) - canvas)


def _add_glare(canvas: Raw, centers: Floats, light: Floats, setup: Setup, rng: np.random.Generator) -> None:
    """A lamp mirrored in the chart: an ellipse of its light over one to four patches."""
    x, y = centers[rng.integers(len(centers))]
    spread = rng.uniform(0.3, 0.9, 2) * setup.pitch_px
    ys, xs = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    blob = np.exp(-0.5 * ((xs - x) ** 2 / spread[0] ** 2 + (ys - y) ** 2 / spread[1] ** 2))
    canvas += (setup.glare * blob).astype(np.float32)[..., None] * light.astype(np.float32)


def _move(canvas: Raw, length_px: float, angle: float) -> Raw:
    size = 2 * int(np.ceil(length_px / 2)) + 1
    steps = np.linspace(-0.5, 0.5, 4 * size)[:, None] * length_px * np.array([np.cos(angle), np.sin(angle)])
    kernel = np.zeros((size, size), np.float32)
    np.add.at(kernel, tuple(np.rint(steps[:, ::-1] + size // 2).astype(int).T), 1.0)
    return np.asarray(cv2.filter2D(canvas, -1, kernel / kernel.sum()), np.float32)
