"""Participants: the door, links and consents."""

from __future__ import annotations

import asyncio

import pytest

from records.interface import (
    Admission,
    Conflict,
    ConsentGiven,
    NotFound,
    Participant,
    Phase,
    Role,
)
from records.lifecycle import purposes_now
from records.store import RecordStore
from tests.support.record import NAME, NOW, Clinic, at

HASH = "0f" * 32


async def _add(store: RecordStore, clinic: Clinic, role: Role, staff_id: str | None = None) -> Participant:
    return await store.add_participant(
        clinic.doctor,
        clinic.consultation.consultation_id,
        role,
        "Somebody",
        staff_id,
        Admission.INVITED,
        at(30),
    )


async def test_participants_come_back_in_order(store: RecordStore, clinic: Clinic) -> None:
    doctor = await _add(store, clinic, Role.SPECIALIST, clinic.specialist.staff_id)
    interpreter = await _add(store, clinic, Role.INTERPRETER)
    found = await store.participants(clinic.consultation.consultation_id)
    assert found[0] == clinic.patient
    assert {person.participant_id for person in found[1:]} == {
        doctor.participant_id,
        interpreter.participant_id,
    }
    assert clinic.patient.name == NAME
    assert (clinic.patient.admission, clinic.patient.words) == (Admission.INVITED, None)
    assert await store.participant(interpreter.participant_id) == interpreter
    assert await store.participant("nobody") is None
    assert await store.participants("nothing") == []


async def test_nobody_has_two_places(store: RecordStore, clinic: Clinic) -> None:
    with pytest.raises(Conflict):
        await _add(store, clinic, Role.PATIENT)
    results = await asyncio.gather(
        *(_add(store, clinic, Role.SPECIALIST, clinic.specialist.staff_id) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 2
    with pytest.raises(NotFound):
        await _add(store, clinic, Role.SPECIALIST, "nobody")
    assert len(await store.participants(clinic.consultation.consultation_id)) == 2


async def test_nobody_joins_what_is_over_or_unknown(store: RecordStore, clinic: Clinic) -> None:
    await store.set_phase(clinic.doctor, clinic.consultation.consultation_id, Phase.ENDED, NOW)
    with pytest.raises(Conflict):
        await _add(store, clinic, Role.INTERPRETER)
    with pytest.raises(NotFound):
        await store.add_participant(
            clinic.doctor, "nothing", Role.INTERPRETER, "X", None, Admission.INVITED, NOW
        )


async def test_the_door(store: RecordStore, clinic: Clinic) -> None:
    participant_id = clinic.patient.participant_id

    async def move(admission: Admission, words: str | None, seconds: float) -> Participant:
        return await store.set_admission(clinic.doctor, participant_id, admission, words, at(seconds))

    waiting = await move(Admission.WAITING, None, 1)
    assert waiting.waiting_since == at(1)
    assert await move(Admission.WAITING, None, 2) == waiting
    admitted = await move(Admission.ADMITTED, None, 3)
    assert (admitted.admission, admitted.waiting_since) == (Admission.ADMITTED, None)
    back = await move(Admission.SENT_BACK, "请稍候", 4)
    assert (back.words, back.waiting_since) == ("请稍候", at(4))
    assert (await move(Admission.WAITING, None, 5)).waiting_since == at(4)
    refused = await move(Admission.REFUSED, "not today", 6)
    assert (refused.words, refused.waiting_since) == ("not today", None)
    with pytest.raises(Conflict):
        await move(Admission.ADMITTED, None, 7)
    assert await store.participant(participant_id) == refused
    with pytest.raises(NotFound):
        await store.set_admission(clinic.doctor, "nobody", Admission.WAITING, None, NOW)


async def test_a_new_link_replaces_the_old_one(store: RecordStore, clinic: Clinic) -> None:
    participant_id = clinic.patient.participant_id
    await store.set_link(participant_id, HASH, at(100))
    assert await store.participant_by_link(HASH, NOW) == clinic.patient
    assert await store.participant_by_link(HASH, at(100)) is None
    await store.set_link(participant_id, "1f" * 32, at(100))
    assert await store.participant_by_link(HASH, NOW) is None
    other = await _add(store, clinic, Role.INTERPRETER)
    with pytest.raises(Conflict):
        await store.set_link(other.participant_id, "1f" * 32, at(100))
    with pytest.raises(NotFound):
        await store.set_link("nobody", HASH, at(100))


async def test_the_latest_consent_counts(store: RecordStore, clinic: Clinic) -> None:
    first = ConsentGiven("2026-01", "zh", HASH, ("care",), at(1))
    second = ConsentGiven("2026-02", "en", HASH, ("care", "teaching"), at(2))
    given = await store.give_consent(clinic.person, clinic.patient.participant_id, first, at(1))
    assert given.consent == first
    await store.give_consent(clinic.person, clinic.patient.participant_id, second, at(2))
    found = await store.participant(clinic.patient.participant_id)
    assert found is not None
    assert found.consent == second
    with pytest.raises(NotFound):
        await store.give_consent(clinic.person, "nobody", first, NOW)


async def test_what_a_patient_agrees_to_over_all_consultations(store: RecordStore, clinic: Clinic) -> None:
    patient_id, participant_id = clinic.referral.patient.patient_id, clinic.patient.participant_id
    assert await store.patient_consents(clinic.doctor, patient_id, NOW) == []
    assert purposes_now([]) == frozenset()
    wide = ConsentGiven("2026-01", "zh", HASH, ("care", "teaching"), at(1))
    narrow = ConsentGiven("2026-01", "zh", HASH, ("care",), at(2))
    for consent in (wide, narrow):
        await store.give_consent(clinic.person, participant_id, consent, at(3))
    found = await store.patient_consents(clinic.doctor, patient_id, NOW)
    assert list(found) == [narrow, wide]
    assert purposes_now(found) == {"care"}  # teaching was withdrawn
    assert purposes_now([wide]) == {"care", "teaching"}
    assert [event.action for event in await store.audit_events(1)] == ["consent.list"]
