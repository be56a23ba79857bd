"""Consultations: phases, worklist and the note that nobody overwrites unseen."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from records.interface import (
    Conflict,
    Consultation,
    DisplayCheck,
    Gamut,
    NotFound,
    Phase,
    Urgency,
)
from records.store import RecordStore
from tests.support.record import NAME, NOW, PATIENT, Clinic, at


async def test_an_accepted_referral_is_a_scheduled_consultation(store: RecordStore, clinic: Clinic) -> None:
    found = await store.consultation(clinic.doctor, clinic.consultation.consultation_id, NOW)
    assert found == clinic.consultation
    assert (found.phase, found.note, found.note_version) == (Phase.SCHEDULED, "", 0)
    assert (found.scheduled_at, found.started_at, found.ended_at) == (at(3600), None, None)
    assert found.patient.name == NAME
    with pytest.raises(NotFound):
        await store.consultation(clinic.doctor, "nothing", NOW)


async def test_phases_are_idempotent_and_never_go_back(store: RecordStore, clinic: Clinic) -> None:
    consultation_id = clinic.consultation.consultation_id
    begun = await store.set_phase(clinic.doctor, consultation_id, Phase.IN_CALL, at(60))
    again = await store.set_phase(clinic.doctor, consultation_id, Phase.IN_CALL, at(61))
    assert begun == again
    assert begun.started_at == at(60)
    ended = await store.set_phase(clinic.doctor, consultation_id, Phase.ENDED, at(90))
    assert (ended.started_at, ended.ended_at) == (at(60), at(90))
    for phase in (Phase.SCHEDULED, Phase.IN_CALL):
        with pytest.raises(Conflict):
            await store.set_phase(clinic.doctor, consultation_id, phase, at(99))
    with pytest.raises(NotFound):
        await store.set_phase(clinic.doctor, "nothing", Phase.ENDED, NOW)


async def test_the_worklist_keeps_what_ended_for_a_day(store: RecordStore, clinic: Clinic) -> None:
    doctor, specialist_id = clinic.doctor, clinic.specialist.staff_id
    sent = await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    sooner = await store.accept_referral(doctor, sent.referral_id, specialist_id, at(60), NOW)
    assert await store.consultations_of(doctor, specialist_id, NOW) == [sooner, clinic.consultation]
    ended = await store.set_phase(doctor, sooner.consultation_id, Phase.ENDED, at(100))
    within, after = at(99) + timedelta(days=1), at(100) + timedelta(days=1)
    assert await store.consultations_of(doctor, specialist_id, within) == [ended, clinic.consultation]
    assert await store.consultations_of(doctor, specialist_id, after) == [clinic.consultation]
    assert await store.consultations_of(doctor, "nobody", NOW) == []


async def test_a_note_is_written_over_the_version_that_was_read(store: RecordStore, clinic: Clinic) -> None:
    doctor, consultation_id = clinic.doctor, clinic.consultation.consultation_id
    first = await store.write_note(doctor, consultation_id, "色素痣", 0, NOW)
    assert (first.note, first.note_version) == ("色素痣", 1)
    with pytest.raises(Conflict):
        await store.write_note(doctor, consultation_id, "from an old page", 0, NOW)
    assert (await store.consultation(doctor, consultation_id, NOW)).note == "色素痣"
    with pytest.raises(NotFound):
        await store.write_note(doctor, "nothing", "", 0, NOW)


async def test_of_two_notes_at_once_one_is_kept(store: RecordStore, clinic: Clinic) -> None:
    doctor, consultation_id = clinic.doctor, clinic.consultation.consultation_id
    results = await asyncio.gather(
        *(store.write_note(doctor, consultation_id, text, 0, NOW) for text in ("a", "b", "c", "d")),
        return_exceptions=True,
    )
    kept = [result for result in results if isinstance(result, Consultation)]
    assert len(kept) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert (await store.consultation(doctor, consultation_id, NOW)).note == kept[0].note


async def test_the_latest_display_check_goes_with_the_consultation(
    store: RecordStore, clinic: Clinic
) -> None:
    consultation_id = clinic.consultation.consultation_id
    assert clinic.consultation.display_check is None
    for gamut, apart, second in ((Gamut.SRGB, False, 10), (Gamut.P3, True, 20)):
        told = await store.add_display_check(
            clinic.doctor, consultation_id, gamut, apart, at(second), at(second + 5)
        )
    latest = DisplayCheck(clinic.specialist.staff_id, Gamut.P3, True, at(20))
    assert told.display_check == latest
    [listed] = await store.consultations_of(clinic.doctor, clinic.specialist.staff_id, at(30))
    assert listed.display_check == latest
    timeline = await store.timeline(clinic.gp, clinic.referral.patient.patient_id, at(30))
    assert [one.display_check for one in timeline.consultations] == [latest]
    lines = await store.audit_events()
    assert [line.at for line in lines if line.action == "display.check"] == [at(15), at(25)]
    for actor, where in ((clinic.doctor, "nothing"), (clinic.person, consultation_id)):
        with pytest.raises(NotFound):
            await store.add_display_check(actor, where, Gamut.P3, True, NOW, NOW)
