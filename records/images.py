"""Pictures as bytes: what they are, their pixels in sRGB, and derived pictures that carry no metadata.

This module is an `Images` of records.interface. What somebody sent is decoded in a process of its own, so
that bytes that crash or exhaust a native decoder are refused like any other bad picture. Blocking and
CPU-bound: call in a thread.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from records.interface import ImageFacts
from records.isolation import DECODERS
from records.srgb import SRGB_PROFILE

MAX_PIXELS = 120_000_000
DERIVED_QUALITY = 95


def inspect(data: bytes, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    """Facts about a picture, decoded once to know that it is whole; raises NotAnImage.

    Width and height are those of the upright picture.
    """
    return DECODERS.inspect(data, max_pixels)


def to_srgb(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode to sRGB, upright, uint8 [H, W, 3]; raises NotAnImage.

    An embedded ICC profile is converted with relative colorimetric intent and black point compensation;
    without one, or with one that is broken, the numbers are taken as sRGB. What is transparent becomes white.
    """
    return DECODERS.to_srgb(data, max_pixels)


def warm_up() -> None:
    """Start a decoder ahead of the first picture; returns at once."""
    DECODERS.warm_up()


def encode_derived(rgb: NDArray[np.uint8], longest_side_px: int | None = None) -> bytes:
    """A JPEG 4:4:4 of rgb (uint8 [H, W, 3], sRGB) with an sRGB profile and no other metadata."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError("rgb is uint8 [H, W, 3]")
    image = Image.fromarray(np.ascontiguousarray(rgb))
    if longest_side_px is not None and max(image.size) > longest_side_px:
        scale = longest_side_px / max(image.size)
        smaller = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(smaller, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=DERIVED_QUALITY, subsampling=0, icc_profile=SRGB_PROFILE)
    return out.getvalue()
