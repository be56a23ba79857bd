"""What clinicians write, in both databases: versions, second writers, ties, deletion."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from records.body_map import Laterality
from records.clinical import (
    Annotation,
    Basis,
    Condition,
    Content,
    Document,
    DocumentKind,
    EntryChanged,
    EntryKind,
    Form,
    Lesion,
    LesionState,
    Measurement,
    Medication,
    Note,
    Quantity,
    Section,
    Size,
    Tied,
)
from records.engine import Database
from records.errors import Conflict, InvalidEntry, NotFound
from records.interface import CareSubject, Urgency
from records.store import RecordStore
from tests.support.record import NOW, PATIENT, Clinic, at, jpeg

MOLE = Lesion("mole 1", "forearm", Laterality.LEFT)
OUTLINE = Annotation(Form.POLYGON, ((10, 10), (30, 10), (30, 30), (10, 30)))
WIDER = replace(OUTLINE, points=((8, 8), (32, 8), (32, 32), (8, 32)))


async def snapshot_of(store: RecordStore, clinic: Clinic, seed: int = 0) -> str:
    """A picture of 64 by 48 px."""
    return (await store.add_snapshot(clinic.person, clinic.still(jpeg(seed)), jpeg(seed), NOW)).snapshot_id


async def stranger(store: RecordStore, clinic: Clinic) -> str:
    """Another patient."""
    sent = await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    return sent.patient.patient_id


def measured(annotation_id: str, version: int = 1) -> Measurement:
    basis = Basis(annotation_id, version, Quantity(0.1, 0.002), "chart", None, None, "test 1")
    return Measurement(basis, Size(Quantity(2.8, 0.1), Quantity(2.8, 0.1), Quantity(4, 0.2)), None)


async def test_every_kind_reads_back_as_it_was_written(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    snapshot_id = await snapshot_of(store, clinic)
    lesion = await store.add_entry(clinic.doctor, patient_id, MOLE, Tied(), at(1))
    tied = Tied(lesion.entry_id, snapshot_id, clinic.consultation.consultation_id)
    outline = await store.add_entry(clinic.doctor, patient_id, OUTLINE, tied, at(2))
    contents: list[tuple[Content, Tied]] = [
        (measured(outline.entry_id), replace(tied, annotation_id=outline.entry_id)),
        (Condition("湿疹", "icd-10", "L30.9"), Tied(lesion.entry_id)),
        (Medication("emollient", "twice a day"), Tied()),
        (Note("seen", {Section.PLAN: "excise"}), Tied(consultation_id=tied.consultation_id)),
    ]
    written = [lesion, outline]
    for number, (content, about) in enumerate(contents):
        written.append(await store.add_entry(clinic.doctor, patient_id, content, about, at(3 + number)))
    for entry in written:
        assert await store.entry(clinic.doctor, entry.entry_id, NOW) == entry
        assert (entry.version, entry.latest_version, entry.deleted_at) == (1, 1, None)
        assert entry.author_id == clinic.specialist.staff_id
    listed = await store.entries(clinic.doctor, patient_id, NOW)
    assert list(listed) == written[::-1]
    of_lesion = await store.entries(clinic.doctor, patient_id, NOW, lesion_id=lesion.entry_id)
    assert [one.kind for one in of_lesion] == [
        EntryKind.CONDITION,
        EntryKind.MEASUREMENT,
        EntryKind.ANNOTATION,
    ]
    on_picture = await store.entries(
        clinic.doctor, patient_id, NOW, [EntryKind.ANNOTATION], snapshot_id=snapshot_id
    )
    assert [one.entry_id for one in on_picture] == [outline.entry_id]


async def test_a_change_is_a_version_of_its_own(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    tied = Tied(snapshot_id=await snapshot_of(store, clinic))
    drawn = await store.add_entry(clinic.doctor, patient_id, OUTLINE, tied, at(1))
    changed = await store.change_entry(clinic.gp, drawn.entry_id, WIDER, 1, at(2))
    assert (changed.version, changed.content, changed.at) == (2, WIDER, at(1))
    assert (changed.author_id, changed.written_at) == (clinic.referrer.staff_id, at(2))
    first = await store.entry(clinic.doctor, drawn.entry_id, NOW, version=1)
    assert (first.content, first.version, first.latest_version) == (OUTLINE, 1, 2)
    versions = await store.entry_versions(clinic.doctor, drawn.entry_id, NOW)
    assert [one.version for one in versions] == [2, 1]
    assert [one.version for one in await store.entries(clinic.doctor, patient_id, NOW)] == [2]
    with pytest.raises(NotFound):
        await store.entry(clinic.doctor, drawn.entry_id, NOW, version=3)


async def test_a_second_writer_gets_what_is_there_now(store: RecordStore, clinic: Clinic) -> None:
    lesion = await store.add_entry(clinic.doctor, clinic.referral.patient.patient_id, MOLE, Tied(), NOW)
    renamed, excised = replace(MOLE, label="mole A"), replace(MOLE, state=LesionState.EXCISED)
    answers = await asyncio.gather(
        *(store.change_entry(clinic.doctor, lesion.entry_id, one, 1, NOW) for one in (renamed, excised)),
        return_exceptions=True,
    )
    [lost] = [one for one in answers if isinstance(one, EntryChanged)]
    [won] = [one for one in answers if not isinstance(one, BaseException)]
    assert lost.current == won == await store.entry(clinic.doctor, lesion.entry_id, NOW)
    assert isinstance(lost, Conflict)
    again = await store.change_entry(clinic.doctor, lesion.entry_id, excised, 2, NOW)
    assert again.version == 3


async def test_a_version_is_never_edited_in_place(
    store: RecordStore, clinic: Clinic, database_url: str
) -> None:
    await store.add_entry(clinic.doctor, clinic.referral.patient.patient_id, MOLE, Tied(), NOW)
    database = Database(database_url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as conn:
            await conn.execute(text("UPDATE entry_versions SET version = 2"))
    await database.close()


async def test_a_deleted_entry_is_out_of_sight_and_comes_back(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    lesion = await store.add_entry(clinic.doctor, patient_id, MOLE, Tied(), NOW)
    with pytest.raises(EntryChanged):
        await store.delete_entry(clinic.doctor, lesion.entry_id, 2, NOW)
    deleted = await store.delete_entry(clinic.doctor, lesion.entry_id, 1, at(5))
    assert deleted.deleted_at == at(5)
    assert await store.entries(clinic.doctor, patient_id, NOW) == []
    with pytest.raises(NotFound):
        await store.lesion(clinic.doctor, lesion.entry_id, NOW)
    with pytest.raises(EntryChanged) as changed:
        await store.change_entry(clinic.doctor, lesion.entry_id, MOLE, 1, NOW)
    assert changed.value.current.deleted_at == at(5)
    assert (await store.entry(clinic.doctor, lesion.entry_id, NOW)).content == MOLE
    restored = await store.restore_entry(clinic.doctor, lesion.entry_id, NOW)
    assert restored == lesion
    assert await store.restore_entry(clinic.doctor, lesion.entry_id, NOW) == lesion


async def test_pictures_of_a_lesion(store: RecordStore, clinic: Clinic) -> None:
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    first, second = await snapshot_of(store, clinic), await snapshot_of(store, clinic, 1)
    lesion = await store.add_entry(doctor, patient_id, MOLE, Tied(), NOW)
    linked = await store.link_snapshot(doctor, lesion.entry_id, first, NOW)
    assert [one.snapshot_id for one in linked.snapshots] == [first]
    assert await store.link_snapshot(doctor, lesion.entry_id, first, NOW) == linked
    # Drawing a lesion on a picture says that it shows it.
    drawn = await store.add_entry(doctor, patient_id, OUTLINE, Tied(lesion.entry_id, second), NOW)
    both = await store.lesion(doctor, lesion.entry_id, NOW)
    assert {one.snapshot_id for one in both.snapshots} == {first, second}
    with pytest.raises(Conflict):
        await store.unlink_snapshot(doctor, lesion.entry_id, second, NOW)
    await store.delete_entry(doctor, drawn.entry_id, 1, NOW)
    left = await store.unlink_snapshot(doctor, lesion.entry_id, second, NOW)
    assert [one.snapshot_id for one in left.snapshots] == [first]
    with pytest.raises(NotFound):
        await store.link_snapshot(doctor, "nothing", first, NOW)
    with pytest.raises(NotFound):
        await store.link_snapshot(doctor, lesion.entry_id, "nothing", NOW)


async def test_nothing_is_tied_to_another_patient(store: RecordStore, clinic: Clinic) -> None:
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    other = await stranger(store, clinic)
    snapshot_id = await snapshot_of(store, clinic)
    lesion = await store.add_entry(doctor, patient_id, MOLE, Tied(), NOW)
    theirs = await store.add_entry(doctor, other, MOLE, Tied(), NOW)
    outline = await store.add_entry(doctor, patient_id, OUTLINE, Tied(None, snapshot_id), NOW)
    for content, tied in (
        (OUTLINE, Tied(None, snapshot_id)),
        (Note("x"), Tied(lesion.entry_id)),
        (Note("x"), Tied(consultation_id=clinic.consultation.consultation_id)),
        (measured(outline.entry_id), Tied(None, snapshot_id, None, outline.entry_id)),
    ):
        with pytest.raises(InvalidEntry):
            await store.add_entry(doctor, other, content, tied, NOW)
    with pytest.raises(InvalidEntry):
        await store.link_snapshot(doctor, theirs.entry_id, snapshot_id, NOW)


async def test_what_does_not_fit_is_refused_and_leaves_nothing(store: RecordStore, clinic: Clinic) -> None:
    doctor, patient_id = clinic.doctor, clinic.referral.patient.patient_id
    snapshot_id = await snapshot_of(store, clinic)
    lesion = await store.add_entry(doctor, patient_id, MOLE, Tied(), NOW)
    outline = await store.add_entry(doctor, patient_id, OUTLINE, Tied(None, snapshot_id), NOW)
    before = await store.verify_audit()
    outside = replace(OUTLINE, points=((0, 0), (65, 0), (65, 20)))
    paper = Document(DocumentKind.OTHER, "x", "application/pdf", 1, "0")
    tied = Tied(None, snapshot_id, None, outline.entry_id)
    for content, about in (
        (OUTLINE, Tied()),
        (outside, Tied(None, snapshot_id)),
        (measured(outline.entry_id), Tied(None, snapshot_id)),
        (measured(outline.entry_id, 2), tied),
        (measured("another"), tied),
        (measured(outline.entry_id), replace(tied, lesion_id=lesion.entry_id)),
        (Note("x"), tied),
        (paper, Tied()),
    ):
        with pytest.raises(InvalidEntry):
            await store.add_entry(doctor, patient_id, content, about, NOW)
    for missing in (
        Tied("nothing"),
        Tied(None, "nothing"),
        Tied(None, None, "nothing"),
        Tied(outline.entry_id),
    ):
        with pytest.raises(NotFound):
            await store.add_entry(doctor, patient_id, Note("x"), missing, NOW)
    with pytest.raises(NotFound):
        await store.add_entry(doctor, "nobody", Note("x"), Tied(), NOW)
    with pytest.raises(InvalidEntry):
        await store.change_entry(doctor, lesion.entry_id, Note("x"), 1, NOW)
    with pytest.raises(InvalidEntry):
        await store.change_entry(doctor, outline.entry_id, outside, 1, NOW)
    number = await store.add_entry(doctor, patient_id, measured(outline.entry_id), tied, NOW)
    with pytest.raises(InvalidEntry):
        await store.change_entry(doctor, number.entry_id, measured(outline.entry_id), 1, NOW)
    assert await store.verify_audit() == before + 1
    assert len(await store.entries(doctor, patient_id, NOW)) == 3


async def test_care_of_an_entry_is_care_of_its_patient(store: RecordStore, clinic: Clinic) -> None:
    patient_id = clinic.referral.patient.patient_id
    lesion = await store.add_entry(clinic.doctor, patient_id, MOLE, Tied(), NOW)
    assert await store.care_links(CareSubject.ENTRY, lesion.entry_id) == await store.care_links(
        CareSubject.PATIENT, patient_id
    )
    with pytest.raises(NotFound):
        await store.care_links(CareSubject.ENTRY, "nothing")
