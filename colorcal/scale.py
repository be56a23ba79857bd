"""How large a pixel is in the chart's plane, and how much that varies over the chart and by direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from colorcal.color_math import Floats
from colorcal.lattice import fit_homography
from colorcal.reference import COLUMNS, GRID, ROWS

_PROBES = ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1))
"""Where the scale is looked at, in shares of the chart: the middle first."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Millimetres a pixel: in the middle of the chart, the mean over directions; and its extremes.

    low and high: the smallest and the largest, over the chart and over directions, widened by what the
    chart's own size may be off. A tilted chart has no single scale: then they lie apart.
    """

    mm_per_px: float
    low: float
    high: float


def chart_scale(centers: Floats, pitches_mm: tuple[float, float], pitch_error: float) -> Scale | None:
    """Scale from patch centers [24, 2] in px and their distances in mm (in a row, in a column).

    The mean over directions is the one that keeps areas. None where the centers are no plane in perspective.
    """
    size_mm = np.array(pitches_mm) * (COLUMNS - 1, ROWS - 1)
    homography = fit_homography(GRID * pitches_mm, centers)
    if homography is None:
        return None
    stretches = np.array([_stretches(homography, size_mm * probe) for probe in _PROBES])
    if not np.isfinite(stretches).all() or stretches.min() <= 1e-6:
        return None
    per_px = 1 / stretches
    return Scale(
        float(np.sqrt(per_px[0].prod())),
        float(per_px.min() * (1 - pitch_error)),
        float(per_px.max() * (1 + pitch_error)),
    )


def _stretches(homography: Floats, point_mm: Floats) -> Floats:
    """Largest and smallest px a mm around a point: the singular values of the local map."""
    x, y, w = homography @ (*point_mm, 1.0)
    slope = (homography[:2, :2] - np.outer((x, y), homography[2, :2]) / w) / w
    stretches: Floats = np.linalg.svd(slope, compute_uv=False)
    return stretches
