"""Store: who takes part in a consultation, their links and consents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from records.ids import new_id
from records.interface import (
    Actor,
    Admission,
    Conflict,
    ConsentGiven,
    NotFound,
    Participant,
    Phase,
    Role,
)
from records.keys import PatientKeys
from records.lifecycle import check_admission, waiting_since
from records.schema import consents, consultations, participants, satisfactions, staff, stays
from records.transaction import StoreBase, Tx


class ParticipantStore(StoreBase):
    """The people of a consultation."""

    async def add_participant(
        self,
        actor: Actor,
        consultation_id: str,
        role: Role,
        name: str,
        staff_id: str | None,
        admission: Admission,
        now: datetime,
    ) -> Participant:
        """Give a person a place; raises NotFound, and Conflict for a second patient or the same staff."""
        participant_id = new_id(now)
        try:
            async with self._write() as tx:
                consultation = await tx.one(
                    select(consultations.c.patient_id, consultations.c.phase).where(
                        consultations.c.consultation_id == consultation_id
                    ),
                    "consultation",
                )
                if consultation["phase"] is Phase.ENDED:
                    raise Conflict("the consultation is over")
                if staff_id is not None:
                    await tx.one(select(staff.c.staff_id).where(staff.c.staff_id == staff_id), "account")
                keys = await tx.keys_of(consultation["patient_id"])
                await tx.change(
                    insert(participants).values(
                        participant_id=participant_id,
                        consultation_id=consultation_id,
                        role=role,
                        name=keys.seal("participants", "name", participant_id, name),
                        staff_id=staff_id,
                        admission=admission,
                        waiting_since=waiting_since(None, admission, now),
                        created_at=now,
                    )
                )
                if admission is Admission.ADMITTED:
                    await _come_in(tx, participant_id, now)
                added = await _participant(tx, participant_id)
                await tx.audit(actor, "participant.add", f"participant/{participant_id}", now)
        except IntegrityError:
            raise Conflict("this person has a place in the consultation already") from None
        return added

    async def participants(self, consultation_id: str) -> Sequence[Participant]:
        """Everybody with a place in a consultation, in the order of coming."""
        async with self._read() as tx:
            return await _load(tx, participants.c.consultation_id == consultation_id)

    async def participant(self, participant_id: str) -> Participant | None:
        """One participant, if there is one."""
        async with self._read() as tx:
            found = await _load(tx, participants.c.participant_id == participant_id)
        return found[0] if found else None

    async def set_admission(
        self, actor: Actor, participant_id: str, admission: Admission, words: str | None, now: datetime
    ) -> Participant:
        """Move a participant at the door; idempotent; raises Conflict for a step that nobody takes."""
        chosen = participants.c.participant_id == participant_id
        async with self._write() as tx:
            row = await tx.one(
                select(participants, consultations.c.phase, consultations.c.patient_id)
                .join(consultations, consultations.c.consultation_id == participants.c.consultation_id)
                .where(chosen)
                .with_for_update(of=participants, key_share=True),
                "participant",
            )
            check_admission(row["admission"], admission, row["phase"])
            keys = await tx.keys_of(row["patient_id"])
            await tx.change(
                update(participants)
                .where(chosen)
                .values(
                    admission=admission,
                    waiting_since=waiting_since(row["waiting_since"], admission, now),
                    words=None
                    if words is None
                    else keys.seal("participants", "words", participant_id, words),
                )
            )
            if admission is not row["admission"]:
                if admission is Admission.ADMITTED:
                    await _come_in(tx, participant_id, now)
                elif row["admission"] is Admission.ADMITTED:
                    await _go_out(tx, participant_id, now)
            moved = await _participant(tx, participant_id)
            await tx.audit(actor, f"participant.{admission.value}", f"participant/{participant_id}", now)
        return moved

    async def set_link(self, participant_id: str, token_sha256: str, expires_at: datetime) -> None:
        """Give a participant a personal link, kept as its hash; an earlier one stops working."""
        try:
            async with self._write() as tx:
                changed = await tx.change(
                    update(participants)
                    .where(participants.c.participant_id == participant_id)
                    .values(link_sha256=token_sha256, link_expires_at=expires_at)
                )
                if changed != 1:
                    raise NotFound("no such participant")
        except IntegrityError:
            raise Conflict("this link belongs to somebody else") from None

    async def participant_by_link(self, token_sha256: str, now: datetime) -> Participant | None:
        """Whose link this is, unless it expired."""
        async with self._read() as tx:
            found = await _load(
                tx, participants.c.link_sha256 == token_sha256, participants.c.link_expires_at > now
            )
        return found[0] if found else None

    async def give_consent(
        self, actor: Actor, participant_id: str, consent: ConsentGiven, now: datetime
    ) -> Participant:
        """Append a consent; an earlier one stays in the record."""
        async with self._write() as tx:
            await _participant(tx, participant_id)
            await tx.change(
                insert(consents).values(
                    participant_id=participant_id,
                    version=consent.version,
                    language=consent.language,
                    text_sha256=consent.text_sha256,
                    purposes=list(consent.purposes),
                    given_at=consent.given_at,
                )
            )
            changed = await _participant(tx, participant_id)
            await tx.audit(actor, "consent.give", f"participant/{participant_id}", now)
        return changed

    async def patient_consents(self, actor: Actor, patient_id: str, now: datetime) -> Sequence[ConsentGiven]:
        """Every consent of a patient over all consultations, newest first."""
        async with self._write() as tx:
            rows = await tx.all(
                select(consents)
                .join(participants, participants.c.participant_id == consents.c.participant_id)
                .join(consultations, consultations.c.consultation_id == participants.c.consultation_id)
                .where(consultations.c.patient_id == patient_id, participants.c.role == Role.PATIENT)
                .order_by(consents.c.given_at.desc(), consents.c.sequence.desc())
            )
            await tx.audit(actor, "consent.list", f"patient/{patient_id}", now)
        return [_consent_from(row) for row in rows]


async def _come_in(tx: Tx, participant_id: str, now: datetime) -> None:
    await tx.change(insert(stays).values(participant_id=participant_id, came_at=now))


async def _go_out(tx: Tx, participant_id: str, now: datetime) -> None:
    await tx.change(
        update(stays)
        .where(stays.c.participant_id == participant_id, stays.c.left_at.is_(None))
        .values(left_at=now)
    )


async def _participant(tx: Tx, participant_id: str) -> Participant:
    found = await _load(tx, participants.c.participant_id == participant_id)
    if not found:
        raise NotFound("no such participant")
    return found[0]


async def _load(tx: Tx, *where: ColumnElement[bool]) -> list[Participant]:
    rows = await tx.all(
        select(
            participants,
            consultations.c.patient_id,
            satisfactions.c.participant_id.is_not(None).label("satisfaction_given"),
        )
        .join(consultations, consultations.c.consultation_id == participants.c.consultation_id)
        .outerjoin(satisfactions, satisfactions.c.participant_id == participants.c.participant_id)
        .where(*where)
        .order_by(participants.c.created_at, participants.c.participant_id)
    )
    keys = await tx.keys_of_all(row["patient_id"] for row in rows)
    given: dict[str, RowMapping] = {}
    if rows:
        ids = [row["participant_id"] for row in rows]
        query = select(consents).where(consents.c.participant_id.in_(ids)).order_by(consents.c.sequence)
        for consent in await tx.all(query):
            given[consent["participant_id"]] = consent
    return [_participant_from(row, keys[row["patient_id"]], given.get(row["participant_id"])) for row in rows]


def _participant_from(row: RowMapping, keys: PatientKeys, consent: RowMapping | None) -> Participant:
    participant_id = row["participant_id"]
    words: Any = row["words"]
    return Participant(
        participant_id=participant_id,
        consultation_id=row["consultation_id"],
        role=row["role"],
        name=keys.unseal("participants", "name", participant_id, row["name"]),
        staff_id=row["staff_id"],
        admission=row["admission"],
        waiting_since=row["waiting_since"],
        words=None if words is None else keys.unseal("participants", "words", participant_id, words),
        consent=None if consent is None else _consent_from(consent),
        satisfaction_given=bool(row["satisfaction_given"]),
    )


def _consent_from(row: RowMapping) -> ConsentGiven:
    return ConsentGiven(
        version=row["version"],
        language=row["language"],
        text_sha256=row["text_sha256"],
        purposes=tuple(row["purposes"]),
        given_at=row["given_at"],
    )
