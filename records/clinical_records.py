"""The part of the Records Protocol for what clinicians write, its history and its search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from records.clinical import Content, DocumentKind, Entry, EntryKind, LesionRecord, Tied
from records.history import CareScope, Cursor, HistoryKind, HistoryPage, SearchPage, SearchQuery
from records.people import Actor


class ClinicalRecords(Protocol):
    """Every method writes an audit line. What is edited names the version that was read: a second writer gets
    EntryChanged with what is there now."""

    async def add_entry(
        self, actor: Actor, patient_id: str, content: Content, tied: Tied, now: datetime
    ) -> Entry: ...
    async def entry(
        self, actor: Actor, entry_id: str, now: datetime, version: int | None = None
    ) -> Entry: ...
    async def entry_versions(self, actor: Actor, entry_id: str, now: datetime) -> Sequence[Entry]: ...
    async def entries(
        self,
        actor: Actor,
        patient_id: str,
        now: datetime,
        kinds: Sequence[EntryKind] = (),
        *,
        lesion_id: str | None = None,
        snapshot_id: str | None = None,
    ) -> Sequence[Entry]:
        """What stands about a patient, newest first; deleted entries are left out."""

    async def change_entry(
        self, actor: Actor, entry_id: str, content: Content, expected_version: int, now: datetime
    ) -> Entry: ...
    async def delete_entry(self, actor: Actor, entry_id: str, expected_version: int, now: datetime) -> Entry:
        """Take an entry out of sight; it is kept for as long as its retention class says, and longer."""

    async def restore_entry(self, actor: Actor, entry_id: str, now: datetime) -> Entry: ...

    async def lesion(self, actor: Actor, lesion_id: str, now: datetime) -> LesionRecord: ...
    async def link_snapshot(
        self, actor: Actor, lesion_id: str, snapshot_id: str, now: datetime
    ) -> LesionRecord: ...
    async def unlink_snapshot(
        self, actor: Actor, lesion_id: str, snapshot_id: str, now: datetime
    ) -> LesionRecord: ...

    async def add_document(
        self,
        actor: Actor,
        patient_id: str,
        kind: DocumentKind,
        title: str,
        data: bytes,
        tied: Tied,
        issued_on: date | None,
        now: datetime,
    ) -> Entry:
        """Keep a PDF or a picture, told by its content; raises NotADocument."""

    async def document_bytes(self, actor: Actor, entry_id: str, now: datetime) -> tuple[bytes, str]: ...

    async def history(
        self,
        actor: Actor,
        patient_id: str,
        now: datetime,
        *,
        most: int = 50,
        before: Cursor | None = None,
        kinds: Sequence[HistoryKind] = (),
    ) -> HistoryPage:
        """A page of a patient's history over everything, newest first."""

    async def search(
        self,
        actor: Actor,
        scope: CareScope,
        query: SearchQuery,
        now: datetime,
        *,
        most: int = 50,
        before: Cursor | None = None,
    ) -> SearchPage:
        """What fits a query among the patients of a scope, newest first."""

    async def past_retention(self, actor: Actor, now: datetime) -> Sequence[Entry]: ...
    async def remove_past_retention(self, actor: Actor, now: datetime) -> int:
        """Remove for good what was deleted and has been kept long enough; returns how many entries."""
