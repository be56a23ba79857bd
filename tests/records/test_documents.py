"""Attached documents: told by content, and nothing that could act is kept."""

from __future__ import annotations

import zlib

import pytest

from records.documents import MAX_INFLATED_BYTES, MAX_STREAMS, document_type
from records.errors import NotADocument
from tests.support.record import jpeg

PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def with_object(body: bytes) -> bytes:
    """A PDF with one more object."""
    return PDF.replace(b"trailer", b"3 0 obj\n" + body + b"\nendobj\ntrailer")


def with_stream(plain: bytes) -> bytes:
    """A PDF with one more, deflated stream."""
    packed = zlib.compress(plain)
    return with_object(b"<</Filter/FlateDecode>>\nstream\n" + packed + b"\nendstream")


def test_what_is_kept() -> None:
    assert document_type(PDF, 10_000) == "application/pdf"
    assert document_type(with_stream(b"BT (Naevus) Tj ET"), 10_000) == "application/pdf"
    assert document_type(with_object(b"<</OpenAction[3 0 R/Fit]>>"), 10_000) == "application/pdf"
    assert document_type(jpeg(), 10_000) == "image/jpeg"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain words",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><body>report</body></html>",
        b"MZ" + bytes(200),
        PDF[:40],
        PDF.replace(b"1.4", b"9.9"),
        b"\n" + PDF,
        PDF.replace(b"\n1 0", b"\n<html>\n1 0"),
        PDF + b"<script>alert(1)</script>%%EOF",
        PDF + b"PK\x05\x06" + bytes(18),
        with_object(b"<</S/JavaScript/JS(app.alert(1))>>"),
        with_object(b"<</S/#4aava#53cript/JS(1)>>"),
        with_object(b"<</S/Launch/F(cmd.exe)>>"),
        with_object(b"<</EmbeddedFiles 4 0 R>>"),
        with_object(b"<</S/SubmitForm>>"),
        with_object(b"<</Encrypt 4 0 R>>"),
        with_stream(b"5 0 obj <</S/JavaScript/JS(1)>> endobj"),
        with_object(b"stream\n" * (MAX_STREAMS + 1)),
        jpeg()[:100],
        jpeg() + b"<script>",
        jpeg(0, 200, 200),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(NotADocument):
        document_type(data, 10_000)


def test_a_bomb_is_refused_before_it_swells() -> None:
    bomb = with_stream(bytes(MAX_INFLATED_BYTES // 2))
    assert len(bomb) < 1 << 20
    part = bomb[bomb.index(b"3 0 obj") : bomb.index(b"trailer")]
    with pytest.raises(NotADocument):
        document_type(bomb.replace(part, part * 2), 1)
