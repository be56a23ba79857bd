"""A library of skin spectra: what skin of any tone, paleness or redness reflects."""

from __future__ import annotations

from functools import cache

import numpy as np

from colorcal.color_math import Floats
from colorcal.spectra import HEMOGLOBIN_EXTINCTION, WAVELENGTHS_NM

_EPIDERMIS_CM = 0.006
_HEMOGLOBIN_MOL_PER_L = 150 / 64500


def reflectance(
    melanin: float,
    blood: float,
    saturation: float,
    scatter: float = 1.0,
    surface: float = 0.02,
    *,
    baseline_share: float = 1.0,
    melanin_slope: float = 3.33,
    carotene: float = 0.0,
) -> Floats:
    """Diffuse reflectance of layered skin, float64 [31].

    melanin: volume share of melanosomes in the epidermis, .01 to .45. blood: volume share in the dermis,
    .002 (pale) to .15 (a vascular lesion). saturation: oxygenated share of the hemoglobin.
    surface: share reflected by the surface itself. baseline_share: absorption of bloodless tissue, relative.
    melanin_slope: how steeply melanin's absorption falls with wavelength. carotene: per cm at 460 nm.
    Absorption and scattering follow S. L. Jacques ("Optical properties of biological tissues", Phys. Med.
    Biol. 58, 2013), the dermis's reflectance the diffusion approximation of Flock et al. (IEEE Trans.
    Biomed. Eng. 36, 1989) with an index of 1.4.
    """
    nm = WAVELENGTHS_NM
    baseline = baseline_share * 7.84e8 * nm**-3.255
    yellow = carotene * (_bell(455, 26) + 0.8 * _bell(485, 18))
    oxy, deoxy = HEMOGLOBIN_EXTINCTION * np.log(10) * _HEMOGLOBIN_MOL_PER_L
    dermis = blood * (saturation * oxy + (1 - saturation) * deoxy) + (1 - blood) * baseline + yellow
    epidermis = melanin * 679.0 * (nm / 500) ** -melanin_slope + (1 - melanin) * baseline
    scattering = scatter * 46.0 * (nm / 500) ** -1.421
    albedo = scattering / (scattering + dermis)
    k = 2.8  # internal reflection at an index of 1.4
    root = np.sqrt(3 * (1 - albedo))
    diffuse = albedo / (1 + 2 * k * (1 - albedo) + (1 + 2 * k / 3) * root)
    result: Floats = surface + (1 - surface) * np.exp(-2 * _EPIDERMIS_CM * epidermis) * diffuse
    return result


def _bell(center_nm: float, width_nm: float) -> Floats:
    return np.asarray(np.exp(-(((WAVELENGTHS_NM - center_nm) / width_nm) ** 2)), np.float64)


@cache
def library() -> Floats:
    """Skin from light to dark, pale to inflamed, and vascular and pigmented lesions, float64 [N, 31].

    Drawn once, with a fixed seed, over what is known to vary: nobody knows the skin in a picture, so what is
    fitted on the library has to hold for all of it.
    """
    rng = np.random.default_rng(415)

    def draw(melanin: float, blood: float) -> Floats:
        return reflectance(
            melanin,
            blood,
            saturation=rng.uniform(0.35, 0.8),
            scatter=float(np.exp(rng.uniform(np.log(0.7), np.log(2.0)))),
            surface=rng.uniform(0.005, 0.045),
            baseline_share=rng.uniform(0.3, 1.0),
            melanin_slope=rng.uniform(3.0, 3.5),
            carotene=rng.uniform(0, 0.6),
        )

    blood = (0.004, 0.010, 0.022, 0.045, 0.09)
    healthy = [draw(m, b) for m in np.geomspace(0.006, 0.40, 28) for b in blood]
    lesions = [draw(m, b) for m in (0.02, 0.06, 0.15, 0.6) for b in (0.15, 0.4) for _ in range(2)]
    return np.array(healthy + lesions)
