"""Skin of the renderer: three layers with melanin, blood and carotene, not the model inside colorcal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.color_scene.halves import Half
from bench.color_scene.spectra import WAVELENGTHS_NM
from colorcal.color_math import Floats
from colorcal.spectra import HEMOGLOBIN_EXTINCTION
from colorcal.spectra import WAVELENGTHS_NM as COARSE_NM

_EPIDERMIS_MM: Final = 0.06
_PAPILLARY_MM: Final = 0.2
_HEMOGLOBIN_G_PER_L: Final = 150.0
_MOLAR_MASS_G: Final = 64_500.0
ERYTHEMA: Final = (1.0, 1.5, 3.0)
"""Blood of a swatch relative to the healthy skin around it: none added, faint, marked."""


@dataclass(frozen=True, slots=True)
class Person:
    """Skin of one person.

    melanin: volume share of melanosomes in the epidermis. eumelanin: share of it that is black-brown.
    blood: volume share in the upper dermis. saturation: oxygenated share. carotene: 0 to 1.
    scatter: relative scattering. surface: share of the light reflected by the surface.
    """

    melanin: float
    eumelanin: float
    blood: float
    saturation: float
    carotene: float
    scatter: float
    surface: float

    def reflectance(self, added_blood: float = 1.0) -> Floats:
        """Diffuse reflectance [BANDS] where there is `added_blood` times the blood."""
        nm = WAVELENGTHS_NM
        # per mm: melanosomes of skin (Jacques 2013); pheomelanin (Donner and Jensen, EGSR 2006)
        eu, pheo = 51.9 * (nm / 500) ** -3.0, 2.9e14 * nm**-4.75
        baseline = 0.0244 + 3.0 * np.exp(-(nm - 154) / 66.2)
        pigment = self.eumelanin * eu + (1 - self.eumelanin) * pheo
        epidermis = self.melanin * pigment + (1 - self.melanin) * baseline
        saturation = min(self.saturation + 0.08 * (added_blood - 1), 0.95)
        oxy, deoxy = (np.interp(nm, COARSE_NM, row) for row in HEMOGLOBIN_EXTINCTION)
        molar = np.log(10) * _HEMOGLOBIN_G_PER_L / _MOLAR_MASS_G / 10
        blood = molar * (saturation * oxy + (1 - saturation) * deoxy)
        carotene = (
            0.06
            * self.carotene
            * (np.exp(-(((nm - 455) / 26) ** 2)) + 0.8 * np.exp(-(((nm - 485) / 18) ** 2)))
        )
        share = min(self.blood * added_blood, 0.5)
        upper = share * blood + (1 - share) * baseline + carotene
        deep = 0.4 * self.blood * blood + baseline + carotene
        # reduced scattering of skin: Mie and Rayleigh parts (Jacques 2013), Kubelka-Munk S = 3/4 mu_s'
        scattering = 0.75 * self.scatter * (4.6 * (0.41 * (nm / 500) ** -4 + 0.59 * (nm / 500) ** -0.56))
        below = _infinite(2 * deep, scattering)
        dermis = _layer_over(2 * upper, scattering, _PAPILLARY_MM, below)
        through = np.exp(-2 * epidermis * _EPIDERMIS_MM)
        # light that meets the skin's surface from inside returns to the dermis
        internal = 0.4
        inside = (1 - internal) * dermis * through / (1 - internal * dermis * through)
        result: Floats = np.clip(self.surface + (1 - self.surface) * 1.03 * inside, 0.005, 1)
        return result


def _infinite(absorption: Floats, scattering: Floats) -> Floats:
    """Reflectance of an endless layer (Kubelka and Munk 1931)."""
    ratio = absorption / scattering
    result: Floats = 1 + ratio - np.sqrt(ratio * ratio + 2 * ratio)
    return result


def _layer_over(absorption: Floats, scattering: Floats, thickness: float, below: Floats) -> Floats:
    """Reflectance of a layer over something that reflects `below` (Kubelka and Munk 1931)."""
    a = 1 + absorption / scattering
    b = np.sqrt(a * a - 1)
    coth = 1 / np.tanh(np.maximum(b * scattering * thickness, 1e-6))
    result: Floats = (1 - below * (a - b * coth)) / (a - below + b * coth)
    return result


def draw_person(half: Half, tone: int, rng: np.random.Generator) -> Person:
    """A person of a tone group of a half."""
    return Person(
        melanin=half.melanin[tone] * float(np.exp(rng.normal(0, 0.15))),
        eumelanin=float(rng.uniform(0.9, 1.0)),
        blood=float(rng.uniform(0.012, 0.03)),
        saturation=float(rng.uniform(0.4, 0.75)),
        carotene=float(rng.uniform(0, 1)),
        scatter=float(rng.uniform(0.8, 1.3)),
        surface=float(rng.uniform(0.015, 0.045)),
    )
