"""Which Y'CbCr matrix a video was made with, where the chart in it contradicts what its stream states.

A camera's picture that was converted with one matrix and decoded with another looks like that of a camera
that is a little more improbable: so both are fitted, and the more probable is believed (docs/color.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from colorcal.camera_fit import fit_camera
from colorcal.chart_reference import ChartReference, candidates
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import ChartDetection, DecoderDifference, PatchSamples
from colorcal.reference import PATCHES

_LIKELY: Final = ((0.299, 0.114), (0.2126, 0.0722))
"""Kr and Kb of what cameras and browsers make: BT.601 and BT.709 (ITU-T H.273 table 4)."""
_EVIDENCE: Final = 2.0
"""Log evidence by which another matrix must be more probable than the stated one."""


def matrix_mix_up(
    samples: PatchSamples,
    kr: float,
    kb: float,
    full_range: bool,
    detection: ChartDetection,
    prints: Mapping[int, ChartReference] | None = None,
) -> DecoderDifference | None:
    """How a picture decoded as its stream states differs from that of the matrix that the chart speaks for.

    kr, kb, full_range: what the stream states. detection: which chart was sampled; prints: what was measured
    of the consult card. None where the stated matrix is as good as any.
    """
    charts = candidates(detection, prints)
    stated = to_rgb(kr, kb, full_range)
    best: tuple[float, DecoderDifference] | None = None
    limit = _cost(samples, charts) - _EVIDENCE
    for weights in _LIKELY:
        if np.hypot(weights[0] - kr, weights[1] - kb) < 0.01:
            continue
        matrix, offset = _between(stated, to_rgb(*weights, full_range))
        undone = np.clip(samples.mean @ matrix.T + offset, 0, 1)
        cost = _cost(PatchSamples(undone, samples.spread, samples.clipped, samples.visible), charts)
        # of the patches as they were decoded, not as they are undone
        cost -= PATCHES * float(np.linalg.slogdet(matrix)[1])
        if cost < (limit if best is None else best[0]):
            seen = float(np.median(de00(srgb_to_lab(samples.mean), srgb_to_lab(undone))))
            best = cost, DecoderDifference(matrix, offset, seen, 0.0)
    return None if best is None else best[1]


def to_rgb(kr: float, kb: float, full_range: bool) -> tuple[Floats, Floats]:
    """R'G'B' = matrix @ (Y', Cb, Cr) + offset, all 0 to 1 (ITU-T H.273 section 8.3)."""
    kg = 1 - kr - kb
    columns = np.array(
        [[1, 0, 2 - 2 * kr], [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg], [1, 2 - 2 * kb, 0]]
    )
    matrix = columns * (np.ones(3) if full_range else np.array([255 / 219, 255 / 224, 255 / 224]))
    return matrix, -matrix @ np.array([0 if full_range else 16, 128, 128]) / 255


def _between(taken: tuple[Floats, Floats], right: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """From R'G'B' of the one conversion to that of the other."""
    matrix = np.asarray(right[0] @ np.linalg.inv(taken[0]), np.float64)
    return matrix, right[1] - matrix @ taken[1]


def _cost(samples: PatchSamples, charts: Sequence[ChartReference]) -> float:
    return min(fit_camera(samples, chart).cost for chart in charts)
