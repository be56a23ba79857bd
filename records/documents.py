"""Tell an attached document by its content, and refuse hostile ones: PDF (ISO 32000) without anything active,
or a picture that this record keeps. Bytes come from strangers: nothing here trusts a length or a type."""

from __future__ import annotations

import re
import zlib

from records import images
from records.errors import NotADocument, NotAnImage
from records.hostile import begins_as_page, ends_as_zip, refuse_active

PDF = "application/pdf"
_HEADER = re.compile(rb"%PDF-(1\.[0-7]|2\.0)[\r\n]")
_END_BYTES = 2048
# Names long enough that coded bytes match none of them by chance. A script is always started by one of them.
_ACTIVE = (
    b"/javascript",
    b"/launch",
    b"/embeddedfile",
    b"/richmedia",
    b"/rendition",
    b"/submitform",
    b"/importdata",
    b"/encrypt",
)
_ESCAPED = re.compile(rb"#([0-9a-fA-F]{2})")
_STREAM = re.compile(rb"stream\r?\n")
MAX_STREAMS = 20_000
MAX_INFLATED_BYTES = 256 << 20


def document_type(data: bytes, max_pixels: int) -> str:
    """Media type of a document; raises NotADocument. CPU-bound: call in a thread."""
    if data[:5] == b"%PDF-":
        _check_pdf(data)
        return PDF
    try:
        return images.inspect(data, max_pixels).media_type
    except NotAnImage as refused:
        raise NotADocument(str(refused)) from None


def _check_pdf(data: bytes) -> None:
    if _HEADER.match(data) is None or b"%%EOF" not in data[-_END_BYTES:]:
        raise NotADocument("the file is no whole PDF")
    try:
        refuse_active(data)
    except NotAnImage as refused:
        raise NotADocument(str(refused)) from None
    if begins_as_page(data) or ends_as_zip(data):
        raise NotADocument("the document is something else as well")
    _refuse_names(data)
    left = MAX_INFLATED_BYTES
    for number, start in enumerate(_STREAM.finditer(data)):
        if number >= MAX_STREAMS:
            raise NotADocument("the document has more parts than any report")
        # Objects may lie compressed in a stream: the names within have to be looked at too.
        inflated = _inflated(data, start.end(), left)
        left -= len(inflated)
        if left <= 0:
            raise NotADocument("the document swells beyond what is read")
        _refuse_names(inflated)


def _refuse_names(data: bytes) -> None:
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), data).lower()
    if any(name in plain for name in _ACTIVE):
        raise NotADocument("the document holds active content, or is locked")


def _inflated(data: bytes, at: int, most: int) -> bytes:
    """What a stream inflates to, as far as it is deflated at all; at most `most` bytes."""
    if data[at : at + 1] not in (b"\x78", b"\x58", b"\x68", b"\x48", b"\x38", b"\x28", b"\x18", b"\x08"):
        return b""
    end = data.find(b"endstream", at)
    try:
        return zlib.decompressobj().decompress(data[at : end if end > 0 else len(data)], most)
    except zlib.error:
        return b""
