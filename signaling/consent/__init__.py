"""The consent texts, one JSON file a language: what a patient agrees to, with its version and hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from signaling.messages import ConsentTextView, Language


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    language: Language
    title: str
    paragraphs: list[str]


@cache
def consent_text(language: Language) -> ConsentTextView:
    """The text in use. sha256 is over title and paragraphs in UTF-8, joined by newlines."""
    path = Path(__file__).with_name(f"{language}.json")
    text = msgspec.json.decode(path.read_bytes(), type=_Text)
    plain = "\n".join([text.title, *text.paragraphs])
    return ConsentTextView(
        version=text.version,
        language=text.language,
        title=text.title,
        paragraphs=text.paragraphs,
        sha256=hashlib.sha256(plain.encode()).hexdigest(),
    )


def current_version() -> str:
    """The version that every language has."""
    return consent_text("en").version
