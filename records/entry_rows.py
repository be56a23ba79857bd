"""From rows to entries: opens seals, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, RowMapping, select

from records.clinical import CONTENTS, Content, Entry, EntryKind, Tied
from records.errors import NotFound
from records.keys import PatientKeys
from records.schema import entries, entry_versions
from records.transaction import Tx

_COLUMNS = (
    *entries.c,
    entry_versions.c.version.label("this_version"),
    entry_versions.c.content,
    entry_versions.c.author_id,
    entry_versions.c.written_at,
)
LATEST = entry_versions.c.version == entries.c.version


def seal_content(keys: PatientKeys, entry_id: str, version: int, content: Content) -> bytes:
    """A content as JSON, sealed for its one version."""
    words = msgspec.json.encode(content).decode()
    return keys.seal("entry_versions", "content", f"{entry_id}/{version}", words)


def open_content(keys: PatientKeys, kind: EntryKind, entry_id: str, version: int, sealed: bytes) -> Content:
    """Undo `seal_content`; raises SealBroken."""
    words = keys.unseal("entry_versions", "content", f"{entry_id}/{version}", sealed)
    return msgspec.json.decode(words, type=CONTENTS[kind])


async def load_entries(tx: Tx, *where: ColumnElement[bool], most: int | None = None) -> list[Entry]:
    """Versions of entries that fulfil conditions, newest first."""
    query = (
        select(*_COLUMNS)
        .join(entry_versions, entry_versions.c.entry_id == entries.c.entry_id)
        .where(*where)
        .order_by(entries.c.at.desc(), entries.c.entry_id.desc(), entry_versions.c.version.desc())
    )
    rows = await tx.all(query if most is None else query.limit(most))
    keys = await tx.keys_of_all(row["patient_id"] for row in rows)
    return [_entry_from(row, keys[row["patient_id"]]) for row in rows]


async def load_latest(tx: Tx, entry_ids: Sequence[str]) -> dict[str, Entry]:
    """The latest version of each of these entries, deleted ones too."""
    found = await load_entries(tx, entries.c.entry_id.in_(entry_ids), LATEST)
    return {entry.entry_id: entry for entry in found}


async def one_entry(tx: Tx, entry_id: str, version: int | None = None) -> Entry:
    """An entry as it is now, or as it was; raises NotFound. One that was deleted is there, and says so."""
    which = LATEST if version is None else entry_versions.c.version == version
    found = await load_entries(tx, entries.c.entry_id == entry_id, which)
    if not found:
        raise NotFound("no such entry")
    return found[0]


def _entry_from(row: RowMapping, keys: PatientKeys) -> Entry:
    return Entry(
        entry_id=row["entry_id"],
        kind=row["kind"],
        patient_id=row["patient_id"],
        tied=Tied(row["lesion_id"], row["snapshot_id"], row["consultation_id"], row["annotation_id"]),
        at=row["at"],
        version=row["this_version"],
        latest_version=row["version"],
        author_id=row["author_id"],
        written_at=row["written_at"],
        retention=row["retention"],
        deleted_at=row["deleted_at"],
        content=open_content(keys, row["kind"], row["entry_id"], row["this_version"], row["content"]),
    )
