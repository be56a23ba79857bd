"""What the renderer takes from colour-science: lights, cameras, chart reflectances, the observer; 5 nm steps.

Loaded late and once: importing colour-science takes a second.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np

from colorcal.color_math import RGB_TO_XYZ, WHITE_D65, Floats

WAVELENGTHS_NM: Final[Floats] = np.arange(400.0, 701.0, 5.0)
BANDS: Final = len(WAVELENGTHS_NM)
CHARTS: Final[Mapping[str, str]] = {"babel": "BabelColor Average", "ohta": "ColorChecker N Ohta"}
"""Two measured ColorChecker Classics: the mean of 30 charts (BabelColor), and one chart (Ohta 1997)."""


@cache
def _colour() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour
    return colour


def _on_our_bands(distribution: Any) -> Floats:
    """A spectral distribution, or several, at our wavelengths; beyond its ends it keeps its last value."""
    copy = distribution.copy()
    domain, values = np.asarray(copy.wavelengths, float), np.asarray(copy.values, float)
    values = values[:, None] if values.ndim == 1 else values
    result = np.array([np.interp(WAVELENGTHS_NM, domain, column) for column in values.T])
    return result[0] if len(result) == 1 else result


@cache
def light(name: str) -> Floats:
    """Relative power [BANDS], mean 1, of a CIE illuminant or of a lamp of the NIST collection."""
    colour = _colour()
    source = colour.SDS_ILLUMINANTS if name in colour.SDS_ILLUMINANTS else colour.SDS_LIGHT_SOURCES
    power = np.maximum(_on_our_bands(source[name]), 0)
    result: Floats = power / power.mean()
    return result


@cache
def measured_camera(name: str) -> Floats:
    """Sensitivities [3, BANDS] of a camera measured by the National Physical Laboratory; 0 past its range."""
    sensitivities = _colour().MSDS_CAMERA_SENSITIVITIES[name]
    inside = float(max(sensitivities.wavelengths)) >= WAVELENGTHS_NM
    values: Floats = np.maximum(_on_our_bands(sensitivities), 0) * inside
    result: Floats = values / values.max()
    return result


@cache
def chart(name: str) -> Floats:
    """Reflectance [24, BANDS] of the patches of a chart in CHARTS, reference order."""
    patches = _colour().SDS_COLOURCHECKERS[CHARTS[name]].values()
    return np.array([_on_our_bands(patch) for patch in patches])


@cache
def to_linear_rgb() -> Floats:
    """Weights [BANDS, 3] from reflectance to linear sRGB under D65; 1 everywhere gives white."""
    observer = _on_our_bands(_colour().MSDS_CMFS["CIE 1931 2 Degree Standard Observer"])
    xyz = (observer * light("D65")).T
    xyz *= WHITE_D65 / xyz.sum(axis=0)
    weights: Floats = xyz @ np.linalg.inv(RGB_TO_XYZ).T
    return weights
