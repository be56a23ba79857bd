"""Documents in the record: encrypted like pictures, swept like pictures, refused when hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from records.clinical import Document, DocumentKind, Note, Tied
from records.errors import InvalidEntry, NotADocument, NotFound, SealBroken, UploadTooLarge
from records.interface import RecordsConfig
from records.store import RecordStore
from tests.records.test_documents import PDF, with_object
from tests.support.record import NOW, Clinic, OpenStore, at, files_under, flip_bit, jpeg

REPORT = with_object(b"(Compound naevus, completely excised)")


async def attach(store: RecordStore, clinic: Clinic, data: bytes = REPORT) -> str:
    kept = await store.add_document(
        clinic.doctor,
        clinic.referral.patient.patient_id,
        DocumentKind.PATHOLOGY,
        "Histology 12/26",
        data,
        Tied(),
        date(2026, 2, 3),
        at(1),
    )
    assert isinstance(kept.content, Document)
    assert (kept.content.size_bytes, kept.content.issued_on) == (len(data), date(2026, 2, 3))
    return kept.entry_id


async def test_a_document_reads_back_and_lies_encrypted(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    entry_id = await attach(store, clinic)
    assert await store.document_bytes(clinic.doctor, entry_id, NOW) == (REPORT, "application/pdf")
    picture = await attach(store, clinic, jpeg())
    assert await store.document_bytes(clinic.doctor, picture, NOW) == (jpeg(), "image/jpeg")
    for path in files_under(settings.blob_dir):
        assert b"naevus" not in path.read_bytes()


async def test_a_sweep_keeps_documents_and_their_title_may_change(store: RecordStore, clinic: Clinic) -> None:
    entry_id = await attach(store, clinic)
    assert (await store.sweep(at(86_400 * 365 * 20))).blobs == 0
    content = (await store.entry(clinic.doctor, entry_id, NOW)).content
    assert isinstance(content, Document)
    renamed = replace(content, title="Histology, final")
    assert (await store.change_entry(clinic.doctor, entry_id, renamed, 1, NOW)).content == renamed
    with pytest.raises(InvalidEntry):
        await store.change_entry(clinic.doctor, entry_id, replace(renamed, sha256="0"), 2, NOW)
    assert await store.document_bytes(clinic.doctor, entry_id, NOW) == (REPORT, "application/pdf")


async def test_what_is_refused_leaves_nothing(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    before = files_under(settings.blob_dir)
    for data, error in (
        (b"<html>", NotADocument),
        (b"", UploadTooLarge),
        (PDF * (settings.max_upload_bytes // len(PDF) + 1), UploadTooLarge),
    ):
        with pytest.raises(error):
            await attach(store, clinic, data)
    assert files_under(settings.blob_dir) == before
    note = await store.add_entry(clinic.doctor, clinic.referral.patient.patient_id, Note("x"), Tied(), NOW)
    with pytest.raises(NotFound):
        await store.document_bytes(clinic.doctor, note.entry_id, NOW)


async def test_damage_is_found_and_what_was_deleted_is_not_shown(
    store: RecordStore, open_store: OpenStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    entry_id = await attach(store, clinic)
    [path] = files_under(settings.blob_dir)
    flip_bit(path, 40)
    with pytest.raises(SealBroken):
        await store.document_bytes(clinic.doctor, entry_id, NOW)
    await store.delete_entry(clinic.doctor, entry_id, 1, NOW)
    with pytest.raises(NotFound):
        await store.document_bytes(clinic.doctor, entry_id, NOW)
