"""The audit in the database: complete, append-only, and tampering is found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from records.body_map import Laterality
from records.clinical import DocumentKind, Lesion, Note, Tied
from records.engine import Database
from records.history import CareScope, SearchQuery
from records.interface import (
    Actor,
    Admission,
    Conflict,
    ConsentGiven,
    Phase,
    Role,
    SealBroken,
    Urgency,
    Variant,
)
from records.schema import audit
from records.store import RecordStore
from tests.records.test_documents import PDF
from tests.support.record import NAME, NOW, PATIENT, QUESTION, Clinic, OpenStore, at, jpeg

GUARDS = {
    True: ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
    False: ["DROP TRIGGER audit_append_only ON audit"],
}


async def _tamper(database_url: str, *statements: str) -> None:
    database = Database(database_url)
    try:
        async with database.write() as conn:
            for statement in statements:
                await conn.execute(text(statement))
    finally:
        await database.close()


async def _tamper_unguarded(database_url: str, statement: str) -> None:
    await _tamper(database_url, *GUARDS[database_url.startswith("sqlite")], statement)


async def test_every_method_with_an_actor_writes_one_line(store: RecordStore, clinic: Clinic) -> None:
    doctor, gp, person = clinic.doctor, clinic.gp, clinic.person
    consultation_id, participant_id = clinic.consultation.consultation_id, clinic.patient.participant_id
    snapshot = await store.add_snapshot(person, clinic.still(jpeg()), jpeg(), NOW)
    upload = await store.open_upload(clinic.still(jpeg(1)), NOW)
    await store.append_upload(upload.upload_id, 0, jpeg(1), NOW)
    consent = ConsentGiven("1", "zh", "00" * 32, ("care",), NOW)
    sent = await store.create_referral(gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    patient_id, note = clinic.referral.patient.patient_id, Note("x")
    mole = Lesion("mole", "nose", Laterality.NONE)
    lesion_id = (await store.add_entry(doctor, patient_id, mole, Tied(), NOW)).entry_id
    scope, title = CareScope(clinic.specialist.staff_id), "report"
    paper = await store.add_document(doctor, patient_id, DocumentKind.OTHER, title, PDF, Tied(), None, NOW)
    calls = [
        (store.add_entry(doctor, patient_id, note, Tied(), NOW), "note.create"),
        (store.entry(doctor, lesion_id, NOW), "lesion.read"),
        (store.entry_versions(doctor, lesion_id, NOW), "lesion.versions"),
        (store.entries(doctor, patient_id, NOW), "entry.list"),
        (store.change_entry(doctor, lesion_id, mole, 1, NOW), "lesion.change"),
        (store.lesion(doctor, lesion_id, NOW), "lesion.read"),
        (store.link_snapshot(doctor, lesion_id, snapshot.snapshot_id, NOW), "lesion.link"),
        (store.unlink_snapshot(doctor, lesion_id, snapshot.snapshot_id, NOW), "lesion.unlink"),
        (store.delete_entry(doctor, lesion_id, 2, NOW), "lesion.delete"),
        (store.restore_entry(doctor, lesion_id, NOW), "lesion.restore"),
        (
            store.add_document(doctor, patient_id, DocumentKind.OTHER, title, PDF, Tied(), None, NOW),
            "document.create",
        ),
        (store.document_bytes(doctor, paper.entry_id, NOW), "document.view"),
        (store.history(doctor, patient_id, NOW), "history.read"),
        (store.search(doctor, scope, SearchQuery("mole"), NOW), "search"),
        (store.past_retention(doctor, NOW), "retention.list"),
        (store.create_referral(gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW), "referral.create"),
        (store.referral(gp, clinic.referral.referral_id, NOW), "referral.read"),
        (store.referrals(gp, NOW), "referral.list"),
        (store.decline_referral(doctor, sent.referral_id, "no", NOW), "referral.decline"),
        (store.consultation(doctor, consultation_id, NOW), "consultation.read"),
        (store.consultations_of(doctor, clinic.specialist.staff_id, NOW), "consultation.list"),
        (store.set_admission(doctor, participant_id, Admission.WAITING, None, NOW), "participant.waiting"),
        (store.give_consent(person, participant_id, consent, NOW), "consent.give"),
        (store.add_chat_line(person, participant_id, "hello", NOW), "chat.write"),
        (store.chat_lines(doctor, consultation_id, NOW), "chat.read"),
        (store.commit_upload(person, upload.upload_id, NOW), "snapshot.create"),
        (store.commit_upload(person, upload.upload_id, NOW), "snapshot.read"),
        (
            store.add_derived(doctor, snapshot.snapshot_id, Variant.DISPLAY, jpeg(2), None, "s", NOW),
            "snapshot.derive.display",
        ),
        (store.snapshot(doctor, snapshot.snapshot_id, NOW), "snapshot.read"),
        (store.snapshots_of_consultation(doctor, consultation_id, NOW), "snapshot.list"),
        (store.snapshot_bytes(doctor, snapshot.snapshot_id, Variant.DISPLAY, NOW), "snapshot.view.display"),
        (store.timeline(doctor, clinic.referral.patient.patient_id, NOW), "timeline.read"),
        (store.accesses(person, clinic.referral.patient.patient_id, 9, NOW), "access.read"),
        (store.write_note(doctor, consultation_id, "note", 0, NOW), "note.write"),
        (store.set_phase(doctor, consultation_id, Phase.ENDED, NOW), "consultation.ended"),
        (store.give_satisfaction(person, participant_id, 5, "", NOW), "satisfaction.give"),
    ]
    for call, action in calls:
        before = await store.verify_audit()
        await call
        events = await store.audit_events(limit=2)
        assert await store.verify_audit() == before + 1, action
        assert events[-1].action == action
        assert events[-1].sequence == before + 1


async def test_a_line_says_who_what_when_and_why_and_names_nobody(store: RecordStore, clinic: Clinic) -> None:
    await store.write_note(clinic.doctor, clinic.consultation.consultation_id, "melanoma?", 0, at(5))
    events = await store.audit_events()
    last = events[-1]
    assert (last.at, last.actor_id, last.role) == (at(5), clinic.specialist.staff_id, clinic.doctor.role)
    assert last.resource == last.reason == f"consultation/{clinic.consultation.consultation_id}"
    for secret in (NAME, QUESTION, "melanoma", "example.org", "1980"):
        assert all(secret not in repr(event) for event in events)


async def test_the_latest_lines_come_oldest_first(store: RecordStore, clinic: Clinic) -> None:
    everything = await store.audit_events()
    assert [event.sequence for event in everything] == list(range(1, len(everything) + 1))
    assert await store.audit_events(limit=2) == everything[-2:]


async def test_what_fails_leaves_no_line(store: RecordStore, clinic: Clinic) -> None:
    before = await store.verify_audit()
    with pytest.raises(Conflict):
        await store.write_note(clinic.doctor, clinic.consultation.consultation_id, "x", 9, NOW)
    assert await store.verify_audit() == before


async def test_lines_written_at_once_make_one_chain(store: RecordStore, clinic: Clinic) -> None:
    before = await store.verify_audit()
    await asyncio.gather(*(store.referral(clinic.gp, clinic.referral.referral_id, at(n)) for n in range(40)))
    assert await store.verify_audit() == before + 40


async def test_two_stores_write_one_chain(open_store: OpenStore, store: RecordStore, clinic: Clinic) -> None:
    other = await open_store()
    before = await store.verify_audit()
    await asyncio.gather(
        *(
            one.referral(clinic.gp, clinic.referral.referral_id, at(n))
            for n in range(20)
            for one in (store, other)
        )
    )
    assert await other.verify_audit() == before + 40


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize("table", ["audit", "consents"])
async def test_the_database_refuses_changes(
    store: RecordStore, clinic: Clinic, database_url: str, table: str
) -> None:
    consent = ConsentGiven("1", "zh", "00" * 32, ("care",), NOW)
    await store.give_consent(clinic.person, clinic.patient.participant_id, consent, NOW)
    changes = [f"DELETE FROM {table}", f"UPDATE {table} SET sequence = sequence + 100"]
    if database_url.startswith("postgresql"):
        changes.append(f"TRUNCATE {table}")
    for change in changes:
        with pytest.raises(DBAPIError, match="append-only"):
            await _tamper(database_url, change)
    await store.verify_audit()


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor_id = 'nobody' WHERE sequence = 2",
        "UPDATE audit SET resource = resource || 'x' WHERE sequence = 1",
        "UPDATE audit SET role = 'pirate' WHERE sequence = 2",
        "UPDATE audit SET hash = substr(hash, 2) || substr(hash, 1, 1) WHERE sequence = 3",
        "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = (SELECT max(sequence) FROM audit)",
        "DELETE FROM audit",
        "UPDATE audit SET sequence = -1 WHERE sequence = 1",
        "INSERT INTO audit SELECT 0, at, actor_id, role, action, resource, reason, hash, origin FROM audit "
        "WHERE sequence = 1",
        "INSERT INTO audit SELECT 99, at, actor_id, role, action, resource, reason, hash, origin FROM audit "
        "WHERE sequence = 1",
        "UPDATE audit_head SET sequence = sequence - 1",
        "UPDATE audit_head SET mac = hash",
    ],
)
async def test_tampering_is_found(store: RecordStore, database_url: str, change: str) -> None:
    await store.verify_audit()
    await _tamper_unguarded(database_url, change)
    with pytest.raises(Conflict):
        await store.verify_audit()


async def test_a_flipped_bit_in_any_cell_is_found_where_it_is(
    store: RecordStore, clinic: Clinic, database_url: str
) -> None:
    """Every column of every line; the row goes back as it was after each."""
    await store.write_note(_from(clinic.doctor), clinic.consultation.consultation_id, "x", 0, at(5))
    await store.verify_audit()
    await _tamper(database_url, *GUARDS[database_url.startswith("sqlite")])
    database = Database(database_url)
    async with database.read() as conn:
        rows = [dict(row) for row in (await conn.execute(select(audit))).mappings()]
    assert rows[-1]["origin"] is not None
    for row in rows:
        for column, value in row.items():
            if column == "sequence" or value is None:
                continue
            here = audit.c.sequence == row["sequence"]
            async with database.write() as conn:
                await conn.execute(update(audit).where(here).values({column: _flipped(value)}))
            with pytest.raises(Conflict, match=f"line {row['sequence']}$|lines after {row['sequence'] - 1}$"):
                await store.verify_audit()
            async with database.write() as conn:
                await conn.execute(update(audit).where(here).values({column: value}))
    await database.close()
    assert await store.verify_audit() == len(rows)


def _from(actor: Actor, address: str = "2001:db8::7") -> Actor:
    return replace(actor, origin=address)


def _flipped(value: object) -> object:
    """A value with one bit flipped; of a role, another role."""
    if isinstance(value, Role):
        return Role.INTERPRETER
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    assert isinstance(value, str)
    return chr(ord(value[0]) ^ 1) + value[1:]


async def test_a_line_says_from_where_and_only_who_has_the_key_reads_it(
    open_store: OpenStore, store: RecordStore, clinic: Clinic, database_url: str
) -> None:
    address = "198.51.100.77"
    await store.referral(_from(clinic.gp, address), clinic.referral.referral_id, NOW)
    await store.referral(clinic.gp, clinic.referral.referral_id, NOW)
    events = await store.audit_events(limit=2)
    assert await store.origins(events) == [address, ""]
    assert address not in repr(events)
    assert address not in repr(_from(clinic.gp, address))
    database = Database(database_url)
    async with database.read() as conn:
        sealed = (await conn.execute(select(audit.c.origin))).scalars().all()
    await database.close()
    assert all(address.encode() not in one for one in sealed if one is not None)
    await store.close()
    again = await open_store()
    assert (await again.origins(await again.audit_events(limit=2)))[0] == address
    # Moved to another line it does not open.
    with pytest.raises(SealBroken):
        await again.origins([replace(events[1], sealed_origin=events[0].sealed_origin)])


@pytest.mark.usefixtures("clinic")
async def test_a_record_whose_audit_was_wiped_does_not_open(
    open_store: OpenStore, store: RecordStore, database_url: str
) -> None:
    await store.close()
    await _tamper_unguarded(database_url, "DELETE FROM audit")
    await _tamper(database_url, "DELETE FROM audit_head")
    with pytest.raises(SealBroken):
        await open_store()


async def test_an_empty_audit_verifies(store: RecordStore) -> None:
    assert await store.verify_audit() == 0
    assert await store.audit_events() == []
