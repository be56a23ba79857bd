"""How wide the frame between a found chart's patches is: what tells a Nano from the other ColorCheckers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats, srgb_decode
from colorcal.reference import COLUMNS, PATCHES, ROWS

_ALONG: Final = 41
_ACROSS: Final = (-0.15, -0.075, 0.0, 0.075, 0.15)
_END: Final = 0.2
"""Share of the way between two centers that is surely patch, at either end."""
_CONTRAST: Final = 0.12
"""Two patches are looked at when they are lighter than the frame by this, in linear light, on the mean."""
_FEWEST: Final = 5


def frame_share(picture: NDArray[Any], centers: Floats) -> float | None:
    """Width of the dark frame between neighbouring patches as a share of their distance, or None if unseen.

    picture: uint8 or uint16 [H, W, 3]; centers: [24, 2]. Blur moves light about and keeps its sum, so the
    light that is missing between two patches, against two that touch, is the frame's width times its
    darkness. The frame is taken as dark as the black patch.
    """
    grid = centers.reshape(ROWS, COLUMNS, 2)
    pairs = [(grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])]
    start = np.concatenate([one.reshape(-1, 2) for one, _ in pairs])
    end = np.concatenate([other.reshape(-1, 2) for _, other in pairs])
    way = end - start
    side = way[:, ::-1] * (-1, 1)
    t = np.linspace(0, 1, _ALONG)
    points = (
        start[:, None, None]
        + t[:, None, None] * way[:, None, None]
        + np.array(_ACROSS)[:, None] * side[:, None, None]
    )
    height, width = picture.shape[:2]
    inside: Any = ((points >= 0) & (points <= (width - 1, height - 1))).all(axis=(1, 2, 3))
    place = np.clip(np.nan_to_num(points), 0, (width - 1, height - 1)).round().astype(np.intp)
    light = srgb_decode(picture[place[..., 1], place[..., 0]] / float(np.iinfo(picture.dtype).max)).mean(
        axis=(2, 3)
    )
    ends = t <= _END
    left, right = light[:, ends].mean(axis=1), light[:, ends[::-1]].mean(axis=1)
    black = _level(picture, centers[PATCHES - 1])
    touching = (left + right) / 2
    seen = inside & (touching - black > _CONTRAST)
    if seen.sum() < _FEWEST:
        return None
    missing = touching - np.trapezoid(light, t, axis=1)
    return float(np.median(missing[seen] / (touching[seen] - black)))


def _level(picture: NDArray[Any], center: Floats) -> float:
    height, width = picture.shape[:2]
    x, y = np.clip(np.nan_to_num(center), 0, (width - 1, height - 1)).round().astype(int)
    spot = picture[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
    return float(np.median(srgb_decode(spot / float(np.iinfo(picture.dtype).max)).mean(axis=2)))
