"""Color spaces and differences: sRGB, XYZ, Lab, CIEDE2000, Bradford adaptation, color temperature."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

WHITE_D50: Final[Floats] = np.array([0.96422, 1.0, 0.82521])
"""XYZ of CIE illuminant D50, 2 degree observer (ICC.1:2022, profile connection space)."""
WHITE_D65: Final[Floats] = np.array([0.95047, 1.0, 1.08883])
"""XYZ of CIE illuminant D65, 2 degree observer, as IEC 61966-2-1 uses it."""

RGB_TO_XYZ: Final[Floats] = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to XYZ (D65), from the primaries of IEC 61966-2-1."""
XYZ_TO_RGB: Final[Floats] = np.asarray(np.linalg.inv(RGB_TO_XYZ), np.float64)

_BRADFORD: Final[Floats] = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def srgb_decode(encoded: ArrayLike) -> Floats:
    """Encoded sRGB (0 to 1) to linear light (IEC 61966-2-1). Odd beyond 0, continued beyond 1."""
    v = np.asarray(encoded, dtype=np.float64)
    a = np.abs(v)
    return np.sign(v) * np.where(a <= 0.04045, a / 12.92, ((a + 0.055) / 1.055) ** 2.4)


def srgb_encode(linear: ArrayLike) -> Floats:
    """Linear light (0 to 1) to encoded sRGB (IEC 61966-2-1). Odd beyond 0, continued beyond 1."""
    v = np.asarray(linear, dtype=np.float64)
    a = np.abs(v)
    return np.sign(v) * np.where(a <= 0.0031308, a * 12.92, 1.055 * a ** (1 / 2.4) - 0.055)


def xyz_to_lab(xyz: ArrayLike, white: Floats = WHITE_D65) -> Floats:
    """XYZ [..., 3] to CIE Lab under a white (CIE 15:2018)."""
    t = np.asarray(xyz, dtype=np.float64) / white
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_xyz(lab: ArrayLike, white: Floats = WHITE_D65) -> Floats:
    """CIE Lab [..., 3] to XYZ under a white (CIE 15:2018)."""
    v = np.asarray(lab, dtype=np.float64)
    y = (v[..., 0] + 16) / 116
    f = np.stack([y + v[..., 1] / 500, y, y - v[..., 2] / 200], axis=-1)
    t: Floats = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return t * white


def linear_rgb_to_lab(linear: ArrayLike) -> Floats:
    """Linear sRGB [..., 3] to Lab (D65)."""
    return xyz_to_lab(np.asarray(linear, dtype=np.float64) @ RGB_TO_XYZ.T)


def srgb_to_lab(encoded: ArrayLike) -> Floats:
    """Encoded sRGB [..., 3], 0 to 1, to Lab (D65)."""
    return linear_rgb_to_lab(srgb_decode(encoded))


def bradford(from_white: Floats, to_white: Floats) -> Floats:
    """Matrix [3, 3] that adapts XYZ from one white to another (Bradford, ICC.1:2022 annex E)."""
    gains = (_BRADFORD @ to_white) / (_BRADFORD @ from_white)
    matrix: Floats = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD
    return matrix


def lab_d50_to_linear_rgb(lab: ArrayLike) -> Floats:
    """Lab under D50 [..., 3] to linear sRGB, adapted to D65; may leave 0 to 1 where out of gamut."""
    xyz = lab_to_xyz(lab, WHITE_D50) @ bradford(WHITE_D50, WHITE_D65).T
    return xyz @ XYZ_TO_RGB.T


def de00(lab_1: ArrayLike, lab_2: ArrayLike) -> Floats:
    """CIEDE2000 of Lab [..., 3] pairs (Sharma, Wu and Dalal 2005, doi 10.1002/col.20070)."""
    one, two = np.broadcast_arrays(np.asarray(lab_1, np.float64), np.asarray(lab_2, np.float64))
    l1, a1, b1 = one[..., 0], one[..., 1], one[..., 2]
    l2, a2, b2 = two[..., 0], two[..., 1], two[..., 2]
    c_mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1 + 0.5 * (1 - np.sqrt(c_mean7 / (c_mean7 + 25.0**7)))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1 = np.degrees(np.arctan2(b1, g * a1)) % 360
    h2 = np.degrees(np.arctan2(b2, g * a2)) % 360
    grey = c1 * c2 == 0
    dh = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # the formula takes +180 for an exactly opposite hue of larger angle; the sign cancels in all but one term
    dh = np.where((dh == -180) & (h2 > h1), 180.0, dh)
    delta_l, delta_c = l2 - l1, c2 - c1
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    h_sum = h1 + h2
    far = np.abs(h1 - h2) > 180
    h_mean = np.where(grey, h_sum, np.where(far, (h_sum + np.where(h_sum < 360, 360, -360)) / 2, h_sum / 2))
    t = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * t
    r_c = 2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
    r_t = -np.sin(np.radians(60 * np.exp(-(((h_mean - 275) / 25) ** 2)))) * r_c
    x, y, z = delta_l / s_l, delta_c / s_c, delta_h / s_h
    result: Floats = np.sqrt(np.maximum(x * x + y * y + z * z + r_t * y * z, 0.0))
    return result


def xyz_to_xy(xyz: ArrayLike) -> Floats:
    """XYZ [..., 3] to CIE 1931 chromaticity [..., 2]."""
    v = np.asarray(xyz, dtype=np.float64)
    xy: Floats = v[..., :2] / np.maximum(v.sum(axis=-1, keepdims=True), 1e-12)
    return xy


def cct_k(x: float, y: float) -> float | None:
    """Correlated color temperature in kelvin (McCamy 1992), or None far from the Planckian locus.

    Trusted from 2000 to 12500 K and within 0.05 of the locus's approximate path in u'v'.
    """
    if not (0.2 < x < 0.7 and 0.2 < y < 0.6) or abs(y - 0.1858) < 1e-6:
        return None
    n = (x - 0.3320) / (0.1858 - y)
    kelvin = 449.0 * n**3 + 3525.0 * n**2 + 6823.3 * n + 5520.33
    if not 2000 <= kelvin <= 12500:
        return None
    locus_x, locus_y = planckian_xy(kelvin)
    u, v = 4 * x / (-2 * x + 12 * y + 3), 9 * y / (-2 * x + 12 * y + 3)
    lu = 4 * locus_x / (-2 * locus_x + 12 * locus_y + 3)
    lv = 9 * locus_y / (-2 * locus_x + 12 * locus_y + 3)
    return float(kelvin) if np.hypot(u - lu, v - lv) < 0.05 else None


def planckian_xy(kelvin: float) -> tuple[float, float]:
    """Chromaticity of a black body, 1667 to 25000 K (cubic fit of Kim et al., US patent 7024034)."""
    t = 1e3 / kelvin
    if kelvin <= 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin <= 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin <= 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    return x, y


def to_uint8(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """A uint8 or uint16 picture in 8 bits: the high byte."""
    if picture.dtype == np.uint8:
        return picture
    high_byte: NDArray[np.uint8] = (picture >> 8).astype(np.uint8)
    return high_byte
