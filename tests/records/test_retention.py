"""Until when an entry is kept, and what is removed after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from records.body_map import Laterality
from records.clinical import Annotation, DocumentKind, Form, Lesion, Note, RetentionClass, Tied
from records.errors import NotFound
from records.interface import RecordsConfig, RetentionPolicy
from records.retention import kept_until
from records.store import RecordStore
from tests.records.test_documents import PDF
from tests.records.test_store_entries import OUTLINE, measured, snapshot_of
from tests.support.record import NOW, Clinic, OpenStore, at, files_under

POLICY = RetentionPolicy(clinical_years=15, document_years=30, working_years=3)


def years(count: float) -> datetime:
    return NOW + timedelta(days=365.25 * count)


def test_years_are_counted_to_the_day() -> None:
    written = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert kept_until(written, RetentionClass.WORKING, POLICY) == datetime(2027, 3, 1, 12, tzinfo=UTC)
    leap = RetentionPolicy(clinical_years=4)
    assert kept_until(written, RetentionClass.CLINICAL, leap) == datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert kept_until(NOW, RetentionClass.DOCUMENT, POLICY).year == NOW.year + 30


async def test_only_what_was_deleted_and_is_old_is_removed(
    open_store: OpenStore, store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    store = await open_store(replace(settings, retention=POLICY))
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    stays = await store.add_entry(doctor, patient_id, Note("stays"), Tied(), NOW)
    goes = await store.add_entry(doctor, patient_id, Note("goes"), Tied(), NOW)
    paper = await store.add_document(doctor, patient_id, DocumentKind.OTHER, "paper", PDF, Tied(), None, NOW)
    snapshot_id = await snapshot_of(store, clinic)
    arrow = await store.add_entry(
        doctor, patient_id, Annotation(Form.ARROW, ((0, 0), (1, 1))), Tied(None, snapshot_id), NOW
    )
    for entry in (goes, paper, arrow):
        await store.delete_entry(doctor, entry.entry_id, 1, at(1))
    for after, removed in ((2.9, []), (3.1, [arrow]), (14.9, [arrow]), (15.1, [arrow, goes])):
        found = await store.past_retention(doctor, years(after))
        assert {one.entry_id for one in found} == {one.entry_id for one in removed}, after
    lines = await store.verify_audit()
    assert await store.remove_past_retention(doctor, years(15.1)) == 2
    assert await store.verify_audit() == lines + 2
    actions = {(event.action, event.resource) for event in await store.audit_events(2)}
    assert actions == {
        ("annotation.remove", f"annotation/{arrow.entry_id}"),
        ("note.remove", f"note/{goes.entry_id}"),
    }
    with pytest.raises(NotFound):
        await store.entry(doctor, goes.entry_id, NOW)
    assert await store.remove_past_retention(doctor, years(15.2)) == 0
    assert (await store.entry(doctor, stays.entry_id, NOW)) == stays
    assert await store.remove_past_retention(doctor, years(31)) == 1
    assert (await store.sweep(years(31))).blobs == 1
    assert len(files_under(settings.blob_dir)) == 1  # the picture


async def test_a_change_begins_the_years_anew(store: RecordStore, clinic: Clinic) -> None:
    doctor = clinic.doctor
    note = await store.add_entry(doctor, clinic.referral.patient.patient_id, Note("a"), Tied(), NOW)
    await store.change_entry(doctor, note.entry_id, Note("b"), 1, years(10))
    await store.delete_entry(doctor, note.entry_id, 2, years(10))
    assert await store.remove_past_retention(doctor, years(16)) == 0
    assert await store.remove_past_retention(doctor, years(25.1)) == 1


async def test_what_something_hangs_on_stays(store: RecordStore, clinic: Clinic) -> None:
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    snapshot_id = await snapshot_of(store, clinic)
    mole = Lesion("mole", "forearm", Laterality.LEFT)
    lesion = await store.add_entry(doctor, patient_id, mole, Tied(), NOW)
    tied = Tied(lesion.entry_id, snapshot_id)
    outline = await store.add_entry(doctor, patient_id, OUTLINE, tied, NOW)
    of_outline = replace(tied, annotation_id=outline.entry_id)
    size = await store.add_entry(doctor, patient_id, measured(outline.entry_id), of_outline, NOW)
    for entry in (lesion, outline):
        await store.delete_entry(doctor, entry.entry_id, 1, NOW)
    assert await store.remove_past_retention(doctor, years(20)) == 0
    await store.delete_entry(doctor, size.entry_id, 1, NOW)
    assert await store.remove_past_retention(doctor, years(20)) == 3
