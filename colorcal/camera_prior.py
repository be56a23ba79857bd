"""What cameras and lights are like: a Gaussian prior over effective spectral responses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from colorcal.color_math import Floats
from colorcal.measured_cameras import MEASURED_CAMERAS
from colorcal.spectra import (
    CHART_REFLECTANCE,
    D65_TO_LINEAR_RGB,
    WAVELENGTHS_NM,
    black_body,
    daylight,
)

_DRAWS: Final = 900
_WIDEN: Final = 1.4
"""Real cameras are stranger than the ensemble: its modes are widened by this factor."""
MODES: Final = 24
_MEASURED_SHARE: Final = 0.25
"""Share of the ensemble that is made of measured cameras, bent a little, and not of bells."""


@dataclass(frozen=True, slots=True)
class ResponsePrior:
    """Effective responses, light times sensor times the camera's own matrix, of unit sum a channel.

    mean: float64 [3, 31]. modes: float64 [MODES, 3, 31], each for a coefficient of unit variance.
    """

    mean: Floats
    modes: Floats


@cache
def response_prior() -> ResponsePrior:
    """The prior, from a fixed ensemble of parametric and measured sensors, lights and color matrices."""
    rng = np.random.default_rng(20141101)
    draws = np.array([_response(rng) for _ in range(_DRAWS)]).reshape(_DRAWS, -1)
    # single strange draws (an ill-posed matrix) must not stretch the modes
    center = np.median(draws, axis=0)
    distance = np.sqrt(((draws - center) ** 2).sum(axis=1))
    draws = draws[distance < np.quantile(distance, 0.97)]
    mean = draws.mean(axis=0)
    _, sigma, rows = np.linalg.svd(draws - mean, full_matrices=False)
    modes = rows[:MODES] * (_WIDEN * sigma[:MODES, None] / np.sqrt(len(draws)))
    return ResponsePrior(mean.reshape(3, -1), modes.reshape(MODES, 3, -1))


def _bell(center: float, left: float, right: float) -> Floats:
    nm = WAVELENGTHS_NM
    result: Floats = np.exp(-0.5 * ((nm - center) / np.where(nm < center, left, right)) ** 2)
    return result


def _sensor(rng: np.random.Generator) -> Floats:
    """Sensitivities [3, 31] of one camera."""
    return _near_measured(rng) if rng.random() < _MEASURED_SHARE else _parametric(rng)


def _near_measured(rng: np.random.Generator) -> Floats:
    """A measured camera whose channels are shifted and stretched a little, under another infrared cut."""
    nm = WAVELENGTHS_NM
    bent = []
    for channel in MEASURED_CAMERAS[rng.integers(len(MEASURED_CAMERAS))]:
        center = (channel * nm).sum() / channel.sum()
        place = (nm - center) * np.exp(rng.normal(0, 0.06)) + center + rng.normal(0, 5)
        bent.append(np.interp(place, nm, channel))
    result: Floats = np.array(bent) * np.exp(rng.normal(0, 0.1) * (nm - 550) / 150)
    return result


def _parametric(rng: np.random.Generator) -> Floats:
    """Silicon under dye filters and an infrared cut: [3, 31]."""
    nm = WAVELENGTHS_NM
    red = _bell(rng.normal(600, 9), rng.uniform(16, 32), rng.uniform(30, 55))
    red += rng.uniform(0, 0.12) * _bell(rng.normal(450, 20), 30, 30) + rng.uniform(0, 0.12) * _bell(
        530, 40, 40
    )
    green = _bell(rng.normal(532, 8), rng.uniform(28, 45), rng.uniform(30, 48))
    green += rng.uniform(0, 0.1) * _bell(450, 30, 30) + rng.uniform(0, 0.08) * _bell(640, 40, 40)
    blue = _bell(rng.normal(460, 8), rng.uniform(18, 34), rng.uniform(22, 40))
    blue += rng.uniform(0, 0.08) * _bell(540, 40, 40)
    cut = 1 / (1 + np.exp((nm - rng.uniform(640, 690)) / rng.uniform(5, 14)))
    start = 1 / (1 + np.exp(-(nm - rng.uniform(395, 420)) / 6))
    result: Floats = np.stack([red, green, blue]) * cut * start
    return result


def _light(rng: np.random.Generator) -> Floats:
    """Daylight, tungsten, white LED, tri-phosphor and halophosphate lamps, and mixtures: [31]."""

    def one() -> Floats:
        kind = rng.choice(5, p=(0.25, 0.15, 0.35, 0.15, 0.10))
        if kind == 0:
            return daylight(rng.uniform(4200, 9000))
        if kind == 1:
            return black_body(rng.uniform(2400, 3600))
        if kind == 2:
            pump = rng.uniform(0.25, 1.3) * _bell(rng.normal(452, 6), rng.uniform(8, 12), rng.uniform(9, 14))
            phosphor = _bell(rng.uniform(545, 605), rng.uniform(38, 55), rng.uniform(50, 75))
            return pump + phosphor + rng.uniform(0, 0.6) * _bell(630, 20, 25)
        lines = ((436, 0.35), (488, 0.25), (545, 1.0), (587, 0.3), (612, rng.uniform(0.6, 1.4)))
        broad = rng.uniform(0.3, 1.0) * (
            _bell(rng.uniform(560, 600), 45, 50) + rng.uniform(0, 0.8) * _bell(480, 40, 40)
        )
        if kind == 4:
            return broad + 0.25 * _bell(436, 6, 6) + 0.12 * _bell(546, 6, 6)
        narrow = np.sum([power * _bell(nm, 7, 7) for nm, power in lines], axis=0)
        result: Floats = narrow + 0.2 * broad + rng.uniform(0.1, 0.6) * _bell(452, 18, 18)
        return result

    light = one()
    if rng.random() < 0.3:
        other = one()
        light = light / light.mean() + rng.uniform(0.2, 1.0) * other / other.mean()
    result: Floats = light / light.mean()
    return result


def _response(rng: np.random.Generator) -> Floats:
    """One camera under one light: its own matrix is made for another light, and pushes saturation."""
    sensor = _sensor(rng)
    scene = (sensor * _light(rng)).T
    believed = (sensor * daylight(rng.uniform(4200, 7000))).T
    chart = CHART_REFLECTANCE @ (believed / believed.sum(axis=0))
    target = CHART_REFLECTANCE @ D65_TO_LINEAR_RGB
    ridge = 1e-3 * np.eye(3)
    matrix = np.linalg.solve(chart.T @ chart + ridge, chart.T @ target)
    matrix /= matrix.sum(axis=0)
    saturation = rng.uniform(0.8, 1.2)
    matrix = saturation * matrix + (1 - saturation) / 3
    matrix += rng.normal(0, 0.04, (3, 3))
    response = scene / scene.sum(axis=0) @ matrix
    result: Floats = (response / response.sum(axis=0)).T
    return result
