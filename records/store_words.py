"""Store: what participants say: chat in the call, and the patient's answer after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, exists, insert, or_, select
from sqlalchemy.exc import IntegrityError

from records.ids import new_id
from records.interface import Actor, ChatLine, Conflict, RecordError, Satisfaction
from records.keys import PatientKeys
from records.schema import chat_lines, consultations, participants, satisfactions, stays
from records.transaction import StoreBase, Tx


class WordsStore(StoreBase):
    """Chat lines and satisfactions of a consultation."""

    async def give_satisfaction(
        self, actor: Actor, participant_id: str, score: int, words: str, now: datetime
    ) -> Satisfaction:
        """Keep an answer of 1 to 5; the same again is fine, another one is Conflict."""
        if not 1 <= score <= 5:
            raise RecordError("a score is 1 to 5")
        try:
            return await self._give_satisfaction(actor, participant_id, score, words, now)
        except IntegrityError:
            raise Conflict("the answer was given already") from None

    async def _give_satisfaction(
        self, actor: Actor, participant_id: str, score: int, words: str, now: datetime
    ) -> Satisfaction:
        async with self._write() as tx:
            place = await _place(tx, participant_id)
            consultation_id = place["consultation_id"]
            keys = await tx.keys_of(place["patient_id"])
            given = await tx.first(
                select(satisfactions).where(satisfactions.c.participant_id == participant_id)
            )
            if given is None:
                answer = Satisfaction(consultation_id, score, words, now)
                await tx.change(
                    insert(satisfactions).values(
                        participant_id=participant_id,
                        consultation_id=consultation_id,
                        score=score,
                        words=keys.seal("satisfactions", "words", participant_id, words),
                        given_at=now,
                    )
                )
            else:
                answer = satisfaction_from(given, keys)
                if (answer.score, answer.words) != (score, words):
                    raise Conflict("the answer was given already")
            await tx.audit(actor, "satisfaction.give", f"consultation/{consultation_id}", now)
        return answer

    async def add_chat_line(self, actor: Actor, participant_id: str, text: str, now: datetime) -> ChatLine:
        """Keep a line of a participant; raises NotFound."""
        line_id = new_id(now)
        async with self._write() as tx:
            place = await _place(tx, participant_id)
            keys = await tx.keys_of(place["patient_id"])
            await tx.change(
                insert(chat_lines).values(
                    line_id=line_id,
                    consultation_id=place["consultation_id"],
                    participant_id=participant_id,
                    text=keys.seal("chat_lines", "text", line_id, text),
                    sent_at=now,
                )
            )
            await tx.audit(actor, "chat.write", f"consultation/{place['consultation_id']}", now)
        name = keys.unseal("participants", "name", participant_id, place["name"])
        return ChatLine(line_id, place["consultation_id"], participant_id, name, place["role"], text, now)

    async def chat_lines(self, actor: Actor, consultation_id: str, now: datetime) -> Sequence[ChatLine]:
        """The chat of a consultation in the order it was said."""
        query = _lines().where(chat_lines.c.consultation_id == consultation_id)
        async with self._write() as tx:
            lines = await _load(tx, query.order_by(chat_lines.c.sequence))
            await tx.audit(actor, "chat.read", f"consultation/{consultation_id}", now)
        return lines

    async def chat_lines_heard(
        self, actor: Actor, participant_id: str, most: int, now: datetime
    ) -> Sequence[ChatLine]:
        """The latest lines said while a participant was inside, in the order they were said; NotFound."""
        inside = exists().where(
            stays.c.participant_id == participant_id,
            stays.c.came_at <= chat_lines.c.sent_at,
            or_(stays.c.left_at.is_(None), stays.c.left_at > chat_lines.c.sent_at),
        )
        async with self._write() as tx:
            consultation_id = (await _place(tx, participant_id))["consultation_id"]
            query = _lines().where(chat_lines.c.consultation_id == consultation_id, inside)
            lines = await _load(tx, query.order_by(chat_lines.c.sequence.desc()).limit(most))
            await tx.audit(actor, "chat.read", f"consultation/{consultation_id}", now)
        return lines[::-1]


def _lines() -> Select[Any]:
    return (
        select(chat_lines, participants.c.name, participants.c.role, consultations.c.patient_id)
        .join(participants, participants.c.participant_id == chat_lines.c.participant_id)
        .join(consultations, consultations.c.consultation_id == chat_lines.c.consultation_id)
    )


async def _load(tx: Tx, query: Select[Any]) -> list[ChatLine]:
    rows = await tx.all(query)
    keys = await tx.keys_of_all(row["patient_id"] for row in rows)
    return [_chat_line_from(row, keys[row["patient_id"]]) for row in rows]


def satisfaction_from(row: RowMapping, keys: PatientKeys) -> Satisfaction:
    """A row of satisfactions."""
    words = keys.unseal("satisfactions", "words", row["participant_id"], row["words"])
    return Satisfaction(row["consultation_id"], row["score"], words, row["given_at"])


def _chat_line_from(row: RowMapping, keys: PatientKeys) -> ChatLine:
    return ChatLine(
        line_id=row["line_id"],
        consultation_id=row["consultation_id"],
        participant_id=row["participant_id"],
        name=keys.unseal("participants", "name", row["participant_id"], row["name"]),
        role=row["role"],
        text=keys.unseal("chat_lines", "text", row["line_id"], row["text"]),
        sent_at=row["sent_at"],
    )


async def _place(tx: Tx, participant_id: str) -> RowMapping:
    return await tx.one(
        select(
            participants.c.consultation_id,
            participants.c.name,
            participants.c.role,
            consultations.c.patient_id,
        )
        .join(consultations, consultations.c.consultation_id == participants.c.consultation_id)
        .where(participants.c.participant_id == participant_id),
        "participant",
    )
