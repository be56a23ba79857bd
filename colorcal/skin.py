"""A library of skin spectra: what skin of any tone, paleness or redness reflects."""

from __future__ import annotations

from functools import cache

import numpy as np

from colorcal.color_math import Floats
from colorcal.spectra import HEMOGLOBIN_EXTINCTION, WAVELENGTHS_NM

_EPIDERMIS_CM = 0.006
_HEMOGLOBIN_MOL_PER_L = 150 / 64500


def reflectance(
    melanin: float, blood: float, saturation: float, scatter: float = 1.0, surface: float = 0.02
) -> Floats:
    """Diffuse reflectance of layered skin, float64 [31].

    melanin: volume share of melanosomes in the epidermis, .01 to .45. blood: volume share in the dermis,
    .002 (pale) to .15 (a vascular lesion). saturation: oxygenated share of the hemoglobin.
    surface: share reflected by the surface itself.
    Absorption and scattering follow S. L. Jacques ("Optical properties of biological tissues", Phys. Med.
    Biol. 58, 2013), the dermis's reflectance the diffusion approximation of Flock et al. (IEEE Trans.
    Biomed. Eng. 36, 1989) with an index of 1.4.
    """
    nm = WAVELENGTHS_NM
    baseline = 7.84e8 * nm**-3.255
    oxy, deoxy = HEMOGLOBIN_EXTINCTION * np.log(10) * _HEMOGLOBIN_MOL_PER_L
    dermis = blood * (saturation * oxy + (1 - saturation) * deoxy) + (1 - blood) * baseline
    epidermis = melanin * 6.6e11 * nm**-3.33 + (1 - melanin) * baseline
    scattering = scatter * 46.0 * (nm / 500) ** -1.421
    albedo = scattering / (scattering + dermis)
    k = 2.8  # internal reflection at an index of 1.4
    root = np.sqrt(3 * (1 - albedo))
    diffuse = albedo / (1 + 2 * k * (1 - albedo) + (1 + 2 * k / 3) * root)
    result: Floats = surface + (1 - surface) * np.exp(-2 * _EPIDERMIS_CM * epidermis) * diffuse
    return result


@cache
def library() -> Floats:
    """Skin from light to dark, pale to inflamed, and vascular and pigmented lesions, float64 [N, 31]."""
    healthy = [
        reflectance(melanin, blood, saturation, scatter, surface)
        for melanin in (0.01, 0.03, 0.06, 0.11, 0.18, 0.28, 0.40)
        for blood in (0.004, 0.012, 0.03, 0.07)
        for saturation in (0.5, 0.85)
        for scatter, surface in ((0.8, 0.035), (1.3, 0.01))
    ]
    lesions = [
        reflectance(melanin, blood, 0.6, scatter)
        for melanin in (0.02, 0.15, 0.6)
        for blood in (0.15, 0.4)
        for scatter in (0.8, 1.3)
    ]
    return np.array(healthy + lesions)
