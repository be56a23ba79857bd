"""Printed consult cards of the renderer: printers that miss their profile, papers, and what was measured.

The mixing of inks is Yule and Nielsen's over Neugebauer's primaries, not the model inside colorcal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import erf
from typing import Final

import numpy as np

from bench.color_scene.spectra import WAVELENGTHS_NM
from colorcal.card import FRAME_LAB, NOMINAL_LAB
from colorcal.color_math import WHITE_D50, Floats, xyz_to_lab
from colorcal.spectra import WAVELENGTHS_NM as COARSE_NM
from colorcal.spectra import daylight, xyz_weights

_YULE_NIELSEN: Final = 2.2
_BLACK_SHARE: Final = 0.5
_CORNERS: Final = np.array(list(product((0, 1), repeat=4)))
MEASUREMENT_NOISE: Final = 0.002
"""Standard deviation of a spectrophotometer's reading of one patch, as reflectance."""


@dataclass(frozen=True, slots=True)
class Press:
    """A printer with its inks and paper: primaries [16, BANDS] of every overprint, and dot gains [4]."""

    primaries: Floats
    gains: Floats

    def print(self, areas: Floats) -> Floats:
        """Reflectances [N, BANDS] of ink areas [N, 4], cyan, magenta, yellow, black, 0 to 1."""
        dots = np.clip(areas, 0, 1)
        dots = dots + 4 * self.gains * dots * (1 - dots)
        shares = np.where(_CORNERS[None], dots[:, None], 1 - dots[:, None]).prod(axis=2)
        result: Floats = (shares @ self.primaries ** (1 / _YULE_NIELSEN)) ** _YULE_NIELSEN
        return result


def _edge(center_nm: float, width_nm: float) -> Floats:
    return np.array([0.5 * (1 + erf((nm - center_nm) / width_nm)) for nm in WAVELENGTHS_NM])


def _press(rng: np.random.Generator, spread: float) -> Press:
    """A printer whose inks, paper and dots differ by `spread`, relative to what printers differ by."""

    def about(center: float, deviation: float) -> float:
        return center + spread * float(rng.normal(0, deviation))

    cyan = 0.9 - 0.84 * _edge(about(560, 3), 50) + 0.10 * _edge(about(715, 6), 40)
    cyan -= 0.18 * (1 - _edge(about(440, 6), 30))
    magenta = 0.92 - 0.86 * _edge(about(498, 4), 34) + 0.85 * _edge(about(594, 3), 20)
    magenta -= 0.35 * (1 - _edge(about(415, 6), 28))
    yellow = 0.05 + 0.88 * _edge(about(492, 3), 24)
    black = np.full(len(WAVELENGTHS_NM), about(0.025, 0.004)) * (1 + 0.1 * _edge(640, 60))
    fade = np.array([about(0, 0.03) for _ in range(4)])
    inks = np.clip(np.stack([cyan, magenta, yellow, black]), 0.004, 0.95)
    inks = np.clip(inks + fade[:, None] * (1 - inks), 0.004, 0.95)
    paper = about(0.88, 0.012) * (1 - about(0.2, 0.06) * (1 - _edge(about(412, 2), 10)))
    paper = paper * (1 + about(0.02, 0.012) * np.exp(-(((WAVELENGTHS_NM - 445) / 20) ** 2)))
    stacks = np.where(_CORNERS[:, :, None], inks[None], 1.0).prod(axis=1)
    primaries = np.clip(0.01 + 0.99 * paper * stacks, 0.012, 1)
    return Press(primaries, np.clip(np.array([about(0.12, 0.018) for _ in range(4)]), 0, 0.24))


def lab_of(reflectance: Floats, nm: Floats = WAVELENGTHS_NM) -> Floats:
    """Lab (D50) [N, 3] of reflectances [N, len(nm)]."""
    coarse = np.array([np.interp(COARSE_NM, nm, row) for row in reflectance])
    weights = xyz_weights(daylight(5003.0))
    return xyz_to_lab(coarse @ weights / weights.sum(axis=0) * WHITE_D50, WHITE_D50)


@cache
def _profile() -> Floats:
    """Ink areas [25, 4] that the printer of the profile needs for the patches and the frame."""
    press = _press(np.random.default_rng(0), 0.0)
    wanted = np.vstack([NOMINAL_LAB, FRAME_LAB])
    areas = np.full((len(wanted), 4), 0.3)
    areas[:, 3] = np.clip((60 - wanted[:, 0]) / 60, 0, 1) * _BLACK_SHARE
    for _ in range(40):
        here = lab_of(press.print(areas))
        slope = np.empty((len(wanted), 3, 3))
        for ink in range(3):
            nudged = areas.copy()
            nudged[:, ink] += 1e-3
            slope[:, :, ink] = (lab_of(press.print(nudged)) - here) / 1e-3
        normal = slope.transpose(0, 2, 1) @ slope + 0.5 * np.eye(3)
        step = np.linalg.solve(normal, slope.transpose(0, 2, 1) @ (wanted - here)[..., None])[..., 0]
        areas[:, :3] = np.clip(areas[:, :3] + 0.5 * step, 0, 1)
    return areas


@cache
def printed(number: int) -> Floats:
    """Reflectances [25, BANDS] of patches and frame of print batch `number`; 0 is as the profile wants it."""
    return _press(np.random.default_rng([31, number]), float(number > 0)).print(_profile())


def measured(number: int) -> Floats:
    """What a spectrophotometer read of that batch's 24 patches, [24, 31] on colorcal's wavelengths."""
    coarse = np.array([np.interp(COARSE_NM, WAVELENGTHS_NM, row) for row in printed(number)[:24]])
    noise = np.random.default_rng([32, number]).normal(0, MEASUREMENT_NOISE, (24, 1))
    result: Floats = np.clip(coarse + noise, 0, 1)
    return result
