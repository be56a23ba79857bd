"""Polyglots and bombs are refused, a phone's honest trailers are not."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from records.hostile import MAX_JPEG_SCANS, refuse_hostile
from records.images import inspect
from records.interface import NotAnImage
from tests.support.pictures import bands, encoded, exif

JPEG = encoded(bands(), "JPEG")


def _zip(comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.js", "alert(1)")
        archive.comment = comment
    return out.getvalue()


def _with_comment(data: bytes, comment: bytes) -> bytes:
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


@pytest.mark.parametrize(
    "data",
    [
        JPEG + b"<html><body>hello",
        JPEG + b"<ScRiPt src=//x>",
        _with_comment(JPEG, b"*/=1;<script>alert(1)</script>/*"),
        _with_comment(JPEG, b"<?php system($_GET[0]); ?>"),
        _with_comment(JPEG, b"<!DOCTYPE svg>"),
        _with_comment(JPEG, b"%PDF-1.7"),
        JPEG + _zip(),
        JPEG + _zip(b"a comment to hide behind"),
        encoded(bands(), "PNG") + _zip(),
        encoded(bands(), "WEBP") + b"<svg onload=alert(1)>",
    ],
)
def test_what_is_something_else_as_well_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        inspect(data)


@pytest.mark.parametrize(
    "trailer",
    [
        b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40,  # a short film
        JPEG,  # a gain map
        b"SEFHk\0\0\0SEFT",
        b"PK\x05\x06 but no archive",
    ],
)
def test_what_phones_put_behind_a_picture_is_fine(trailer: bytes) -> None:
    assert inspect(JPEG + trailer).width_px == 96


def test_xmp_is_fine() -> None:
    xmp = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
    assert not inspect(encoded(bands(), "JPEG", xmp=xmp)).has_location


def test_noise_is_never_taken_for_hostile() -> None:
    for seed in range(40):
        refuse_hostile(np.random.default_rng(seed).bytes(200_000), "image/png")


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    progressive = encoded(bands(), "JPEG", progressive=True, exif=exif(1))
    assert inspect(progressive).width_px == 96
    last_scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    with pytest.raises(NotAnImage, match="scans"):
        inspect(progressive[:-2] + last_scan * MAX_JPEG_SCANS + b"\xff\xd9")
