"""Pictures: told by content, whole or refused, upright, in sRGB, and derived without metadata."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from records import images
from records.interface import ImageFacts, Images, NotAnImage
from records.srgb import SRGB_PROFILE
from tests.support.pictures import (
    DISPLAY_P3_D50,
    SRGB_D50,
    Rgb,
    bands,
    encoded,
    exif,
    heic,
    icc_profile,
    png_claiming,
)

P3 = icc_profile(DISPLAY_P3_D50, 2.2)
FORMS = ["JPEG", "PNG", "WEBP"]
T = Image.Transpose
# EXIF 2.32, 4.6.4.A: how the stored picture has to be turned.
UPRIGHT = {
    2: T.FLIP_LEFT_RIGHT,
    3: T.ROTATE_180,
    4: T.FLIP_TOP_BOTTOM,
    5: T.TRANSPOSE,
    6: T.ROTATE_270,
    7: T.TRANSVERSE,
    8: T.ROTATE_90,
}


def _close(one: Rgb, other: Rgb, steps: int) -> bool:
    return one.shape == other.shape and int(np.abs(one.astype(int) - other.astype(int)).max()) <= steps


def _middles(picture: Rgb) -> Rgb:
    height, width = picture.shape[:2]
    middles: Rgb = picture[height // 4 :: height // 2, width // 4 :: width // 2]
    return middles


def _p3_to_srgb(picture: Rgb) -> Rgb:
    """By hand: gamma 2.2, primaries to XYZ under D50, sRGB's matrix back, its curve, clipped."""
    linear = (picture / 255.0) ** 2.2 @ np.array(DISPLAY_P3_D50) @ np.linalg.inv(np.array(SRGB_D50))
    linear = np.clip(linear, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(curved * 255), dtype=np.uint8)


