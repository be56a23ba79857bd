"""The two facts that the record needs of a picture's EXIF: which side is up, and whether it tells a place.

Reads TIFF 6.0 directories as EXIF 2.32 uses them, within bounds and without a loop, whatever the bytes are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_ORIENTATION = 0x0112
_GPS_DIRECTORY = 0x8825
_LATITUDE, _LONGITUDE = 2, 4
_MAX_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """orientation: 1 to 8, 1 is upright. has_location: a latitude or longitude is there."""

    orientation: int
    has_location: bool


def read_exif(data: bytes | None) -> ExifFacts:
    """Facts of an EXIF block, with or without its "Exif" prefix; a damaged one tells nothing."""
    if not data:
        return ExifFacts(1, False)
    if data[:6] == b"Exif\0\0":
        data = data[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return ExifFacts(1, False)
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        main = _directory(data, order, first)
        gps = _directory(data, order, main[_GPS_DIRECTORY][1]) if _GPS_DIRECTORY in main else {}
    except struct.error:
        return ExifFacts(1, False)
    orientation = main.get(_ORIENTATION, (1, 1))[0]
    return ExifFacts(
        orientation if 1 <= orientation <= 8 else 1, has_location=_LATITUDE in gps or _LONGITUDE in gps
    )


def _directory(data: bytes, order: str, offset: int) -> dict[int, tuple[int, int]]:
    """tag -> its value read as a short and as a long; entries that are cut off are left out."""
    (count,) = struct.unpack_from(order + "H", data, offset)
    entries: dict[int, tuple[int, int]] = {}
    for index in range(min(count, _MAX_ENTRIES)):
        at = offset + 2 + 12 * index
        if at + 12 > len(data):
            break
        (tag,) = struct.unpack_from(order + "H", data, at)
        (short,) = struct.unpack_from(order + "H", data, at + 8)
        (long,) = struct.unpack_from(order + "I", data, at + 8)
        entries[tag] = (short, long)
    return entries
