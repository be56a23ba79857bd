"""Ties of care and agendas: what decides on access, and writes no line of the audit."""

from __future__ import annotations

import pytest

from records.interface import (
    Admission,
    AgendaEntry,
    CareLink,
    CareSubject,
    ConsultationLink,
    NotFound,
    Phase,
    ReferralState,
    Urgency,
)
from records.store import RecordStore
from tests.support.record import NAME, NOW, PATIENT, QUESTION, Clinic, at, jpeg


def _link(clinic: Clinic, phase: Phase = Phase.SCHEDULED) -> CareLink:
    consultation = clinic.consultation
    return CareLink(
        clinic.referral.referral_id,
        clinic.referral.patient.patient_id,
        clinic.site.site_id,
        ReferralState.ACCEPTED,
        ConsultationLink(consultation.consultation_id, clinic.specialist.staff_id, phase),
    )


async def test_every_subject_leads_to_its_referral(store: RecordStore, clinic: Clinic) -> None:
    still = await store.add_snapshot(clinic.doctor, clinic.still(jpeg()), jpeg(), NOW)
    photo = await store.add_snapshot(clinic.gp, clinic.photo(jpeg()), jpeg(), NOW)
    lines = await store.audit_events()
    for subject, subject_id in (
        (CareSubject.PATIENT, clinic.referral.patient.patient_id),
        (CareSubject.REFERRAL, clinic.referral.referral_id),
        (CareSubject.CONSULTATION, clinic.consultation.consultation_id),
        (CareSubject.SNAPSHOT, still.snapshot_id),
        (CareSubject.SNAPSHOT, photo.snapshot_id),
    ):
        [link] = await store.care_links(subject, subject_id)
        assert link == _link(clinic)
        assert NAME not in repr(link)
        with pytest.raises(NotFound, match=subject.value):
            await store.care_links(subject, "nothing")
    assert await store.audit_events() == lines


async def test_an_open_referral_has_no_consultation(store: RecordStore, clinic: Clinic) -> None:
    sent = await store.create_referral(
        clinic.gp, clinic.site.site_id, PATIENT, QUESTION, Urgency.SOON, at(100)
    )
    [link] = await store.care_links(CareSubject.REFERRAL, sent.referral_id)
    assert (link.state, link.consultation) == (ReferralState.SENT, None)
    assert link.patient_id != clinic.referral.patient.patient_id


async def test_an_agenda_tells_times_only(store: RecordStore, clinic: Clinic) -> None:
    consultation_id = clinic.consultation.consultation_id
    await store.set_admission(clinic.person, clinic.patient.participant_id, Admission.WAITING, None, at(40))
    lines = await store.audit_events()
    waiting = AgendaEntry(
        consultation_id, Phase.SCHEDULED, clinic.consultation.scheduled_at, None, None, at(40)
    )
    assert await store.agenda(clinic.specialist.staff_id, at(50)) == [waiting]
    assert await store.agenda(clinic.referrer.staff_id, at(50)) == []
    assert await store.audit_events() == lines
    await store.set_phase(clinic.doctor, consultation_id, Phase.IN_CALL, at(60))
    await store.set_phase(clinic.doctor, consultation_id, Phase.ENDED, at(90))
    [ended] = await store.agenda(clinic.specialist.staff_id, at(100))
    assert (ended.phase, ended.started_at, ended.ended_at) == (Phase.ENDED, at(60), at(90))
    for moment in (at(90 + 86_399), at(90 + 86_400)):
        listed = await store.consultations_of(clinic.doctor, clinic.specialist.staff_id, moment)
        agenda = await store.agenda(clinic.specialist.staff_id, moment)
        assert [one.consultation_id for one in agenda] == [one.consultation_id for one in listed]
