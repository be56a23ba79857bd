"""At rest: a stolen database and a stolen disk reveal no person, and open only under the master key."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from records.body_map import Laterality
from records.clinical import (
    Annotation,
    Condition,
    DocumentKind,
    Form,
    Lesion,
    Medication,
    Note,
    Section,
    Tied,
)
from records.engine import Database
from records.interface import Admission, NewPatient, RecordsConfig, Role, Urgency, Variant, WrongMasterKey
from records.schema import metadata
from records.store import RecordStore
from tests.records.test_documents import PDF
from tests.support.record import NOW, Clinic, OpenStore, files_under, jpeg

SECRETS = {
    "name": "Zebediah Quillfeather",
    "birth date": "1931-07-19",
    "email": "zebediah@quill.example",
    "question": "amelanotic something",
    "decline": "refer to plastics",
    "note": "excise with margin",
    "chat": "it itches at night",
    "words": "please use the other door",
    "interpreter": "Ignatia Polyglott",
    "satisfaction": "could hardly hear",
    "device": "Kleinbildkamera 77",
    "setting": "exotic-lens-setting",
    "lesion": "suspicious mole",
    "site": "back_of_foot",
    "annotation": "blue-white veil",
    "condition": "lentigo maligna",
    "code": "D03.7",
    "medication": "imiquimod",
    "clinical note": "grandmother had one",
    "section": "widen the margin",
    "document": "Histology of Zebediah",
    "report": "Breslow thickness",
}


async def _fill(store: RecordStore, clinic: Clinic) -> str:
    s = SECRETS
    patient = NewPatient(s["name"], date.fromisoformat(s["birth date"]), "male", "en", s["email"])
    gp, doctor = clinic.gp, clinic.doctor
    first = await store.create_referral(gp, clinic.site.site_id, patient, s["question"], Urgency.SOON, NOW)
    await store.decline_referral(doctor, first.referral_id, s["decline"], NOW)
    consultation_id = clinic.consultation.consultation_id
    await store.write_note(doctor, consultation_id, s["note"], 0, NOW)
    interpreter = await store.add_participant(
        doctor, consultation_id, Role.INTERPRETER, s["interpreter"], None, Admission.WAITING, NOW
    )
    await store.set_admission(doctor, interpreter.participant_id, Admission.REFUSED, s["words"], NOW)
    await store.add_chat_line(clinic.person, clinic.patient.participant_id, s["chat"], NOW)
    await store.give_satisfaction(clinic.person, clinic.patient.participant_id, 2, s["satisfaction"], NOW)
    await _write(store, clinic)
    new = replace(clinic.still(jpeg()), device=s["device"], settings={"lens": s["setting"]})
    upload = await store.open_upload(new, NOW)
    await store.append_upload(upload.upload_id, 0, jpeg()[:200], NOW)
    return (await store.add_snapshot(clinic.person, new, jpeg(), NOW)).snapshot_id


async def _write(store: RecordStore, clinic: Clinic) -> None:
    """Something of every kind that a clinician writes."""
    s, doctor, patient_id = SECRETS, clinic.doctor, clinic.referral.patient.patient_id
    picture = (await store.add_snapshot(clinic.person, clinic.still(jpeg(5)), jpeg(5), NOW)).snapshot_id
    lesion = Lesion(s["lesion"], s["site"], Laterality.LEFT)
    tied = Tied((await store.add_entry(doctor, patient_id, lesion, Tied(), NOW)).entry_id, picture)
    for content in (
        Annotation(Form.TEXT, ((3, 4),), s["annotation"]),
        Condition(s["condition"], "icd-10", s["code"]),
        Medication(s["medication"]),
        Note(s["clinical note"], {Section.PLAN: s["section"]}),
    ):
        await store.add_entry(doctor, patient_id, content, tied, NOW)
    report = PDF.replace(b"/Catalog", b"/Catalog/T(" + s["report"].encode() + b")")
    await store.add_document(
        doctor, patient_id, DocumentKind.PATHOLOGY, s["document"], report, Tied(), None, NOW
    )


async def test_no_row_and_no_file_holds_patients_words(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    await _fill(store, clinic)
    database = Database(settings.database_url)
    stored = b""
    async with database.read() as conn:
        for table in metadata.sorted_tables:
            for row in await conn.execute(select(table)):
                stored += b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    await database.close()
    await store.close()
    for path in files_under(settings.blob_dir):
        stored += path.read_bytes() + str(path).encode()
    if settings.database_url.startswith("sqlite"):
        for path in files_under(
            settings.database_url.removeprefix("sqlite+aiosqlite:///").rpartition("/")[0]
        ):
            stored += path.read_bytes()
    assert b"skin@example.org" in stored  # a staff account stays readable: the search itself works
    for what, secret in SECRETS.items():
        assert secret.encode() not in stored, what
    still = clinic.still(jpeg())
    assert still.sha256 is not None
    assert still.sha256.encode() not in stored
    assert jpeg()[:64] not in stored


async def test_the_record_opens_only_under_its_master_key(
    open_store: OpenStore, store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    snapshot_id = await _fill(store, clinic)
    await store.close()
    with pytest.raises(WrongMasterKey):
        await open_store(replace(settings, master_key=bytes(32)))
    with pytest.raises(WrongMasterKey):
        await open_store(replace(settings, master_key=b"short"))
    again = await open_store()
    consultation = await again.consultation(clinic.doctor, clinic.consultation.consultation_id, NOW)
    assert consultation.note == SECRETS["note"]
    data, _ = await again.snapshot_bytes(clinic.doctor, snapshot_id, Variant.ORIGINAL, NOW)
    assert data == jpeg()
    assert await again.verify_audit() > 0


def test_settings_never_show_the_master_key(settings: RecordsConfig) -> None:
    assert settings.master_key.hex() not in repr(settings)
    assert repr(settings.master_key) not in repr(settings)


async def test_only_the_owner_may_read_the_files(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    await _fill(store, clinic)
    for path in files_under(settings.blob_dir):
        assert path.stat().st_mode & 0o077 == 0
    if settings.database_url.startswith("sqlite"):
        for path in files_under(
            settings.database_url.removeprefix("sqlite+aiosqlite:///").rpartition("/")[0]
        ):
            assert path.stat().st_mode & 0o077 == 0, path
