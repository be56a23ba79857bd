"""Apply a correction to pictures: 3D LUTs, a fast path for 8 bits, an exact one for 16."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats, srgb_encode
from colorcal.correction import Correction, Mixture
from colorcal.decoder import DecodedCorrection

AnyCorrection = Correction | Mixture | DecodedCorrection

_NODES: Final = 33
_FRACTIONS: Final = 32
"""cv2.remap interpolates in steps of 1/32 of a cell: a quarter of an 8-bit code on 33 nodes."""
_CHUNK_PX: Final = 1 << 18
_PART_PX: Final = 1 << 16
"""What is corrected at a time: what lies between the steps then stays in the processor's cache."""


def sample_lut(correction: AnyCorrection, size: int) -> Floats:
    """The correction on a grid, float64 [size, size, size, 3] indexed [r, g, b], values 0 to 1."""
    axis = np.linspace(0, 1, size)
    if isinstance(correction, DecodedCorrection):
        grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
        return correction(grid.reshape(-1, 3)).reshape(size, size, size, 3)
    total = np.zeros((size**3, 3))
    for part in correction.parts:
        linear = part.to_linear(axis)
        r, g, b = np.meshgrid(linear, linear, linear, indexing="ij")
        total += srgb_encode(part.from_linear(np.column_stack([r.ravel(), g.ravel(), b.ravel()])))
    return (total / len(correction.parts)).reshape(size, size, size, 3)


def quantise(lut: Floats) -> NDArray[np.uint8]:
    """A LUT of values 0 to 1 as uint8."""
    codes: NDArray[np.uint8] = np.round(lut * 255).astype(np.uint8)
    return codes


class FastTable:
    """A LUT laid out for 8-bit pictures: one sheet of r and g for each of the 256 codes of b.

    Blue needs no interpolation at all, red and green are interpolated by one cv2.remap. What lies between two
    8-bit codes is spread over both, so that the mean of an area is right: a faint redness on dark skin is a
    code or two, and rounding each pixel alone loses some of it.
    """

    def __init__(self, lut: Floats) -> None:
        position = np.arange(256) * (_NODES - 1) / 255
        cell = np.minimum(position.astype(np.int64), _NODES - 2)
        fraction = (position - cell)[:, None]
        # blue resolved to codes: [b, r, g, 3], then g down and r across
        planes = lut.transpose(2, 1, 0, 3).reshape(_NODES, -1)
        sheets = planes[cell] * (1 - fraction) + planes[cell + 1] * fraction
        self._sheets = (sheets * 255).astype(np.float32).reshape(256 * _NODES, _NODES, 3)
        steps = np.minimum(np.round(fraction[:, 0] * _FRACTIONS), _FRACTIONS).astype(np.int64)
        # a fraction of a whole step belongs to the next cell, where it stays inside the sheet
        whole = (steps == _FRACTIONS) & (cell < _NODES - 2)
        self._cell = (cell + whole).astype(np.int16)
        self._step = np.where(whole, 0, np.minimum(steps, _FRACTIONS - 1)).astype(np.uint16)
        last = cell == _NODES - 2
        exact_end = last & (steps == _FRACTIONS)
        self._cell[exact_end] = _NODES - 1
        self._step[exact_end] = 0
        self._row = (np.arange(256) * _NODES).astype(np.int16)

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Correct an H x W x 3 picture."""
        out = np.empty_like(rgb)
        rows = max(1, min(rgb.shape[0], _PART_PX // rgb.shape[1]))
        # cv2.remap takes at most 32767 px a side
        columns = min(rgb.shape[1], 32000)
        for y in range(0, rgb.shape[0], rows):
            for x in range(0, rgb.shape[1], columns):
                part = np.ascontiguousarray(rgb[y : y + rows, x : x + columns])
                out[y : y + rows, x : x + columns] = self._part(part)
        return out

    def _part(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        shape = rgb.shape
        r, g, b = cv2.split(rgb)
        cells = cv2.merge([cv2.LUT(r, self._cell), cv2.add(cv2.LUT(b, self._row), cv2.LUT(g, self._cell))])
        steps: Any = cv2.add(cv2.LUT(r, self._step), cv2.LUT(g, self._step * np.uint16(_FRACTIONS)))
        corrected: Any = cv2.remap(
            self._sheets, cells, steps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.add(corrected, _spread(*shape[:2]), dst=corrected)
        result: NDArray[np.uint8] = np.asarray(cv2.convertScaleAbs(corrected), np.uint8).reshape(shape)
        return result


@lru_cache(maxsize=4)
def _spread(height: int, width: int) -> NDArray[np.float32]:
    """What is added before rounding, within -0.5 to 0.5 code, float32 [H, W, 3]; a whole code stays itself.

    Interleaved gradient noise, whose every small neighbourhood holds all values evenly (J. Jimenez, "Next
    generation post processing in Call of Duty", SIGGRAPH 2014), elsewhere for each channel.
    """
    y, x = np.ogrid[:height, :width]
    channels = [(x + 37 * channel) * 0.06711056 + (y + 17 * channel) * 0.00583715 for channel in range(3)]
    noise = np.mod(52.9829189 * np.mod(np.stack(channels, axis=-1), 1), 1)
    return np.asarray(0.998 * (noise - 0.5), np.float32)


def apply_exactly(correction: AnyCorrection, rgb: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Correct a 16-bit picture by the formula itself, so that no table can band."""
    flat = rgb.reshape(-1, 3)
    out = np.empty_like(flat)
    for start in range(0, len(flat), _CHUNK_PX):
        part = flat[start : start + _CHUNK_PX]
        out[start : start + _CHUNK_PX] = np.round(correction(part / 65535) * 65535).astype(np.uint16)
    return out.reshape(rgb.shape)
