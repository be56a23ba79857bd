"""What a search finds each thing by, put into the blind index or taken out of it."""

from __future__ import annotations

from sqlalchemy import select

from records.care import Consultation, Referral
from records.clinical import Entry
from records.entry_rows import LATEST, load_entries
from records.history import SubjectKind
from records.people import Patient
from records.rows import load_consultations, load_patients, load_referrals
from records.schema import consultations, entries, patients, referrals
from records.search_terms import Findable, findable
from records.transaction import Tx

_AT_ONCE = 500


def findable_of(value: Patient | Referral | Consultation | Entry) -> Findable | None:
    """What something is found by."""
    match value:
        case Patient():
            return Findable(names=(value.name,))
        case Referral():
            return Findable((value.question,))
        case Consultation():
            return Findable((value.note,)) if value.note.strip() else None
        case Entry():
            return findable(value.content)


async def index_patient(tx: Tx, patient: Patient) -> None:
    """Let a search find a patient by name."""
    what = Findable(names=(patient.name,))
    await tx.index(SubjectKind.PATIENT, patient.patient_id, patient.patient_id, patient.created_at, what)


async def index_referral(tx: Tx, referral: Referral) -> None:
    """Let a search find a referral by its question."""
    patient_id, what = referral.patient.patient_id, Findable((referral.question,))
    await tx.index(SubjectKind.REFERRAL, referral.referral_id, patient_id, referral.created_at, what)


async def index_consultation(tx: Tx, consultation: Consultation) -> None:
    """Let a search find a consultation by its note of now."""
    consultation_id, patient_id = consultation.consultation_id, consultation.patient.patient_id
    what = findable_of(consultation)
    if what is None:
        await tx.unindex(patient_id, consultation_id)
    else:
        at = consultation.scheduled_at
        await tx.index(SubjectKind.CONSULTATION, consultation_id, patient_id, at, what)


async def index_entry(tx: Tx, entry: Entry) -> None:
    """Let a search find an entry by its content of now, unless it was deleted."""
    what = None if entry.deleted_at is not None else findable(entry.content)
    if what is None:
        await tx.unindex(entry.patient_id, entry.entry_id)
    else:
        await tx.index(SubjectKind.ENTRY, entry.entry_id, entry.patient_id, entry.at, what)


async def index_everything(tx: Tx) -> None:
    """Put everything that can be found into an empty index."""
    after = ""
    while True:
        some = select(patients.c.patient_id).where(patients.c.patient_id > after)
        rows = await tx.all(some.order_by(patients.c.patient_id).limit(_AT_ONCE))
        if not rows:
            return
        ids = [row["patient_id"] for row in rows]
        after = ids[-1]
        for person in (await load_patients(tx, ids)).values():
            await index_patient(tx, person)
        for referral in await load_referrals(tx, referrals.c.patient_id.in_(ids)):
            await index_referral(tx, referral)
        for consultation in await load_consultations(tx, consultations.c.patient_id.in_(ids)):
            await index_consultation(tx, consultation)
        standing = (entries.c.patient_id.in_(ids), entries.c.deleted_at.is_(None), LATEST)
        for entry in await load_entries(tx, *standing):
            await index_entry(tx, entry)
