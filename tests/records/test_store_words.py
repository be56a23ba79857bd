"""Chat keeps its order; the patient answers once."""

from __future__ import annotations

import asyncio

import pytest

from records.interface import Conflict, NotFound, RecordError, Role, Satisfaction
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
