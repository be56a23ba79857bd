"""How sharp a picture is: the width of its edges in px, on the chart where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats

_REACH_PX: Final = 14
"""How far a profile goes to both sides of its edge."""
_SMOOTHING_PX: Final = 0.8
"""Standard deviation of the smoothing against noise; its share of a width is taken away again."""
_TEN_TO_NINETY: Final = 2.5631
"""Width from 10 to 90 % of a step that is blurred by a Gaussian, in its standard deviations."""
_MIN_CONTRAST: Final = 0.06
_MAX_EDGES: Final = 1500
_MIN_EDGES: Final = 40
_SHARPEST: Final = 0.1
_MAX_HALVINGS: Final = 3
_WIDE_PX: Final = 9.0
"""A wider edge is measured again in the picture at half its size, where the profile reaches twice as far."""


def step_width_px(picture: NDArray[np.uint8]) -> float | None:
    """Distance over which the edges of a chart [H, W, 3] rise from 10 to 90 %, in px, or None without edges.

    A picture that moved is sharp along its motion: of both directions the wider median counts.
    """
    return _coarser_until_it_fits(picture, _wider_median)


def sharpest_width_px(picture: NDArray[np.uint8]) -> float | None:
    """The same of the sharpest tenth of the edges of any picture: shadows are soft in the sharpest one."""
    return _coarser_until_it_fits(picture, lambda widths, _across: float(np.quantile(widths, _SHARPEST)))


def _coarser_until_it_fits(
    picture: NDArray[np.uint8], summary: Callable[[Floats, NDArray[np.bool_]], float]
) -> float | None:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
    for halving in range(_MAX_HALVINGS + 1):
        widths, across = _widths(grey)
        if len(widths) >= _MIN_EDGES:
            width = summary(widths, across)
            if width < _WIDE_PX or halving == _MAX_HALVINGS:
                return width * float(2**halving)
        if min(grey.shape) < 8 * _REACH_PX:
            break
        grey = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return None


def _wider_median(widths: Floats, across: NDArray[np.bool_]) -> float:
    groups = [widths[across], widths[~across]]
    enough = [group for group in groups if len(group) >= _MIN_EDGES // 2] or [widths]
    return max(float(np.median(group)) for group in enough)


def _widths(grey: NDArray[np.float32]) -> tuple[Floats, NDArray[np.bool_]]:
    """Widths of the strongest edges in px [N], and whether each is rather upright [N]."""
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _SMOOTHING_PX), np.float32)
    dx, dy = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8)) for order in ((1, 0), (0, 1)))
    strength = np.hypot(dx, dy)
    y, x = _ridge(strength, dx, dy)
    if not len(y):
        return np.empty(0), np.empty(0, bool)
    strongest = np.argsort(-strength[y, x], kind="stable")[: 4 * _MAX_EDGES]
    y, x = y[strongest], x[strongest]
    # of the strongest, a fixed share from all over the picture and not the first corner's
    chosen = np.linspace(0, len(y) - 1, min(len(y), _MAX_EDGES)).astype(np.intp)
    y, x = y[chosen], x[chosen]
    along_x, along_y = dx[y, x] / strength[y, x], dy[y, x] / strength[y, x]
    steps = np.arange(-_REACH_PX, _REACH_PX + 1, dtype=np.float32)
    at_x, at_y = x[:, None] + along_x[:, None] * steps, y[:, None] + along_y[:, None] * steps
    map_x, map_y = (at.astype(np.float32) for at in (at_x, at_y))
    profiles: Any = cv2.remap(smooth, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    widths = _rise(np.asarray(profiles, np.float64))
    good = np.isfinite(widths)
    return widths[good], (np.abs(along_x) > np.abs(along_y))[good]


def _ridge(
    strength: NDArray[np.float32], dx: NDArray[Any], dy: NDArray[Any]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places where the slope is the strongest across its edge: y, x."""
    inner = strength[1:-1, 1:-1]
    upright = np.abs(dx) > np.abs(dy)
    across = np.maximum(strength[1:-1, :-2], strength[1:-1, 2:])
    down = np.maximum(strength[:-2, 1:-1], strength[2:, 1:-1])
    floor = max(3 * float(np.median(strength)), _MIN_CONTRAST / (2 * _REACH_PX))
    peak = (inner >= np.where(upright[1:-1, 1:-1], across, down)) & (inner > floor)
    y, x = np.nonzero(peak)
    return y + 1, x + 1


def _rise(profiles: Floats) -> Floats:
    """Distance from 10 to 90 % of the rise through the middle of each profile [N, 2 K + 1]; else nan."""
    middle = profiles.shape[1] // 2
    steps = np.diff(profiles, axis=1)
    rises = steps > 0.02 * steps.max(axis=1, keepdims=True)
    upwards = np.cumprod(rises[:, middle:], axis=1).sum(axis=1)
    downwards = np.cumprod(rises[:, middle - 1 :: -1], axis=1).sum(axis=1)
    rows = np.arange(len(profiles))
    first, last = middle - downwards, middle + upwards
    low, high = profiles[rows, first], profiles[rows, last]
    contrast = high - low
    # an edge that rises to the end of its profile has no end to measure
    whole = (contrast > _MIN_CONTRAST) & (first > 0) & (last < profiles.shape[1] - 1)
    place = np.arange(profiles.shape[1])
    inside = (place >= first[:, None]) & (place <= last[:, None])
    share = (profiles - low[:, None]) / np.maximum(contrast, 1e-6)[:, None]
    share = np.where(inside, share, np.where(place < first[:, None], 0.0, 1.0))
    width = _crossing(share, 0.9) - _crossing(share, 0.1)
    width = np.sqrt(np.maximum(width**2 - (_TEN_TO_NINETY * _SMOOTHING_PX) ** 2, 0.25))
    result: Floats = np.where(whole, width, np.nan)
    return result


def _crossing(share: Floats, level: float) -> Floats:
    """Where each rising row [N, K] passes a level, in steps."""
    after = np.argmax(share >= level, axis=1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(share))
    low, high = share[rows, before], share[rows, after]
    crossing: Floats = before + (level - low) / np.maximum(high - low, 1e-9)
    return crossing
