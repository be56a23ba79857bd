"""Chat keeps its order; the patient answers once."""

from __future__ import annotations

import asyncio

import pytest

from records.interface import Admission, Conflict, NotFound, RecordError, Role, Satisfaction
from records.store import RecordStore
from tests.support.record import NAME, NOW, Clinic, at


async def test_satisfaction_is_given_once(store: RecordStore, clinic: Clinic) -> None:
    participant_id = clinic.patient.participant_id
    given = await store.give_satisfaction(clinic.person, participant_id, 4, "谢谢", at(1))
    assert given == Satisfaction(clinic.consultation.consultation_id, 4, "谢谢", at(1))
    assert await store.give_satisfaction(clinic.person, participant_id, 4, "谢谢", at(9)) == given
    with pytest.raises(Conflict):
        await store.give_satisfaction(clinic.person, participant_id, 1, "谢谢", at(9))
    found = await store.participant(participant_id)
    assert found is not None
    assert found.satisfaction_given
    for score in (0, 6):
        with pytest.raises(RecordError):
            await store.give_satisfaction(clinic.person, participant_id, score, "", NOW)
    with pytest.raises(NotFound):
        await store.give_satisfaction(clinic.person, "nobody", 3, "", NOW)


async def test_the_same_answer_many_times_at_once_is_one(store: RecordStore, clinic: Clinic) -> None:
    results = await asyncio.gather(
        *(
            store.give_satisfaction(clinic.person, clinic.patient.participant_id, score, "", at(score))
            for score in (1, 2, 3, 4, 5)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Satisfaction) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 4


async def test_chat_keeps_its_order(store: RecordStore, clinic: Clinic) -> None:
    said = [
        await store.add_chat_line(clinic.person, clinic.patient.participant_id, f"第{n}句", NOW)
        for n in range(5)
    ]
    assert await store.chat_lines(clinic.doctor, clinic.consultation.consultation_id, NOW) == said
    assert (said[0].name, said[0].role) == (NAME, Role.PATIENT)
    with pytest.raises(NotFound):
        await store.add_chat_line(clinic.person, "nobody", "?", NOW)


async def test_a_participant_hears_what_is_said_while_inside(store: RecordStore, clinic: Clinic) -> None:
    """Not before the first admission, not while sent back or gone; a lost connection is no going out."""
    who = clinic.patient.participant_id
    consultation_id = clinic.consultation.consultation_id
    other = await store.add_participant(
        clinic.doctor,
        consultation_id,
        Role.SPECIALIST,
        "Dr. Skinner",
        clinic.specialist.staff_id,
        Admission.ADMITTED,
        at(30),
    )
    steps: list[tuple[Admission | None, str]] = [
        (None, "before"),
        (Admission.WAITING, "at the door"),
        (Admission.ADMITTED, "inside"),
        (Admission.ADMITTED, "still inside"),
        (Admission.SENT_BACK, "without the patient"),
        (Admission.ADMITTED, "inside again"),
        (Admission.LEFT, "gone"),
        (Admission.WAITING, "back at the door"),
        (Admission.ADMITTED, "the last"),
    ]
    second = 40.0
    for admission, text in steps:
        if admission is not None:
            await store.set_admission(clinic.doctor, who, admission, None, at(second))
        await store.add_chat_line(clinic.doctor, other.participant_id, text, at(second + 1))
        second += 2

    async def heard(participant_id: str, most: int = 100) -> list[str]:
        lines = await store.chat_lines_heard(clinic.person, participant_id, most, at(second))
        return [line.text for line in lines]

    assert await heard(who) == ["inside", "still inside", "inside again", "the last"]
    assert await heard(who, 2) == ["inside again", "the last"]
    assert await heard(other.participant_id) == [text for _, text in steps]
    [line] = await store.chat_lines_heard(clinic.person, who, 1, at(second))
    assert line == (await store.chat_lines(clinic.doctor, consultation_id, at(second)))[-1]
    with pytest.raises(NotFound):
        await heard("nobody")


async def test_reading_the_chat_is_in_the_audit(store: RecordStore, clinic: Clinic) -> None:
    await store.chat_lines_heard(clinic.person, clinic.patient.participant_id, 5, at(50))
    last = (await store.audit_events())[-1]
    assert (last.actor_id, last.action) == (clinic.patient.participant_id, "chat.read")
