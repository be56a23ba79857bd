"""Store: consultations, their phase and their note."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update

from records.indexing import index_consultation
from records.interface import Actor, Conflict, Consultation, Gamut, NotFound, Phase
from records.lifecycle import REFERRAL_AT, check_phase
from records.rows import load_consultations
from records.schema import consultations, display_checks, referrals, staff
from records.transaction import StoreBase, Tx

LISTED_AFTER_END = timedelta(days=1)


class ConsultationStore(StoreBase):
    """One video consultation from its appointment to its note."""

    async def consultation(self, actor: Actor, consultation_id: str, now: datetime) -> Consultation:
        """One consultation; raises NotFound."""
        async with self._write() as tx:
            found = await _consultation(tx, consultation_id)
            await tx.audit(actor, "consultation.read", f"consultation/{consultation_id}", now)
        return found

    async def consultations_of(
        self, actor: Actor, specialist_id: str, now: datetime
    ) -> Sequence[Consultation]:
        """Consultations of a specialist that have not ended, and those that ended within a day."""
        async with self._write() as tx:
            found = await load_consultations(
                tx,
                consultations.c.specialist_id == specialist_id,
                or_(
                    consultations.c.phase != Phase.ENDED,
                    consultations.c.ended_at > now - LISTED_AFTER_END,
                ),
            )
            await tx.audit(actor, "consultation.list", f"staff/{specialist_id}/consultations", now)
        return found

    async def set_phase(
        self, actor: Actor, consultation_id: str, phase: Phase, now: datetime
    ) -> Consultation:
        """Enter a phase, the referral following; idempotent; raises Conflict for a step back."""
        chosen = consultations.c.consultation_id == consultation_id
        async with self._write() as tx:
            row = await tx.one(
                select(consultations).where(chosen).with_for_update(key_share=True), "consultation"
            )
            check_phase(row["phase"], phase)
            if phase is not row["phase"]:
                times = {"started_at": now} if phase is Phase.IN_CALL else {"ended_at": now}
                await tx.change(update(consultations).where(chosen).values(phase=phase, **times))
                await tx.change(
                    update(referrals)
                    .where(referrals.c.referral_id == row["referral_id"])
                    .values(state=REFERRAL_AT[phase])
                )
            found = await _consultation(tx, consultation_id)
            await tx.audit(actor, f"consultation.{phase.value}", f"consultation/{consultation_id}", now)
        return found

    async def write_note(
        self, actor: Actor, consultation_id: str, text: str, expected_version: int, now: datetime
    ) -> Consultation:
        """Replace the note that was read as `expected_version`; raises Conflict if it is another by now."""
        chosen = consultations.c.consultation_id == consultation_id
        async with self._write() as tx:
            row = await tx.one(select(consultations.c.patient_id).where(chosen), "consultation")
            keys = await tx.keys_of(row["patient_id"])
            written = await tx.change(
                update(consultations)
                .where(chosen, consultations.c.note_version == expected_version)
                .values(
                    note=keys.seal("consultations", "note", consultation_id, text),
                    note_version=expected_version + 1,
                )
            )
            if written != 1:
                raise Conflict("the note was changed meanwhile")
            found = await _consultation(tx, consultation_id)
            await index_consultation(tx, found)
            await tx.audit(actor, "note.write", f"consultation/{consultation_id}", now)
        return found

    async def add_display_check(
        self,
        actor: Actor,
        consultation_id: str,
        gamut: Gamut,
        steps_apart: bool,
        checked_at: datetime,
        now: datetime,
    ) -> Consultation:
        """Keep what the actor found of their display; NotFound for the consultation or the account."""
        async with self._write() as tx:
            await _consultation(tx, consultation_id)
            await tx.one(select(staff.c.staff_id).where(staff.c.staff_id == actor.actor_id), "account")
            await tx.change(
                insert(display_checks).values(
                    consultation_id=consultation_id,
                    staff_id=actor.actor_id,
                    gamut=gamut,
                    steps_apart=steps_apart,
                    checked_at=checked_at,
                )
            )
            found = await _consultation(tx, consultation_id)
            await tx.audit(actor, "display.check", f"consultation/{consultation_id}", now)
        return found


async def _consultation(tx: Tx, consultation_id: str) -> Consultation:
    found = await load_consultations(tx, consultations.c.consultation_id == consultation_id)
    if not found:
        raise NotFound("no such consultation")
    return found[0]
