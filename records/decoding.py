"""Decode pictures that somebody sent: what they are, and their pixels in sRGB.

JPEG, PNG, WebP and HEIC are told by content, never by name; everything else is NotAnImage. Decoders are
called by format, on headers whose size was checked first. Native decoders can still be crashed by bytes made
for it: outside the tests this runs in a process of its own (records.image_worker).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from records.exif import read_exif
from records.hostile import refuse_hostile
from records.interface import ImageFacts, NotAnImage
from records.srgb import SRGB_PROFILE

MAX_PIXELS = 120_000_000
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_UPRIGHT: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to the turn that sets a picture upright."""
# What the decoders raise on broken bytes, as met by the tests with damaged pictures.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, LookupError, TypeError, struct.error)


def media_type_of(data: bytes) -> str:
    """Media type told by the first bytes; raises NotAnImage."""
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "image/heic"
    raise NotAnImage("the file is no JPEG, PNG, WebP or HEIC picture")


_DECODERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/webp": WebPImageFile,
    "image/heic": pi_heif.HeifImageFile,
}


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width < 1 or height < 1 or width * height > max_pixels:
        raise NotAnImage(f"a picture of {width} x {height} pixels is more than this record keeps")


def _open(data: bytes, max_pixels: int) -> tuple[str, ImageFile.ImageFile]:
    """Header only: nothing is decoded yet."""
    media_type = media_type_of(data)
    refuse_hostile(data, media_type)
    try:
        image = _DECODERS[media_type](io.BytesIO(data))
        animated = getattr(image, "is_animated", False) and media_type != "image/heic"
    except _BROKEN:
        raise NotAnImage("the picture is damaged") from None
    _check_size(image, max_pixels)
    if animated:
        raise NotAnImage("a moving picture is no still")
    return media_type, image


def _load(image: ImageFile.ImageFile, max_pixels: int) -> None:
    try:
        image.load()
    except _BROKEN:
        raise NotAnImage("the picture is damaged") from None
    _check_size(image, max_pixels)


def _orientation(image: Image.Image, media_type: str) -> int:
    # HEIC turns by its own property, which its decoder has obeyed; its EXIF repeats it.
    return 1 if media_type == "image/heic" else read_exif(image.info.get("exif")).orientation


def inspect(data: bytes, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    """Facts about a picture, decoded once to know that it is whole; raises NotAnImage.

    Width and height are those of the upright picture.
    """
    media_type, image = _open(data, max_pixels)
    width, height = image.size
    upright = _orientation(image, media_type)
    # Reads every coded byte, at an eighth of the pixels.
    image.draft(None, (max(1, width // 8), max(1, height // 8)))
    info = dict(image.info)
    _load(image, max_pixels)
    if media_type == "image/heic":
        width, height = image.size
    if upright >= 5:
        width, height = height, width
    exif = read_exif(info.get("exif"))
    return ImageFacts(
        media_type=media_type,
        width_px=width,
        height_px=height,
        has_location=exif.has_location or b"GPSLatitude" in data,  # XMP spells it out
        has_icc_profile=bool(info.get("icc_profile")),
    )


def to_srgb(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode to sRGB, upright, uint8 [H, W, 3]; raises NotAnImage.

    An embedded ICC profile is converted with relative colorimetric intent and black point compensation;
    without one, or with one that is broken, the numbers are taken as sRGB. What is transparent becomes white.
    """
    media_type, image = _open(data, max_pixels)
    _load(image, max_pixels)
    profile = image.info.get("icc_profile")
    upright = _UPRIGHT.get(_orientation(image, media_type))
    try:
        flat = _without_alpha(image)
        flat = _converted(flat, profile)
        if upright is not None:
            flat = flat.transpose(upright)
        return np.asarray(flat, dtype=np.uint8).copy()
    except _BROKEN:
        raise NotAnImage("the picture is damaged") from None


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "CMYK"):
        return image
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("LA", "PA", "RGBA", "P"):
        colored = image.convert("RGBA")
        white = Image.new("RGBA", colored.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, colored).convert("RGB")
    return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.ImageCmsProfile(io.BytesIO(SRGB_PROFILE)),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile: as if there were none
    return image.convert("RGB")
