"""The sRGB profile that derived pictures carry and that others are converted to."""

from __future__ import annotations

import struct

from PIL import ImageCms


def _srgb_profile() -> bytes:
    """An sRGB profile whose bytes are the same on every day: its date (bytes 24 to 36) is fixed."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    made[84:100] = bytes(16)  # profile id: "not computed" (ICC.1:2010, 7.2.18)
    return bytes(made)


SRGB_PROFILE = _srgb_profile()
