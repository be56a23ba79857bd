"""Chroma emphasis: chroma stretched around skin before an encoder, and the way back after the decoder.

The compander is f(x) = offset + gain * asinh((x - center) / softness), one for Cb and one for Cr, with gain
and offset such that 0 and 255 stay what they are: nothing is clipped, and near the center a step of the
encoder's quantiser costs 1 / f'(x) of a code. consult_ui/src/color/emphasis.ts computes the same tables.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from media.interface import ChromaEmphasis

VERSION = 1
CENTERS = range(64, 193)
"""Where a center may lie; skin is near Cb 115, Cr 142."""
SOFTNESSES = range(4, 129)
"""A softer compander gains less; a harder one is steeper than 8-bit codes can follow."""

SKIN = ChromaEmphasis(version=VERSION, center_u=115, center_v=142, softness=8)
"""What is announced unless a publisher chooses otherwise."""


def is_undoable(emphasis: ChromaEmphasis) -> bool:
    """Whether this relay can undo it."""
    centers = emphasis.center_u in CENTERS and emphasis.center_v in CENTERS
    return emphasis.version == VERSION and centers and emphasis.softness in SOFTNESSES


def stretch(codes: NDArray[np.float64], center: int, softness: int) -> NDArray[np.float64]:
    """f(x) for codes 0 to 255, not rounded."""
    gain, offset = _scale(center, softness)
    return np.asarray(offset + gain * np.arcsinh((codes - center) / softness))


@lru_cache(maxsize=64)
def forward_table(center: int, softness: int) -> NDArray[np.uint8]:
    """What each code becomes before the encoder, uint8 [256]."""
    table = np.floor(stretch(np.arange(256.0), center, softness) + 0.5).astype(np.uint8)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=64)
def inverse_table(center: int, softness: int) -> NDArray[np.float32]:
    """What each decoded code was before, float32 [256], 0 to 255, not rounded.

    It passes through the forward table's own points, and straight between them: what the encoder leaves
    alone comes back as it was, where a smooth inverse would be a tenth of a code beside it.
    """
    forward = forward_table(center, softness)
    stretched, which, count = np.unique(forward, return_inverse=True, return_counts=True)
    before = np.bincount(which, weights=np.arange(256.0)) / count
    table: NDArray[np.float32] = np.interp(np.arange(256.0), stretched, before).astype(np.float32)
    table.setflags(write=False)
    return table


def emphasize_i420(picture: NDArray[np.uint8], emphasis: ChromaEmphasis) -> None:
    """Stretch the chroma of an I420 picture in place: uint8 [H * 3 / 2, W], planes Y, Cb, Cr."""
    height = picture.shape[0] * 2 // 3
    chroma = picture[height:].reshape(2, -1)
    for plane, center in zip(chroma, (emphasis.center_u, emphasis.center_v), strict=True):
        plane[:] = forward_table(center, emphasis.softness)[plane]


def _scale(center: int, softness: int) -> tuple[float, float]:
    below, above = np.arcsinh(center / softness), np.arcsinh((255 - center) / softness)
    gain = 255 / (below + above)
    return float(gain), float(gain * below)
