"""From what clinicians wrote to what goes over the wire, and back; pure."""

from __future__ import annotations

import base64
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from records.interface import (
    Annotation,
    Condition,
    Content,
    Cursor,
    Entry,
    EntryKind,
    Lesion,
    Measurement,
    Medication,
    Note,
    compare,
)
from signaling import messages as m
from signaling.errors import Refusal

_KINDS: dict[str, type[Content]] = {
    "lesion": Lesion,
    "annotation": Annotation,
    "condition": Condition,
    "medication": Medication,
    "note": Note,
}
_VIEWS: dict[EntryKind, type[msgspec.Struct]] = {
    EntryKind.LESION: m.LesionContent,
    EntryKind.ANNOTATION: m.AnnotationContent,
    EntryKind.MEASUREMENT: m.MeasurementContent,
    EntryKind.CONDITION: m.ConditionContent,
    EntryKind.MEDICATION: m.MedicationContent,
    EntryKind.NOTE: m.NoteContent,
    EntryKind.DOCUMENT: m.DocumentContent,
}


def content_of(asked: m.EntryRequest | m.EntryChangeRequest) -> Content:
    """The one content of a request. Raises Refusal for none or several, InvalidEntry, ValidationError."""
    given = [(name, getattr(asked, name)) for name in _KINDS if getattr(asked, name) is not None]
    if len(given) != 1:
        raise Refusal("request.malformed")
    name, message = given[0]
    content: Content = msgspec.convert(msgspec.to_builtins(message), _KINDS[name])
    return content


def entry_view(entry: Entry, author_name: str) -> m.EntryView:
    """One version of an entry."""
    content: dict[str, Any] = {
        entry.kind.value: msgspec.convert(msgspec.to_builtins(entry.content), _VIEWS[entry.kind])
    }
    return m.EntryView(
        entry_id=entry.entry_id,
        kind=entry.kind.value,
        patient_id=entry.patient_id,
        lesion_id=entry.tied.lesion_id,
        snapshot_id=entry.tied.snapshot_id,
        consultation_id=entry.tied.consultation_id,
        annotation_id=entry.tied.annotation_id,
        at=entry.at,
        version=entry.version,
        latest_version=entry.latest_version,
        author_name=author_name,
        written_at=entry.written_at,
        deleted=entry.deleted_at is not None,
        **content,
    )


def change_views(measured: list[Entry]) -> list[m.ChangeView]:
    """What changed from each measurement of a lesion to the next."""
    views = []
    for earlier, later in pairwise(measured):
        assert isinstance(earlier.content, Measurement)
        assert isinstance(later.content, Measurement)
        change = msgspec.to_builtins(compare(earlier.content, later.content))
        ids = {"earlier_id": earlier.entry_id, "later_id": later.entry_id}
        views.append(msgspec.convert({**change, **ids}, m.ChangeView))
    return views


def cursor_text(cursor: Cursor | None) -> str | None:
    """Where a page ended, as text that nobody needs to read."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(f"{cursor.at.isoformat()} {cursor.item_id}".encode()).decode().rstrip("=")


def cursor_from(text: str | None) -> Cursor | None:
    """Undo `cursor_text`. Raises Refusal."""
    if not text:
        return None
    try:
        at, _, item_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Refusal("request.malformed") from None
    if moment.tzinfo is None or not item_id:
        raise Refusal("request.malformed")
    return Cursor(moment, item_id)
