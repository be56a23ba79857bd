"""A patient's timeline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from records.interface import NotFound, Phase
from records.store import RecordStore
from tests.support.record import NOW, Clinic, at, jpeg

STILL = jpeg(3, 320, 240)


async def test_the_timeline_is_newest_first(store: RecordStore, clinic: Clinic) -> None:
    old = replace(clinic.still(STILL), taken_at=at(10))
    new = replace(clinic.still(STILL), taken_at=at(20))
    photo = await store.add_snapshot(clinic.gp, clinic.photo(jpeg(1)), jpeg(1), at(5))
    first = await store.add_snapshot(clinic.person, old, STILL, at(100))
    second = await store.add_snapshot(clinic.person, new, STILL, at(90))
    ended = await store.set_phase(clinic.doctor, clinic.consultation.consultation_id, Phase.ENDED, at(200))
    answer = await store.give_satisfaction(clinic.person, clinic.patient.participant_id, 5, "好", at(300))
    timeline = await store.timeline(clinic.doctor, clinic.referral.patient.patient_id, NOW)
    assert timeline.patient == clinic.referral.patient
    assert timeline.snapshots == (second, first, photo)
    assert timeline.consultations == (ended,)
    assert [one.referral_id for one in timeline.referrals] == [clinic.referral.referral_id]
    assert timeline.referrals[0].photo_ids == (photo.snapshot_id,)
    assert timeline.satisfactions == (answer,)
    consultation_id = clinic.consultation.consultation_id
    assert await store.snapshots_of_consultation(clinic.doctor, consultation_id, NOW) == [second, first]


async def test_nobody_has_no_timeline(store: RecordStore, clinic: Clinic) -> None:
    with pytest.raises(NotFound):
        await store.timeline(clinic.doctor, "nobody", NOW)
