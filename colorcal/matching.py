"""How well 24 measured colors follow the ColorChecker's reference: the gate that rejects everything else.

A cheap gate chooses among many places of the chart and is passed by most charts; where a lamp's reflection or
a hand leaves doubt, a strict one asks whether any camera could have seen these colors on a chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from colorcal.camera_fit import fit_camera
from colorcal.chart_reference import ChartReference, color_checker
from colorcal.color_math import Floats
from colorcal.patches import PatchSamples
from colorcal.reference import GREYS, PATCHES, Batch

COLOR_CHECKER: Final = color_checker(Batch.BEFORE_2014)
_INLIER_ERROR: Final = 0.16
"""Largest color error, in encoded units over three channels, of a patch that counts as followed."""
MIN_INLIERS: Final = 15
MIN_EXPLAINED: Final = 0.80
_MIN_DOUBTFUL: Final = 9
"""Fewest patches that follow for a second look to be worth its cost."""
_FIT_ERROR: Final = 0.04
"""Largest error, in encoded units in any channel, of a patch that a fitted camera explains."""
_MIN_FITTED: Final = 15
_PRINT_SPREAD: Final = 0.006
_CLIPPED: Final = 0.985


@dataclass(frozen=True, slots=True)
class Match:
    """The best hypothesis: its index, confidence (0 to 1), whether it is sure, which patches follow [24]."""

    index: int
    confidence: float
    sure: bool
    follows: NDArray[np.bool_]


def best_match(
    measured: Floats, visible: NDArray[np.bool_], reference: ChartReference = COLOR_CHECKER
) -> Match | None:
    """Pick the order of colors that follows the reference best, or None where none does.

    measured: encoded color of each hypothesis [H, 24, 3], 0 to 1; visible: [H, 24], inside the picture.
    The reference is predicted from the measurement by a robust affine map, so an unknown light and camera
    pass, but uniform keys, panes and tiles explain none of the reference's variance.
    """
    if len(measured) == 0:
        return None
    target = reference.encoded
    count = len(measured)
    design = np.concatenate([measured, np.ones((count, PATCHES, 1))], axis=2)
    weights = visible.astype(np.float64)
    ridge = np.diag([2e-3, 2e-3, 2e-3, 1e-6])
    error = np.zeros((count, PATCHES))
    maps = np.zeros((count, 4, 3))
    for _ in range(6):
        weighted = design * weights[..., None]
        normal = np.einsum("hpi,hpj->hij", weighted, design) + ridge
        maps = np.linalg.solve(normal, np.einsum("hpi,pc->hic", weighted, target))
        error = np.sqrt(((design @ maps - target) ** 2).sum(-1))
        scale = 0.06
        weights = visible / (1 + (error / scale) ** 2) ** 2
    follows = visible & (error < _INLIER_ERROR)
    share = follows.astype(np.float64)
    total_share = np.maximum(share.sum(1), 1.0)
    mean = np.einsum("hp,pc->hc", share, target) / total_share[:, None]
    spread = ((target - mean[:, None]) ** 2).sum(-1)
    explained = 1 - (share * error**2).sum(1) / np.maximum((share * spread).sum(1), 1e-9)
    explained *= total_share / np.maximum(visible.sum(1), MIN_INLIERS)
    possible = _possible(maps)
    score = np.where(possible & _greys_fall(measured, follows), explained, -1.0)
    index = int(np.argmax(score))
    sure = follows[index].sum() >= MIN_INLIERS and score[index] >= MIN_EXPLAINED * MIN_INLIERS / PATCHES
    if not sure:
        # a reflection on the greys may turn their order: then the other patches choose
        index = int(np.argmax(np.where(possible, explained, -np.inf)))
        if not possible[index] or follows[index].sum() < _MIN_DOUBTFUL:
            return None
    errors = error[index][follows[index]]
    quality = 1 - float(np.sqrt((errors**2).mean())) / _INLIER_ERROR
    if quality < 0.25:
        return None
    confidence = float(np.clip(0.35 + 0.65 * quality, 0, 1) * np.sqrt(follows[index].sum() / PATCHES))
    return Match(index, confidence, bool(sure), follows[index])


def a_camera_explains(
    colors: Floats, visible: NDArray[np.bool_], reference: ChartReference = COLOR_CHECKER
) -> bool:
    """Whether some camera and light make a chart look like these colors [24, 3], most of them closely."""
    clipped = np.asarray((colors > _CLIPPED).any(axis=1), bool)
    fit = fit_camera(PatchSamples(colors, np.full((PATCHES, 3), _PRINT_SPREAD), clipped, visible), reference)
    close = np.abs(fit.residual).max(axis=1) < np.hypot(_FIT_ERROR, reference.error)
    return int((close & visible).sum()) >= _MIN_FITTED


def _possible(maps: Floats) -> NDArray[np.bool_]:
    """No camera swaps its channels, and none needs a huge gain to bring a flat field to the reference [H]."""
    linear = maps[:, :3, :]
    diagonal = np.einsum("hii->hi", linear)
    gain = np.abs(linear).sum(axis=(1, 2))
    possible: NDArray[np.bool_] = (diagonal > 0.05).all(1) & (np.linalg.det(linear) > 1e-3) & (gain < 24)
    return possible


def _greys_fall(measured: Floats, follows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The greys that follow, three at least, fall from white to black [H]."""
    luma = measured.mean(-1)[:, list(GREYS)]
    seen = follows[:, list(GREYS)]
    rising = np.diff(np.where(seen, luma, np.nan), axis=1)
    rises = np.nan_to_num(rising, nan=-1.0) > 0.03
    return np.asarray(~rises.any(axis=1) & (seen.sum(1) >= 3), bool)
