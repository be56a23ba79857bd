"""The simulated patient's scene over time, and the truth about its colors that a real camera never tells."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media.simulated.camera import Camera, Illuminant
from media.simulated.chart import Chart, reference_linear
from media.simulated.color import encode_srgb
from media.simulated.skin import Forearm, Tone
from media.simulated.view import Noise, View

OVERSAMPLING = 1.5
"""Pixels of the painted scene by pixels of the video: motion then costs no sharpness."""

MARGIN = 0.035
"""Painted around the video picture, in scene units, for the hand to move in."""

_BAND_ROWS = 256
_NOISE_PERIOD = 16


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """What the scene shows, and how the camera moves; equal options give equal pictures.

    loop_s: the motion closes after so many seconds. motion: 1 is a calm hand, 0 a tripod.
    """

    tone: Tone = Tone.LIGHT
    illuminant: Illuminant = Illuminant.TUNGSTEN
    width_px: int = 1280
    height_px: int = 720
    seed: int = 1
    loop_s: float = 8.0
    motion: float = 1.0
    noise_codes: float = 1.6


@dataclass(frozen=True, slots=True)
class SampleRegion:
    """A patch of one material: pixel rectangle x0, y0, x1, y1 (end exclusive) and true sRGB, 0 to 255."""

    name: str
    box: tuple[int, int, int, int]
    srgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """What a perfect camera would see in D65 light of the same geometry, exposed for the chart.

    regions: on "forearm", "elbow", "wrist" (bare skin) and "lesion". chart_centers: [24, 2] in px, reference
    order. chart_srgb: [24, 3], 0 to 255. lesion_outline: [N, 2] in px. (0, 0) is the center of a pixel.
    """

    regions: tuple[SampleRegion, ...]
    chart_centers: NDArray[np.float64]
    chart_srgb: NDArray[np.float64]
    lesion_outline: NDArray[np.float64]

    def region(self, name: str) -> SampleRegion:
        """The region of that name. Raises KeyError."""
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)


_REGIONS = {
    "forearm": ((0.345, 0.215), 0.024),
    "elbow": ((0.225, 0.125), 0.020),
    "wrist": ((0.245, 0.420), 0.020),
    "lesion": ((0.262, 0.262), 0.014),
}
"""Center and half side in scene units; skin away from the lesion, the lesion at its core."""


class Scene:
    """A forearm with a lesion, a chart beside it, on a drape, in the wrong light, held by a hand.

    Painting takes a second or two at 720p; a frame then takes milliseconds. May be read by several threads.
    """

    def __init__(self, options: SceneOptions) -> None:
        self.options = options
        self._chart = Chart((0.755, 0.305), 0.0655, np.deg2rad(-3.0))
        self._arm = Forearm(options.tone, options.seed)
        rng = np.random.default_rng([options.seed, 5])
        self._drape_seeds = rng.integers(0, 2**31, 4).tolist()
        self._camera = Camera(options.illuminant, options.noise_codes)
        # Whole numbers of swings in a loop, so that it closes; two for each of x, y, turn and zoom.
        self._swings = np.array([[1, 2], [1, 3], [1, 2], [1, 1]])
        self._phases = rng.uniform(0, 2 * np.pi, (4, 2))
        self._reach = options.motion * np.array([0.0045, 0.0036, np.deg2rad(0.35), 0.004])
        self._view = self._video_view()
        self._painted = self._expose(self._view)
        self._noises = [
            self._camera.noise(options.seed + n, options.height_px, options.width_px)
            for n in range(_NOISE_PERIOD if options.noise_codes > 0 else 0)
        ]
        self._region_srgb = {name: self._true_color(name) for name in _REGIONS}

    @property
    def width_px(self) -> int:
        """Width of a frame."""
        return self.options.width_px

    @property
    def height_px(self) -> int:
        """Height of a frame."""
        return self.options.height_px

    def frame(self, t_s: float) -> NDArray[np.uint8]:
        """The camera's picture at t_s, uint8 RGB [H, W, 3], sRGB-encoded as the camera believes."""
        width, height = self.options.width_px, self.options.height_px
        painted_to_frame = self._to_frame(t_s) @ np.linalg.inv(_matrix_of(self._view))
        picture = cv2.warpAffine(
            self._painted,
            np.linalg.inv(painted_to_frame)[:2],
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if self._noises:
            noise = self._noises[round(t_s * 1000) // 33 % _NOISE_PERIOD]
            cv2.add(picture, noise, picture, dtype=cv2.CV_8U)
        return np.asarray(picture, np.uint8)

    def truth(self, t_s: float) -> SceneTruth:
        """Where everything lies in frame(t_s), and its true color."""
        return self._truth(self._to_frame(t_s))

    def still(self, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """A picture at rest and at native size, painted anew and crisp: uint8 RGB [H, W, 3].

        Shows what the video shows from side to side, and more or less of it above and below. Takes seconds.
        """
        picture = self._expose(self._still_view(width_px, height_px))
        camera = Camera(self.options.illuminant, 0.6 * self.options.noise_codes)
        if self.options.noise_codes > 0:
            tile = camera.noise(self.options.seed, 512, 512)
            for top in range(0, height_px, 512):
                for left in range(0, width_px, 512):
                    part = picture[top : top + 512, left : left + 512]
                    part[:] = cv2.add(part, tile[: part.shape[0], : part.shape[1]], dtype=cv2.CV_8U)
        return picture

    def still_truth(self, width_px: int, height_px: int) -> SceneTruth:
        """Where everything lies in still(width_px, height_px), and its true color."""
        return self._truth(_matrix_of(self._still_view(width_px, height_px)))

    def _video_view(self) -> View:
        scale = self.options.width_px * OVERSAMPLING
        height = self.options.height_px / self.options.width_px
        top = 0.28125 - height / 2
        size = (1 + 2 * MARGIN, height + 2 * MARGIN)
        return View(-MARGIN, top - MARGIN, scale, round(size[0] * scale), round(size[1] * scale))

    @staticmethod
    def _still_view(width_px: int, height_px: int) -> View:
        return View(0.0, 0.28125 - height_px / width_px / 2, float(width_px), width_px, height_px)

    def _to_frame(self, t_s: float) -> NDArray[np.float64]:
        """The 3 x 3 matrix from scene units to pixels of the frame at t_s."""
        angles = 2 * np.pi * self._swings * t_s / self.options.loop_s + self._phases
        x, y, turn, zoom = self._reach * (np.sin(angles) @ np.array([0.7, 0.3]))
        c, s = (1 + zoom) * np.cos(turn), (1 + zoom) * np.sin(turn)
        middle = np.array([0.5, 0.28125])
        width, height = self.options.width_px, self.options.height_px
        around = np.array([[c, -s], [s, c]])
        shift = middle + np.array([x, y]) - around @ middle
        still = _matrix_of(View(0.0, 0.28125 - height / width / 2, float(width), width, height))
        return np.asarray(still @ np.vstack([np.column_stack([around, shift]), [0, 0, 1]]))

    def _paint(self, view: View) -> NDArray[np.float32]:
        """Scene-linear sRGB of a view, float32 [H, W, 3]: the true colors in the light's geometry."""
        drape = self._drape(view)
        self._chart.paint(view, drape)
        self._arm.paint(view, drape)
        drape *= self._light(view)[..., None]
        return drape

    def _drape(self, view: View) -> NDArray[np.float32]:
        folds = Noise(self._drape_seeds[0], 0.30, 0.5, 2.0).over(view)
        creases = Noise(self._drape_seeds[1], 0.05, 1.1, 3.0).over(view)
        warp = Noise(self._drape_seeds[2], 0.0016, 0.02, 6.0).over(view)
        weft = Noise(self._drape_seeds[3], 0.0016, 0.02 + np.pi / 2, 6.0).over(view)
        light = 1 + 0.05 * folds + 0.022 * creases + 0.028 * (warp + weft)
        color = np.array([0.115, 0.215, 0.245], np.float32)
        return np.asarray(light[..., None] * color, np.float32)

    def _light(self, view: View) -> NDArray[np.float32]:
        """The illumination, 1 at the chart's center: a lamp to the upper left, falling off gently."""
        x, y = view.grid()
        at = self._chart.center
        fall = -0.085 * (x - at[0]) - 0.10 * (y - at[1])
        corner = 0.10 * ((x - 0.5) ** 2 + (y - 0.28) ** 2 - ((at[0] - 0.5) ** 2 + (at[1] - 0.28) ** 2))
        return np.asarray(1 + fall - corner, np.float32)

    def _expose(self, view: View) -> NDArray[np.uint8]:
        """The camera's encoded picture of a view, without noise; painted in bands to bound memory."""
        return np.vstack([self._camera.expose(self._paint(band)) for band in view.bands(_BAND_ROWS)])

    def _true_color(self, name: str) -> tuple[float, float, float]:
        center, half = _REGIONS[name]
        scale = 1280.0
        side = round(2 * half * scale)
        linear = self._paint(View(center[0] - half, center[1] - half, scale, side, side))
        red, green, blue = 255 * encode_srgb(linear.reshape(-1, 3).mean(axis=0, dtype=np.float64))
        return float(red), float(green), float(blue)

    def _truth(self, to_px: NDArray[np.float64]) -> SceneTruth:
        scale = float(np.hypot(to_px[0, 0], to_px[1, 0]))
        regions = []
        for name, (center, half) in _REGIONS.items():
            x, y = (to_px @ np.array([*center, 1.0]))[:2]
            reach = half * scale
            box = (round(x - reach), round(y - reach), round(x + reach) + 1, round(y + reach) + 1)
            regions.append(SampleRegion(name, box, self._region_srgb[name]))
        return SceneTruth(
            regions=tuple(regions),
            chart_centers=_apply(to_px, self._chart.patch_centers()),
            chart_srgb=255 * encode_srgb(reference_linear()),
            lesion_outline=_apply(to_px, self._arm.lesion_outline()),
        )


def _matrix_of(view: View) -> NDArray[np.float64]:
    """The 3 x 3 matrix from scene units to pixels of a view."""
    origin = view.to_px(np.zeros((1, 2)))[0]
    return np.array([[view.scale, 0, origin[0]], [0, view.scale, origin[1]], [0, 0, 1]])


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    moved: NDArray[np.float64] = points @ matrix[:2, :2].T + matrix[:2, 2]
    return moved
