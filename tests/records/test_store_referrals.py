"""A referral's life, from its question to its answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from records.interface import Actor, Conflict, Consultation, NotFound, Phase, ReferralState, Role, Urgency
from records.store import RecordStore
from tests.support.record import NAME, NOW, PATIENT, QUESTION, Clinic, at, jpeg

GP = Actor("gp", Role.REFERRER, "referral/new")
DOCTOR = Actor("doctor", Role.SPECIALIST, "worklist")


async def test_a_referral_reads_as_it_was_written(store: RecordStore) -> None:
    site = await store.add_site("Village practice")
    sent = await store.create_referral(GP, site.site_id, PATIENT, QUESTION, Urgency.URGENT, NOW)
    assert sent.patient.name == NAME
    assert sent.patient.birth_date == PATIENT.birth_date
    assert sent.patient.email == PATIENT.email
    assert (sent.question, sent.urgency, sent.state) == (QUESTION, Urgency.URGENT, ReferralState.SENT)
    assert sent.created_at == NOW
    assert sent.created_at.tzinfo is not None
    assert (sent.consultation_id, sent.decline_reason, sent.photo_ids) == (None, None, ())
    assert await store.referral(GP, sent.referral_id, NOW) == sent


async def test_unknown_things_are_not_found(store: RecordStore) -> None:
    with pytest.raises(NotFound):
        await store.create_referral(GP, "nowhere", PATIENT, QUESTION, Urgency.SOON, NOW)
    with pytest.raises(NotFound):
        await store.referral(GP, "nothing", NOW)
    with pytest.raises(NotFound):
        await store.decline_referral(DOCTOR, "nothing", "no", NOW)
    with pytest.raises(NotFound):
        await store.accept_referral(DOCTOR, "nothing", "nobody", NOW, NOW)
    assert await store.audit_events() == []


async def test_lists_are_by_site_and_state_newest_first(store: RecordStore) -> None:
    here, there = await store.add_site("Here"), await store.add_site("There")
    first = await store.create_referral(GP, here.site_id, PATIENT, "1", Urgency.SOON, at(1))
    second = await store.create_referral(GP, here.site_id, PATIENT, "2", Urgency.SOON, at(2))
    other = await store.create_referral(GP, there.site_id, PATIENT, "3", Urgency.SOON, at(3))
    declined = await store.decline_referral(DOCTOR, first.referral_id, "not skin", at(4))
    assert await store.referrals(GP, NOW) == [other, second, declined]
    assert await store.referrals(GP, NOW, site_id=here.site_id) == [second, declined]
    assert await store.referrals(GP, NOW, states=[ReferralState.DECLINED]) == [declined]
    assert await store.referrals(GP, NOW, there.site_id, [ReferralState.DECLINED]) == []


async def test_a_declined_referral_stays_declined(store: RecordStore, clinic: Clinic) -> None:
    sent = await store.create_referral(
        clinic.gp, clinic.site.site_id, PATIENT, QUESTION, Urgency.ROUTINE, NOW
    )
    declined = await store.decline_referral(clinic.doctor, sent.referral_id, "见当地医生", NOW)
    assert (declined.state, declined.decline_reason) == (ReferralState.DECLINED, "见当地医生")
    with pytest.raises(Conflict):
        await store.decline_referral(clinic.doctor, sent.referral_id, "again", NOW)
    with pytest.raises(Conflict):
        await store.accept_referral(clinic.doctor, sent.referral_id, clinic.specialist.staff_id, NOW, NOW)


async def test_a_referral_follows_its_consultation(store: RecordStore, clinic: Clinic) -> None:
    referral_id, consultation_id = clinic.referral.referral_id, clinic.consultation.consultation_id
    assert clinic.referral.state is ReferralState.ACCEPTED
    assert clinic.referral.consultation_id == consultation_id
    await store.set_phase(clinic.doctor, consultation_id, Phase.IN_CALL, at(60))
    assert (await store.referral(clinic.gp, referral_id, NOW)).state is ReferralState.IN_CALL
    await store.set_phase(clinic.doctor, consultation_id, Phase.ENDED, at(120))
    assert (await store.referral(clinic.gp, referral_id, NOW)).state is ReferralState.ANSWERED


async def test_of_two_who_accept_at_once_one_wins(store: RecordStore, clinic: Clinic) -> None:
    sent = await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)

    async def accept() -> Consultation:
        return await store.accept_referral(
            clinic.doctor, sent.referral_id, clinic.specialist.staff_id, NOW, NOW
        )

    results = await asyncio.gather(accept(), accept(), accept(), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 2
    assert sum(isinstance(result, Consultation) for result in results) == 1


async def test_an_acceptance_for_nobody_changes_nothing(store: RecordStore, clinic: Clinic) -> None:
    sent = await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    with pytest.raises(NotFound):
        await store.accept_referral(clinic.doctor, sent.referral_id, "nobody", NOW, NOW)
    assert (await store.referral(clinic.gp, sent.referral_id, NOW)).state is ReferralState.SENT


async def test_photos_belong_to_their_referral(store: RecordStore, clinic: Clinic) -> None:
    first = await store.add_snapshot(clinic.gp, clinic.photo(jpeg(1)), jpeg(1), at(40))
    second = await store.add_snapshot(clinic.gp, clinic.photo(jpeg(2)), jpeg(2), at(41))
    referral = await store.referral(clinic.gp, clinic.referral.referral_id, NOW)
    assert referral.photo_ids == (first.snapshot_id, second.snapshot_id)
    assert (first.referral_id, first.consultation_id) == (referral.referral_id, None)
    assert first.taken_at == at(40)


async def test_times_come_back_in_utc(store: RecordStore) -> None:
    site = await store.add_site("Village practice")
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    sent = await store.create_referral(GP, site.site_id, PATIENT, QUESTION, Urgency.SOON, shanghai)
    assert sent.created_at == NOW
    assert sent.created_at.tzinfo is UTC
    with pytest.raises(StatementError, match="zone"):
        await store.create_referral(GP, site.site_id, PATIENT, "?", Urgency.SOON, NOW.replace(tzinfo=None))
