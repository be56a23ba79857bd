"""Refuse bytes that are a picture and something else too, and pictures made to exhaust their decoder.

Phones legitimately put data behind a picture (a gain map, a short film), so that alone is no reason; being a
page, a script, a PDF or a ZIP archive as well is. The patterns are long enough, or looked for in few enough
bytes, that a photograph's own coded bytes match by chance less than once in ten million.
"""

from __future__ import annotations

from records.interface import NotAnImage

MAX_JPEG_SCANS = 100
_ANYWHERE = (b"<script", b"<!doctype", b"<iframe")
_PAGES = (b"<html", b"<svg", b"<body", b"<?php")
_END_BYTES = 4096
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22


def refuse_hostile(data: bytes, media_type: str) -> None:
    """Raise NotAnImage for a polyglot or a decoder bomb."""
    refuse_active(data)
    ends = (data[:_END_BYTES] + b" " + data[-_END_BYTES:]).lower()
    if any(pattern in ends for pattern in (*_PAGES, b"%pdf-")) or ends_as_zip(data):
        raise NotAnImage("the picture is something else as well")
    if media_type == "image/jpeg" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        # In coded data 00 or a restart marker follows every FF: this counts scans (ITU-T T.81, B.1.1.5).
        raise NotAnImage("the picture has more scans than any camera writes")


def refuse_active(data: bytes) -> None:
    """Raise NotAnImage for what a browser could take for a page with a script."""
    lower = data.lower()
    if any(pattern in lower for pattern in _ANYWHERE):
        raise NotAnImage("the file holds active content")


def begins_as_page(data: bytes) -> bool:
    """Whether a browser that guesses by the first bytes could take this for a page."""
    return any(pattern in data[:_END_BYTES].lower() for pattern in _PAGES)


def ends_as_zip(data: bytes) -> bool:
    """An end-of-central-directory record whose comment reaches exactly the end (APPNOTE 4.3.16)."""
    tail = data[-(_ZIP_END_BYTES + 0xFFFF) :]
    at = tail.find(_ZIP_END)
    while at >= 0:
        if at + _ZIP_END_BYTES <= len(tail):
            comment = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + _ZIP_END_BYTES + comment == len(tail):
                return True
        at = tail.find(_ZIP_END, at + 1)
    return False
