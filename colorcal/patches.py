"""What the 24 patches of a found chart look like: robust means, spread, clipping and glare."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats
from colorcal.interface import PatchSamples as PatchSamples
from colorcal.reference import COLUMNS, PATCHES, ROWS

_SIDE_SAMPLES: Final = 13
_REACH: Final = 0.26
"""Half the sampled square, in units of the pitch; a patch's own half side is about 0.43."""
_TRIM: Final = 0.2
_CLIP_HIGH: Final = 0.985
_CLIP_LOW: Final = 0.006


def sample_patches(picture: NDArray[Any], centers: Floats) -> PatchSamples:
    """Sample a uint8 or uint16 picture [H, W, 3] around the centers [24, 2] (x, y in px).

    The sampled square follows the chart's rotation and tilt. Each mean leaves out the darkest and the
    brightest fifth, so that a scratch, a speck or a small highlight does not reach it.
    """
    height, width = picture.shape[:2]
    top = float(np.iinfo(picture.dtype).max)
    grid = centers.reshape(ROWS, COLUMNS, 2)
    across = np.asarray(np.gradient(grid, axis=1)).reshape(PATCHES, 2)
    down = np.asarray(np.gradient(grid, axis=0)).reshape(PATCHES, 2)
    steps = np.linspace(-_REACH, _REACH, _SIDE_SAMPLES)
    u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
    points = centers[:, None] + u[None, :, None] * across[:, None] + v[None, :, None] * down[:, None]
    inside: Any = (points > -0.5) & (points < (width - 0.5, height - 0.5))
    visible: NDArray[np.bool_] = inside.all(axis=(1, 2))
    place = np.clip(np.nan_to_num(points), 0, (width - 1, height - 1)).round().astype(np.intp)
    colors = picture[place[..., 1], place[..., 0]] / top
    order = np.argsort(colors.sum(axis=2), axis=1, kind="stable")
    cut = int(_TRIM * colors.shape[1])
    kept = np.take_along_axis(colors, order[:, cut : colors.shape[1] - cut, None], axis=1)
    mean = kept.mean(axis=1)
    quartiles = np.percentile(colors, (25, 75), axis=1)
    spread = (quartiles[1] - quartiles[0]) / 1.349
    clipped = ((colors > _CLIP_HIGH).mean(axis=1) > 0.25).any(axis=1)
    return PatchSamples(mean, spread, clipped, visible)
