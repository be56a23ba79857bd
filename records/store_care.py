"""Store: who cares for whom, by ids and states alone: read to decide on access, so without an audit line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from records.interface import AgendaEntry, CareLink, CareSubject, ConsultationLink, NotFound, Phase
from records.schema import consultations, entries, participants, referrals, snapshots
from records.store_consultations import LISTED_AFTER_END
from records.transaction import StoreBase, Tx


class CareStore(StoreBase):
    """Nothing here opens a seal: what it answers tells nobody who a patient is, nor what they have."""

    async def care_links(self, subject: CareSubject, subject_id: str) -> Sequence[CareLink]:
        """Referrals that tie people to a subject, newest first; raises NotFound."""
        async with self._read() as tx:
            rows = await tx.all(
                select(
                    referrals.c.referral_id,
                    referrals.c.patient_id,
                    referrals.c.site_id,
                    referrals.c.state,
                    consultations.c.consultation_id,
                    consultations.c.specialist_id,
                    consultations.c.phase,
                )
                .outerjoin(consultations, consultations.c.referral_id == referrals.c.referral_id)
                .where(await _about(tx, subject, subject_id))
                .order_by(referrals.c.created_at.desc(), referrals.c.referral_id.desc())
            )
        if not rows:
            raise NotFound(f"no such {subject.value}")
        return [_link_from(row) for row in rows]

    async def agenda(self, specialist_id: str, now: datetime) -> Sequence[AgendaEntry]:
        """The consultations that `consultations_of` lists, by their times, earliest scheduled first."""
        first_wait = (
            select(func.min(participants.c.waiting_since))
            .where(participants.c.consultation_id == consultations.c.consultation_id)
            .scalar_subquery()
        )
        async with self._read() as tx:
            rows = await tx.all(
                select(
                    consultations.c.consultation_id,
                    consultations.c.phase,
                    consultations.c.scheduled_at,
                    consultations.c.started_at,
                    consultations.c.ended_at,
                    first_wait.label("waiting_since"),
                )
                .where(
                    consultations.c.specialist_id == specialist_id,
                    or_(
                        consultations.c.phase != Phase.ENDED,
                        consultations.c.ended_at > now - LISTED_AFTER_END,
                    ),
                )
                .order_by(consultations.c.scheduled_at, consultations.c.consultation_id)
            )
        return [AgendaEntry(**row) for row in rows]


_COLUMNS: dict[CareSubject, ColumnElement[str]] = {
    CareSubject.PATIENT: referrals.c.patient_id,
    CareSubject.REFERRAL: referrals.c.referral_id,
    CareSubject.CONSULTATION: consultations.c.consultation_id,
}


async def _about(tx: Tx, subject: CareSubject, subject_id: str) -> ColumnElement[bool]:
    if subject is CareSubject.ENTRY:
        whose = select(entries.c.patient_id).where(entries.c.entry_id == subject_id)
        subject, subject_id = CareSubject.PATIENT, str((await tx.one(whose, "entry"))["patient_id"])
    if subject is CareSubject.SNAPSHOT:
        belongs = select(snapshots.c.consultation_id, snapshots.c.referral_id)
        row = await tx.one(belongs.where(snapshots.c.snapshot_id == subject_id), "snapshot")
        if row["consultation_id"] is not None:
            subject, subject_id = CareSubject.CONSULTATION, str(row["consultation_id"])
        else:
            subject, subject_id = CareSubject.REFERRAL, str(row["referral_id"])
    return _COLUMNS[subject] == subject_id


def _link_from(row: RowMapping) -> CareLink:
    consultation = None
    if row["consultation_id"] is not None:
        consultation = ConsultationLink(row["consultation_id"], row["specialist_id"], row["phase"])
    return CareLink(row["referral_id"], row["patient_id"], row["site_id"], row["state"], consultation)
