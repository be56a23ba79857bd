"""Store: attached documents: their bytes are encrypted blobs, kept and swept like pictures."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, datetime

from sqlalchemy import select

from records.clinical import Document, DocumentKind, Entry, Tied
from records.documents import document_type
from records.entry_rows import one_entry
from records.errors import HashMismatch, NotFound, UploadTooLarge
from records.keys import PatientKeys
from records.people import Actor
from records.schema import entries, patients
from records.store_entries import EntryStore, insert_entry, resource_of


class DocumentStore(EntryStore):
    """Pathology, dermoscopy, laboratory: PDF or picture, told by content."""

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
        """Keep a document; raises NotADocument, UploadTooLarge, StorageFull, NotFound, InvalidEntry."""
        if not 1 <= len(data) <= self._config.max_upload_bytes:
            raise UploadTooLarge(f"1 to {self._config.max_upload_bytes} bytes are kept")
        media_type = await asyncio.to_thread(document_type, data, self._config.max_pixels)
        sha256 = await asyncio.to_thread(_sha256, data)
        content = Document(kind, title, media_type, len(data), sha256, issued_on)
        async with self._read() as tx:
            await tx.one(select(patients.c.patient_id).where(patients.c.patient_id == patient_id), "patient")
            keys = await tx.keys_of(patient_id)
        return await self._to_the_end(self._keep_document(actor, keys, content, data, tied, now))

    async def _keep_document(
        self, actor: Actor, keys: PatientKeys, content: Document, data: bytes, tied: Tied, now: datetime
    ) -> Entry:
        name = keys.blob_name(content.sha256)
        await asyncio.to_thread(self._blobs.put, keys.blobs, name, data)
        async with self._write() as tx:
            added = await insert_entry(tx, actor, keys.patient_id, content, tied, now, blob_name=name)
            await self._secure_blob(tx, keys, name, data)
            await tx.audit(actor, "document.create", resource_of(added), now)
        return added

    async def document_bytes(self, actor: Actor, entry_id: str, now: datetime) -> tuple[bytes, str]:
        """Bytes and media type of a document that was not deleted; raises NotFound, SealBroken."""
        async with self._write() as tx:
            entry = await one_entry(tx, entry_id)
            if not isinstance(entry.content, Document) or entry.deleted_at is not None:
                raise NotFound("no such document")
            query = select(entries.c.blob_name).where(entries.c.entry_id == entry_id)
            blob_name = (await tx.one(query, "document"))["blob_name"]
            keys = await tx.keys_of(entry.patient_id)
            await tx.audit(actor, "document.view", resource_of(entry), now)
        data = await asyncio.to_thread(lambda: b"".join(self._blobs.stream(keys.blobs, blob_name)))
        if await asyncio.to_thread(_sha256, data) != entry.content.sha256:
            raise HashMismatch("a kept document has other bytes than its row says")
        return data, entry.content.media_type


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
