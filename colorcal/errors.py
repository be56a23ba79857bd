"""What is wrong with an input: one typed error with a stable id, and the door that checks every picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 200_000_000
"""Larger pictures than any phone takes; refused before anything is allocated."""


class ColorInputError(ValueError):
    """An input that colorcal cannot work with; the caller's fault.

    error_id: stable, "color.<what>", for logs and the wire.
    """

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.error_id = error_id

    def __reduce__(self) -> tuple[type[ColorInputError], tuple[str, str]]:
        """Pickle with both arguments, so that the error crosses a process boundary whole."""
        return type(self), (self.error_id, str(self))


def check_picture(rgb: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return rgb as a contiguous H x W x 3 uint8 or uint16 array, or raise ColorInputError."""
    if not isinstance(rgb, np.ndarray):
        raise ColorInputError("color.not_an_array", "a picture is a numpy array")
    native_type = rgb.dtype.newbyteorder("=")
    if native_type != np.uint8 and native_type != np.uint16:
        raise ColorInputError("color.bad_dtype", "a picture is uint8 or uint16, sRGB-encoded")
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ColorInputError("color.bad_shape", "a picture is H x W x 3")
    if rgb.shape[0] == 0 or rgb.shape[1] == 0:
        raise ColorInputError("color.empty", "the picture has no pixels")
    if rgb.shape[0] * rgb.shape[1] > MAX_PIXELS:
        raise ColorInputError("color.too_large", f"the picture has more than {MAX_PIXELS} pixels")
    return np.ascontiguousarray(rgb.astype(native_type, copy=False))


def check_size(size: Any) -> int:
    """Return a LUT size from 2 to 129, or raise ColorInputError."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 2 <= size <= 129:
        raise ColorInputError("color.bad_lut_size", "a LUT has 2 to 129 points a side")
    return int(size)
