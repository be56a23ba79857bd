"""A still as a phone writes it: JPEG with a color profile, device, date and, if asked, a place."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

MAKE, MODEL = "TrueHue", "TrueHue Simulated Phone"


def encode_jpeg(
    picture: NDArray[np.uint8],
    taken_at: datetime,
    position: tuple[float, float] | None = None,
    quality: int = 94,
) -> bytes:
    """Encode uint8 RGB [H, W, 3] as a phone's camera does (4:2:0, sRGB profile, EXIF).

    taken_at carries its time zone. position: latitude and longitude in degrees, as a phone writes them when
    location is on.
    """
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = MAKE
    exif[ExifTags.Base.Model] = MODEL
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.Software] = "simulated"
    exif[ExifTags.Base.DateTime] = taken_at.strftime("%Y:%m:%d %H:%M:%S")
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = taken_at.strftime("%Y:%m:%d %H:%M:%S")
    details[ExifTags.Base.OffsetTimeOriginal] = taken_at.isoformat()[-6:]
    details[ExifTags.Base.ExposureTime] = IFDRational(1, 60)
    details[ExifTags.Base.FNumber] = IFDRational(18, 10)
    details[ExifTags.Base.ISOSpeedRatings] = 200
    details[ExifTags.Base.FocalLength] = IFDRational(43, 10)
    details[ExifTags.Base.ColorSpace] = 1
    if position is not None:
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        for tag, value, letters in (
            (ExifTags.GPS.GPSLatitude, position[0], "NS"),
            (ExifTags.GPS.GPSLongitude, position[1], "EW"),
        ):
            place[tag - 1] = letters[value < 0]
            place[tag] = _degrees(abs(value))
    out = BytesIO()
    Image.fromarray(picture).save(
        out,
        "JPEG",
        quality=quality,
        subsampling="4:2:0",
        exif=exif,
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )
    return out.getvalue()


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds."""
    degrees, rest = divmod(value * 60, 60)
    minutes, seconds = divmod(rest * 60, 60)
    fraction = Fraction(seconds).limit_denominator(1000)
    return (
        IFDRational(int(degrees)),
        IFDRational(int(minutes)),
        IFDRational(fraction.numerator, fraction.denominator),
    )