def test_the_module_is_what_the_interface_promises() -> None:
    promised: Images = images
    assert promised.inspect(encoded(bands(), "PNG")).media_type == "image/png"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (encoded(bands(), "JPEG"), "image/jpeg"),
        (encoded(bands(), "PNG"), "image/png"),
        (encoded(bands(), "WEBP"), "image/webp"),
        (heic(bands()), "image/heic"),
    ],
)
def test_pictures_are_told_by_their_content(data: bytes, media_type: str) -> None:
    assert images.inspect(data) == ImageFacts(media_type, 96, 64, False, False)
    assert _close(_middles(images.to_srgb(data)), _middles(bands()), 4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_set_upright(form: str, orientation: int) -> None:
    data = encoded(bands(), form, exif=exif(orientation))
    upright = images.to_srgb(data)
    expected = Image.fromarray(bands())
    if orientation in UPRIGHT:
        expected = expected.transpose(UPRIGHT[orientation])
    with Image.open(io.BytesIO(data)) as raw:
        assert _close(_middles(np.asarray(ImageOps.exif_transpose(raw))), _middles(np.asarray(expected)), 4)
    assert _close(_middles(upright), _middles(np.asarray(expected)), 4)
    facts = images.inspect(data)
    assert (facts.height_px, facts.width_px) == upright.shape[:2]


def test_a_heic_is_turned_once() -> None:
    data = heic(bands(), exif_block=exif(6), quarter_turns=3)
    assert _close(_middles(images.to_srgb(data)), _middles(np.rot90(bands(), -1)), 4)
    facts = images.inspect(data)
    assert (facts.width_px, facts.height_px) == (64, 96)


@pytest.mark.parametrize("form", FORMS)
def test_display_p3_is_converted(form: str) -> None:
    data = encoded(bands(), form, icc_profile=P3)
    assert images.inspect(data).has_icc_profile
    assert _close(_middles(images.to_srgb(data)), _middles(_p3_to_srgb(bands())), 4)
    assert not _close(_middles(images.to_srgb(data)), _middles(bands()), 8)


def test_display_p3_in_a_heic_is_converted() -> None:
    assert _close(_middles(images.to_srgb(heic(bands(), P3))), _middles(_p3_to_srgb(bands())), 6)


def test_srgb_stays_as_it_is() -> None:
    assert _close(images.to_srgb(encoded(bands(), "PNG", icc_profile=SRGB_PROFILE)), bands(), 1)
    assert np.array_equal(images.to_srgb(encoded(bands(), "PNG")), bands())


def test_a_broken_profile_is_as_none() -> None:
    assert np.array_equal(images.to_srgb(encoded(bands(), "PNG", icc_profile=b"junk" * 50)), bands())


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    gray = Image.fromarray(np.full((8, 8), 128, dtype=np.uint8))
    if mode == "I;16":
        gray = Image.fromarray(np.full((8, 8), 128 * 257, dtype=np.uint16))
    elif mode == "1":
        gray = Image.new("1", (8, 8), 1)
    else:
        gray = gray.convert(mode)
    out = io.BytesIO()
    gray.save(out, "PNG")
    rgb = images.to_srgb(out.getvalue())
    assert rgb.shape == (8, 8, 3)
    assert np.all(rgb == (255 if mode == "1" else 128))


def test_what_is_transparent_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(out, "PNG")
    assert np.all(images.to_srgb(out.getvalue()) == 255)


def test_cmyk_becomes_rgb() -> None:
    out = io.BytesIO()
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(out, "JPEG", quality=95)
    red = images.to_srgb(out.getvalue())[8, 8]
    assert red[0] > 200
    assert red[1] < 60


@pytest.mark.parametrize("form", FORMS)
def test_a_place_in_exif_is_seen(form: str) -> None:
    assert images.inspect(encoded(bands(), form, exif=exif(gps=True))).has_location
    assert not images.inspect(encoded(bands(), form, exif=exif(6))).has_location


def test_a_place_in_a_heic_or_in_xmp_is_seen() -> None:
    assert images.inspect(heic(bands(), exif_block=exif(gps=True))).has_location
    xmp = b'<x:xmpmeta><rdf:Description exif:GPSLatitude="52,31.2N"/></x:xmpmeta>'
    assert images.inspect(encoded(bands(), "JPEG", xmp=xmp)).has_location


def test_derived_pictures_carry_color_and_nothing_else() -> None:
    source = encoded(bands(), "JPEG", exif=exif(6, True), icc_profile=P3, comment=b"Wang Fang")
    derived = images.encode_derived(images.to_srgb(source))
    with Image.open(io.BytesIO(derived)) as picture:
        assert picture.format == "JPEG"
        assert dict(picture.getexif()) == {}
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile"}
        assert picture.info["icc_profile"] == SRGB_PROFILE
        assert [layer[1:3] for layer in picture.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
        assert max(picture.quantization[0]) <= 12  # type: ignore[attr-defined]
    markers = _jpeg_markers(derived)
    assert markers.count(0xE1) == 0
    assert markers.count(0xFE) == 0
    assert b"Wang" not in derived
    assert not images.inspect(derived).has_location
    assert _close(_middles(images.to_srgb(derived)), _middles(images.to_srgb(source)), 3)


def _jpeg_markers(data: bytes) -> list[int]:
    markers, at = [], 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        markers.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return markers


def test_derived_pictures_are_the_same_on_every_day() -> None:
    assert images.encode_derived(bands()) == images.encode_derived(bands())
    profile = ImageCms.ImageCmsProfile(io.BytesIO(SRGB_PROFILE))
    assert "sRGB" in ImageCms.getProfileName(profile)
    assert SRGB_PROFILE[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("longest", "size"), [(None, (96, 64)), (48, (48, 32)), (96, (96, 64)), (500, (96, 64)), (1, (1, 1))]
)
def test_derived_pictures_shrink_and_never_grow(longest: int | None, size: tuple[int, int]) -> None:
    facts = images.inspect(images.encode_derived(bands(), longest))
    assert (facts.width_px, facts.height_px) == size


def test_only_rgb_is_encoded() -> None:
    with pytest.raises(ValueError, match="uint8"):
        images.encode_derived(bands().astype(np.uint16))
    with pytest.raises(ValueError, match="uint8"):
        images.encode_derived(bands()[:, :, 0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE html><html></html>",
        b"%PDF-1.7",
        b"GIF89a" + bytes(100),
        b"BM" + bytes(100),
        b"II*\0" + bytes(100),
        b"\0\0\0\x1cftypavif" + bytes(100),
        b"\0\0\0\x18ftypmp42" + bytes(100),
        b"\0\0\0\x18ftypheic" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"RIFF\x40\0\0\0WEBPVP8 " + bytes(60),
        encoded(bands(), "GIF"),
        encoded(bands(), "TIFF"),
        encoded(bands(), "BMP"),
        encoded(bands(), "JPEG2000"),
        b"\n" + encoded(bands(), "JPEG"),
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        images.inspect(data)
    with pytest.raises(NotAnImage):
        images.to_srgb(data)


def test_a_decompression_bomb_is_refused_from_its_header() -> None:
    for size in ((60_000, 60_000), (2_000_000_000, 1), (11_000, 11_000)):
        with pytest.raises(NotAnImage):
            images.inspect(png_claiming(*size))
    jpeg = bytearray(encoded(bands(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65500, 65500)
    with pytest.raises(NotAnImage, match="65500 x 65500"):
        images.inspect(bytes(jpeg))
    large = bytearray(heic(bands()))
    at = large.index(b"ispe") + 8
    large[at : at + 8] = struct.pack(">II", 30_000, 30_000)
    with pytest.raises(NotAnImage):
        images.inspect(bytes(large))


def test_the_limit_of_pixels_is_the_callers() -> None:
    data = encoded(bands(), "PNG")
    assert images.inspect(data, max_pixels=96 * 64).width_px == 96
    for call in (images.inspect, images.to_srgb):
        with pytest.raises(NotAnImage, match="96 x 64"):
            call(data, max_pixels=96 * 64 - 1)


def test_a_large_picture_within_the_limit_passes_without_a_warning() -> None:
    """Pillow's own limit lies at 89 million pixels; the record's is its own."""
    out = io.BytesIO()
    Image.new("L", (10_000, 9_500)).save(out, "PNG", compress_level=1)
    assert images.inspect(out.getvalue()).width_px == 10_000


def test_moving_pictures_are_no_stills() -> None:
    frames = [Image.fromarray(bands()), Image.fromarray(255 - bands())]
    for form in ("PNG", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
        with pytest.raises(NotAnImage, match="still"):
            images.inspect(out.getvalue())


SAMPLES = {
    "jpeg": encoded(bands(), "JPEG", exif=exif(6, True), icc_profile=P3),
    "progressive": encoded(bands(), "JPEG", progressive=True),
    "png": encoded(bands(), "PNG", exif=exif(6), icc_profile=P3),
    "webp": encoded(bands(), "WEBP", exif=exif(6)),
    "heic": heic(bands(), P3, exif(6)),
}


@pytest.mark.parametrize("form", list(SAMPLES))
def test_a_picture_cut_short_is_refused(form: str) -> None:
    data = SAMPLES[form]
    for part in (0.3, 0.6, 0.9):
        with pytest.raises(NotAnImage):
            images.inspect(data[: int(len(data) * part)])


@pytest.mark.parametrize("form", list(SAMPLES))
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused(form: str, data: st.DataObject) -> None:
    damaged = bytearray(SAMPLES[form])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        facts = images.inspect(bytes(damaged), max_pixels=1_000_000)
        rgb = images.to_srgb(bytes(damaged), max_pixels=1_000_000)
    except NotAnImage:
        return
    assert rgb.dtype == np.uint8
    assert rgb.shape == (facts.height_px, facts.width_px, 3)
