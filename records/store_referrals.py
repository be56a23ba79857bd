"""Store: patients and the referrals that bring them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from records.ids import new_id
from records.indexing import index_patient, index_referral
from records.interface import (
    Actor,
    Conflict,
    Consultation,
    NewPatient,
    NotFound,
    Phase,
    Referral,
    ReferralState,
    Urgency,
)
from records.keys import PatientKeys
from records.rows import load_consultations, load_referrals
from records.schema import consultations, patient_keys, patients, referrals, sites, staff
from records.transaction import StoreBase, Tx


class ReferralStore(StoreBase):
    """Questions from primary care, and what became of them."""

    async def create_referral(
        self, actor: Actor, site_id: str, patient: NewPatient, question: str, urgency: Urgency, now: datetime
    ) -> Referral:
        """A new patient with a new data key, and the question about them; raises NotFound for the site."""
        referral_id = new_id(now)
        async with self._write() as tx:
            await tx.one(select(sites.c.site_id).where(sites.c.site_id == site_id), "site")
            keys = await _add_patient(tx, patient, now)
            await tx.change(
                insert(referrals).values(
                    referral_id=referral_id,
                    patient_id=keys.patient_id,
                    referrer_id=actor.actor_id,
                    site_id=site_id,
                    question=keys.seal("referrals", "question", referral_id, question),
                    urgency=urgency,
                    state=ReferralState.SENT,
                    created_at=now,
                )
            )
            created = await _referral(tx, referral_id)
            await index_patient(tx, created.patient)
            await index_referral(tx, created)
            await tx.audit(actor, "referral.create", f"referral/{referral_id}", now)
        return created

    async def referral(self, actor: Actor, referral_id: str, now: datetime) -> Referral:
        """One referral; raises NotFound."""
        async with self._write() as tx:
            found = await _referral(tx, referral_id)
            await tx.audit(actor, "referral.read", f"referral/{referral_id}", now)
        return found

    async def referrals(
        self, actor: Actor, now: datetime, site_id: str | None = None, states: Sequence[ReferralState] = ()
    ) -> Sequence[Referral]:
        """Referrals of a site or of all, in some states or in any, newest first."""
        where = []
        if site_id is not None:
            where.append(referrals.c.site_id == site_id)
        if states:
            where.append(referrals.c.state.in_(list(states)))
        async with self._write() as tx:
            found = await load_referrals(tx, *where)
            resource = "referrals" if site_id is None else f"site/{site_id}/referrals"
            await tx.audit(actor, "referral.list", resource, now)
        return found

    async def decline_referral(self, actor: Actor, referral_id: str, reason: str, now: datetime) -> Referral:
        """Refuse a referral with words; raises Conflict unless it was still open."""
        async with self._write() as tx:
            keys = await tx.keys_of((await _take_open(tx, referral_id)).patient.patient_id)
            sealed = keys.seal("referrals", "decline_reason", referral_id, reason)
            await _leave_sent(tx, referral_id, state=ReferralState.DECLINED, decline_reason=sealed)
            declined = await _referral(tx, referral_id)
            await tx.audit(actor, "referral.decline", f"referral/{referral_id}", now)
        return declined

    async def accept_referral(
        self, actor: Actor, referral_id: str, specialist_id: str, scheduled_at: datetime, now: datetime
    ) -> Consultation:
        """Accept and schedule; raises Conflict unless it was still open, NotFound for the specialist."""
        consultation_id = new_id(now)
        async with self._write() as tx:
            referral = await _take_open(tx, referral_id)
            await tx.one(select(staff.c.staff_id).where(staff.c.staff_id == specialist_id), "account")
            await _leave_sent(tx, referral_id, state=ReferralState.ACCEPTED)
            keys = await tx.keys_of(referral.patient.patient_id)
            await tx.change(
                insert(consultations).values(
                    consultation_id=consultation_id,
                    referral_id=referral_id,
                    patient_id=keys.patient_id,
                    specialist_id=specialist_id,
                    scheduled_at=scheduled_at,
                    phase=Phase.SCHEDULED,
                    note=keys.seal("consultations", "note", consultation_id, ""),
                    note_version=0,
                )
            )
            made = await load_consultations(tx, consultations.c.consultation_id == consultation_id)
            await tx.audit(actor, "referral.accept", f"referral/{referral_id}", now)
        return made[0]


async def _add_patient(tx: Tx, patient: NewPatient, now: datetime) -> PatientKeys:
    patient_id = new_id(now)
    keys, key_row = tx.create_keys(patient_id, new_id(now))

    def seal(column: str, words: str | None) -> bytes | None:
        return None if words is None else keys.seal("patients", column, patient_id, words)

    await tx.change(
        insert(patients).values(
            patient_id=patient_id,
            name=seal("name", patient.name),
            birth_date=seal("birth_date", patient.birth_date.isoformat() if patient.birth_date else None),
            sex=patient.sex,
            language=patient.language,
            email=seal("email", patient.email),
            created_at=now,
        )
    )
    await tx.change(insert(patient_keys).values(**key_row))
    return keys


async def _referral(tx: Tx, referral_id: str) -> Referral:
    found = await load_referrals(tx, referrals.c.referral_id == referral_id)
    if not found:
        raise NotFound("no such referral")
    return found[0]


async def _take_open(tx: Tx, referral_id: str) -> Referral:
    found = await _referral(tx, referral_id)
    if found.state is not ReferralState.SENT:
        raise Conflict(f"the referral is {found.state.value} already")
    return found


async def _leave_sent(tx: Tx, referral_id: str, **values: object) -> None:
    still_open = (referrals.c.referral_id == referral_id) & (referrals.c.state == ReferralState.SENT)
    if await tx.change(update(referrals).where(still_open).values(**values)) != 1:
        raise Conflict("somebody else answered the referral first")
