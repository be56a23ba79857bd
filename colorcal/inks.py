"""Reflectances that printed patches of a known Lab most likely have: four inks on paper.

Lab leaves the shape of a spectrum open. Prints, though, are mixtures of few inks, whose spectra resemble each
other from printer to printer: a mixture of model inks is found that has the Lab, exactly.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from colorcal.color_math import WHITE_D50, Floats, lab_to_xyz
from colorcal.spectra import WAVELENGTHS_NM, daylight, xyz_weights

_BLACK_SHARE: Final = 0.6
"""Share of the grey in a mixture that printers make with black ink."""
_SURFACE: Final = 0.012
"""Share of the light reflected by the print's surface itself."""
_ROUNDS: Final = 30


def _bell(center_nm: float, left_nm: float, right_nm: float) -> Floats:
    nm = WAVELENGTHS_NM
    result: Floats = np.exp(-0.5 * ((nm - center_nm) / np.where(nm < center_nm, left_nm, right_nm)) ** 2)
    return result


# Density of one unit of cyan, magenta, yellow and black ink [4, 31]: a main band each, side bands as the
# pigments PB15:3, PR122 and PY74 have them, and a black that is nearly flat.
_INKS: Final[Floats] = np.array(
    [
        _bell(635, 42, 75) + 0.12 * _bell(400, 40, 40),
        _bell(548, 34, 22) + 0.18 * _bell(420, 40, 40),
        _bell(430, 60, 36),
        1 - 0.08 * (WAVELENGTHS_NM - 550) / 150,
    ]
)


def reflectance_of_lab(lab: Floats) -> Floats:
    """Reflectance [N, 31] of prints with these Lab (D50) [N, 3]; the lightest of them counts as the paper."""
    weights = xyz_weights(daylight(5003.0))
    # the observer's white by these tables lies a little beside the tabulated one
    target = lab_to_xyz(lab, WHITE_D50) / WHITE_D50 * weights.sum(axis=0)
    paper = _paper(target[np.argmax(lab[:, 0])], weights)
    amounts = np.zeros((len(lab), 4))
    for black in (False, True):
        if black:
            amounts[:, 3] = _BLACK_SHARE * np.clip(amounts[:, :3].min(axis=1), 0, None)
        for _ in range(_ROUNDS):
            seen = _print(amounts, paper)
            slope = -np.log(10) * np.einsum("nl,il,lc->nci", seen - _SURFACE, _INKS[:3], weights)
            step = np.linalg.solve(slope + 1e-6 * np.eye(3), (target - seen @ weights)[..., None])[..., 0]
            amounts[:, :3] += np.clip(step, -0.4, 0.4)
    return _exactly(_print(amounts, paper), target, weights)


def _paper(white: Floats, weights: Floats) -> Floats:
    """A flat white that falls a little below 420 nm, bent to an XYZ [3]."""
    flat = 0.88 * (1 - 0.25 * _bell(395, 20, 14))
    paper: Floats = _exactly(flat[None], white[None], weights)[0]
    return paper


def _print(amounts: Floats, paper: Floats) -> Floats:
    density = np.clip(amounts @ _INKS, -0.1, 3)
    result: Floats = _SURFACE + (paper - _SURFACE) * 10**-density
    return result


def _exactly(reflectance: Floats, target: Floats, weights: Floats) -> Floats:
    """Bend spectra [N, 31] as little as three smooth factors can, to the XYZ [N, 3]."""
    bumps = np.stack([_bell(center, 45, 45) for center in (450.0, 545.0, 620.0)])
    for _ in range(3):
        slope = np.einsum("nl,il,lc->nci", reflectance, bumps, weights)
        miss = target - reflectance @ weights
        bend = np.linalg.solve(slope + 1e-9 * np.eye(3), miss[..., None])[..., 0] @ bumps
        reflectance = np.clip(reflectance * (1 + np.clip(bend, -0.5, 0.5)), 0.003, 1.2)
    bent: Floats = reflectance
    return bent
