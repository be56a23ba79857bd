"""How another decoder shows the same video: measured on a chart's patches, and undone before a correction.

Decoders that take another matrix or another range for the same Y'CbCr (ITU-T H.273) differ by an affine
function of encoded RGB. A correction that is fitted to colors of such a mix-up anew is a poor one, since no
camera makes them: what differs is undone first, and the correction of the better known picture follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.correction import Correction, Mixture
from colorcal.errors import ColorInputError
from colorcal.interface import DecoderDifference, PatchSamples
from colorcal.reference import PATCHES

_NOISE: Final = 0.004
_PRIOR_SIGMA: Final = 0.3
"""How far the matrix and the offset of a mix-up are from none."""
_ROUNDS: Final = 6
_INSIDE: Final = (0.02, 0.985)
"""Channels beyond may have been cut off by one of the decoders."""
_UNEVEN: Final = (2.0, 0.02)
"""A patch that spreads more than so many times as in the reference, and this, is not the patch alone."""
_LEAST_PATCHES: Final = 12


@dataclass(frozen=True, slots=True)
class DecodedCorrection:
    """A correction for what another decoder shows of the video that it was made for."""

    difference: DecoderDifference
    correction: Correction | Mixture

    def __call__(self, encoded: Floats) -> Floats:
        """Corrected sRGB (0 to 1) of picture values [N, 3], 0 to 1."""
        return self.correction(self.difference.undo(encoded))


def compare_decoders(readings: Sequence[tuple[PatchSamples, PatchSamples]]) -> DecoderDifference | None:
    """How a decoder's colors differ from the reference's, from pairs (reference, seen) of one chart each.

    All pairs are explained together, so one that was measured beside the patches shows as a residual. A patch
    that disagrees with the others loses its say. None where fewer than 12 patches of a pair are seen well by
    both. Raises ColorInputError.
    """
    kept = [_well_seen(reference, seen) for reference, seen in readings]
    if not kept or any(len(one[0]) < _LEAST_PATCHES for one in kept):
        return None
    target, given = (np.vstack([one[side] for one in kept]) for side in (0, 1))
    design = np.column_stack([given, np.ones(len(given))])
    identity = np.eye(4, 3)
    prior = (_NOISE / _PRIOR_SIGMA) ** 2 * np.eye(4)
    weights = np.ones(len(design))
    change: Floats = np.zeros((4, 3))
    for _ in range(_ROUNDS):
        scaled = design * weights[:, None]
        change = np.asarray(
            np.linalg.solve(design.T @ scaled + prior, scaled.T @ (target - design @ identity)), np.float64
        )
        distance = ((target - design @ (identity + change)) ** 2).mean(axis=1)
        scale = max(float(np.median(distance)), _NOISE**2)
        weights = 1 / (1 + distance / (4 * scale))
    made = identity + change
    lab = srgb_to_lab(target)
    undone = np.clip(design @ made, 0, 1)
    return DecoderDifference(
        matrix=np.ascontiguousarray(made[:3].T),
        offset=made[3],
        de00=float(np.median(de00(srgb_to_lab(given), lab))),
        residual_de00=_worst_pair(de00(srgb_to_lab(undone), lab), [len(one[0]) for one in kept]),
    )


def _worst_pair(errors: Floats, lengths: Sequence[int]) -> float:
    """The largest of the pairs' medians: a pair among good ones must not hide."""
    ends = np.cumsum(lengths)[:-1]
    return max(float(np.median(part)) for part in np.split(errors, ends))


def _well_seen(reference: PatchSamples, seen: PatchSamples) -> tuple[Floats, Floats]:
    """Means [N, 3] of both, of the patches that neither of them clips, misses or sees unevenly."""
    for one in (reference, seen):
        if one.mean.shape != (PATCHES, 3) or not np.isfinite(one.mean).all():
            raise ColorInputError("color.bad_samples", "a chart has 24 finite mean colors")
    low, high = _INSIDE
    good = reference.visible & seen.visible & ~reference.clipped & ~seen.clipped
    good &= seen.spread.max(axis=1) <= _UNEVEN[0] * reference.spread.max(axis=1) + _UNEVEN[1]
    for one in (reference, seen):
        good &= ((one.mean > low) & (one.mean < high)).all(axis=1)
    return reference.mean[good], seen.mean[good]
