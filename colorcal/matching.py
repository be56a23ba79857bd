"""How well 24 measured colors follow the ColorChecker's reference: the gate that rejects everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats, srgb_encode
from colorcal.reference import GREYS, PATCHES, Batch, linear_rgb

REFERENCE_ENCODED: Final[Floats] = srgb_encode(np.clip(linear_rgb(Batch.BEFORE_2014), 0, 1))
_INLIER_ERROR: Final = 0.16
"""Largest color error, in encoded units over three channels, of a patch that counts as followed."""
MIN_INLIERS: Final = 15
MIN_EXPLAINED: Final = 0.80


@dataclass(frozen=True, slots=True)
class Match:
    """The best hypothesis: its index, its confidence (0 to 1) and which patches follow [24]."""

    index: int
    confidence: float
    follows: NDArray[np.bool_]


def best_match(measured: Floats, visible: NDArray[np.bool_]) -> Match | None:
    """Pick the order of colors that follows the reference best, or None where none does.

    measured: encoded color of each hypothesis [H, 24, 3], 0 to 1; visible: [H, 24], inside the picture.
    The reference is predicted from the measurement by a robust affine map, so an unknown light and camera
    pass, but uniform keys, panes and tiles explain none of the reference's variance.
    """
    if len(measured) == 0:
        return None
    count = len(measured)
    design = np.concatenate([measured, np.ones((count, PATCHES, 1))], axis=2)
    weights = visible.astype(np.float64)
    ridge = np.diag([2e-3, 2e-3, 2e-3, 1e-6])
    error = np.zeros((count, PATCHES))
    maps = np.zeros((count, 4, 3))
    for _ in range(6):
        weighted = design * weights[..., None]
        normal = np.einsum("hpi,hpj->hij", weighted, design) + ridge
        maps = np.linalg.solve(normal, np.einsum("hpi,pc->hic", weighted, REFERENCE_ENCODED))
        error = np.sqrt(((design @ maps - REFERENCE_ENCODED) ** 2).sum(-1))
        scale = 0.06
        weights = visible / (1 + (error / scale) ** 2) ** 2
    follows = visible & (error < _INLIER_ERROR)
    share = follows.astype(np.float64)
    total_share = np.maximum(share.sum(1), 1.0)
    mean = np.einsum("hp,pc->hc", share, REFERENCE_ENCODED) / total_share[:, None]
    spread = ((REFERENCE_ENCODED - mean[:, None]) ** 2).sum(-1)
    explained = 1 - (share * error**2).sum(1) / np.maximum((share * spread).sum(1), 1e-9)
    explained *= total_share / np.maximum(visible.sum(1), MIN_INLIERS)
    score = np.where(_plausible(maps, measured, follows), explained, -1.0)
    index = int(np.argmax(score))
    if follows[index].sum() < MIN_INLIERS or score[index] < MIN_EXPLAINED * MIN_INLIERS / PATCHES:
        return None
    errors = error[index][follows[index]]
    quality = 1 - float(np.sqrt((errors**2).mean())) / _INLIER_ERROR
    if quality < 0.25:
        return None
    confidence = float(np.clip(0.35 + 0.65 * quality, 0, 1) * np.sqrt(follows[index].sum() / PATCHES))
    return Match(index, confidence, follows[index])


def _plausible(maps: Floats, measured: Floats, follows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """No camera swaps its channels, turns bright to dark, or shows a chart without contrast [H]."""
    linear = maps[:, :3, :]
    diagonal = np.einsum("hii->hi", linear)
    ordered = (diagonal > 0.05).all(1) & (np.linalg.det(linear) > 1e-3)
    # a nearly flat patch field would need a huge gain to become the reference
    gain = np.abs(linear).sum(axis=(1, 2))
    luma = measured.mean(-1)[:, list(GREYS)]
    seen = follows[:, list(GREYS)]
    rising = np.diff(np.where(seen, luma, np.nan), axis=1)
    falls = ~(np.nan_to_num(rising, nan=-1.0) > 0.03).any(axis=1)
    plausible: NDArray[np.bool_] = ordered & (gain < 24) & falls & (seen.sum(1) >= 3)
    return plausible
