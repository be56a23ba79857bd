"""The color arithmetic of rendering: sRGB, CIELAB and illuminants, each by its published definition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]

XYZ_FROM_LINEAR = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1)."""

LINEAR_FROM_XYZ = np.linalg.inv(XYZ_FROM_LINEAR)
WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
WHITE_D50 = np.array([0.96422, 1.0, 0.82521])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear 0..1 to sRGB-encoded 0..1 (IEC 61966-2-1), clipped to the gamut."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def decode_srgb(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB-encoded 0..1 to linear 0..1 (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_from_lab(lab: NDArray[np.float64], white: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB [..., 3] relative to white (XYZ) to linear sRGB; out-of-gamut values stay outside 0..1.

    Another white than D65 is adapted with the Bradford transform.
    """
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    xyz = white * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    gains = (_BRADFORD @ WHITE_D65) / (_BRADFORD @ white)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD
    linear: NDArray[np.float64] = xyz @ adapt.T @ LINEAR_FROM_XYZ.T
    return linear


def lab_from_linear(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB [..., 3] to CIELAB relative to D65."""
    ratio = linear @ XYZ_FROM_LINEAR.T / WHITE_D65
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


def linear_from_xy(x: float, y: float) -> NDArray[np.float64]:
    """An illuminant's chromaticity (CIE 1931) as linear sRGB with green 1: what it does to a white paper."""
    linear = LINEAR_FROM_XYZ @ np.array([x / y, 1.0, (1 - x - y) / y])
    gains: NDArray[np.float64] = linear / linear[1]
    return gains


def planckian_xy(temperature_k: float) -> tuple[float, float]:
    """Chromaticity of a black body, 1667 K to 25000 K (Kim et al., US patent 7024034, cubic fit)."""
    t = 1000 / temperature_k
    if temperature_k <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if temperature_k <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif temperature_k <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y
