"""Store: a patient's record in time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from records.interface import Actor, NotFound, Timeline
from records.rows import load_consultations, load_patients, load_referrals, load_snapshots
from records.schema import consultations, referrals, satisfactions, snapshots
from records.store_words import satisfaction_from
from records.transaction import StoreBase


class TimelineStore(StoreBase):
    """Everything about one patient."""

    async def timeline(self, actor: Actor, patient_id: str, now: datetime) -> Timeline:
        """A patient's record in time, newest first; raises NotFound."""
        async with self._write() as tx:
            people = await load_patients(tx, [patient_id])
            if not people:
                raise NotFound("no such patient")
            keys = await tx.keys_of(patient_id)
            answers = await tx.all(
                select(satisfactions)
                .join(consultations, consultations.c.consultation_id == satisfactions.c.consultation_id)
                .where(consultations.c.patient_id == patient_id)
                .order_by(satisfactions.c.given_at.desc())
            )
            meetings = await load_consultations(tx, consultations.c.patient_id == patient_id)
            found = Timeline(
                patient=people[patient_id],
                referrals=tuple(await load_referrals(tx, referrals.c.patient_id == patient_id)),
                consultations=tuple(reversed(meetings)),
                snapshots=tuple(await load_snapshots(tx, snapshots.c.patient_id == patient_id)),
                satisfactions=tuple(satisfaction_from(row, keys) for row in answers),
            )
            await tx.audit(actor, "timeline.read", f"patient/{patient_id}", now)
        return found
