"""A new master key: nothing is lost, at whatever point it is interrupted, and the old key opens nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from records.engine import Database
from records.interface import RecordsConfig, SealBroken, Urgency, Variant, WrongMasterKey
from records.keys import KeyRing
from records.rotation import rotate
from records.schema import audit_head, patient_keys
from records.store import RecordStore
from tests.support.compare import bytes_of, rows_of
from tests.support.record import NOW, PATIENT, Clinic, OpenStore, jpeg

NEW_KEY = bytes(range(1, 33))


def _both(settings: RecordsConfig) -> RecordsConfig:
    return replace(settings, master_key=NEW_KEY, old_master_keys=(settings.master_key,))


def _new(settings: RecordsConfig) -> RecordsConfig:
    return replace(settings, master_key=NEW_KEY)


async def test_everything_opens_under_the_new_key_alone(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, open_store: OpenStore
) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(jpeg()), jpeg(), NOW)
    await store.close()
    before, blobs = await rows_of(settings), bytes_of(settings)
    assert await rotate(_both(settings)) == 1
    after = await rows_of(settings)
    # Wrapped keys and the audit's seal are all that changed.
    assert {name for name in before if before[name] != after[name]} == {
        "patient_keys",
        "record_keys",
        "audit_head",
    }
    assert bytes_of(settings) == blobs
    again = await open_store(_new(settings))
    assert (await again.referral(clinic.gp, clinic.referral.referral_id, NOW)).patient.name == PATIENT.name
    data, _ = await again.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert data == jpeg()
    assert await again.verify_audit() > 0
    with pytest.raises(WrongMasterKey):
        await open_store(settings)
    assert await rotate(_both(settings)) == 0


async def test_before_its_end_both_keys_are_needed(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, open_store: OpenStore
) -> None:
    await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    await store.close()
    # A server that was given both keys is a whole server, and wraps what is new under the new one.
    both = await open_store(_both(settings))
    await both.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    assert len(await both.referrals(clinic.gp, NOW)) == 3
    await both.verify_audit()
    with pytest.raises(WrongMasterKey):
        await open_store(_new(settings))
    assert await rotate(_both(settings)) == 2
    assert len(await (await open_store(_new(settings))).referrals(clinic.gp, NOW)) == 3


async def test_a_server_left_running_under_the_old_key_writes_nothing(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, open_store: OpenStore
) -> None:
    await rotate(_both(settings))
    before = await rows_of(settings)
    with pytest.raises(SealBroken):
        await store.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)
    with pytest.raises(SealBroken):
        await store.referral(clinic.gp, clinic.referral.referral_id, NOW)
    assert await rows_of(settings) == before
    await (await open_store(_new(settings))).verify_audit()


async def test_writers_at_work_and_a_rotation_do_not_disturb_each_other(
    settings: RecordsConfig, store: RecordStore, clinic: Clinic, open_store: OpenStore
) -> None:
    await store.close()
    both = await open_store(_both(settings))

    async def create() -> None:
        for _ in range(10):
            await both.create_referral(clinic.gp, clinic.site.site_id, PATIENT, "?", Urgency.SOON, NOW)

    await asyncio.gather(create(), create(), rotate(_both(settings)))
    again = await open_store(_new(settings))
    assert len(await again.referrals(clinic.gp, NOW)) == 21
    await again.verify_audit()


async def test_an_unknown_key_or_a_broken_seal_stops_it_before_it_began(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    before = await rows_of(settings)
    with pytest.raises(WrongMasterKey):
        await rotate(replace(settings, master_key=NEW_KEY, old_master_keys=(bytes(32),)))
    assert await rows_of(settings) == before
    database = Database(settings.database_url)
    async with database.write() as conn:
        await conn.execute(update(audit_head).values(mac="0" * 64))
    with pytest.raises(SealBroken):
        await rotate(_both(settings))
    async with database.read() as conn:
        ids = (await conn.execute(select(patient_keys.c.master_key_id))).scalars().all()
    await database.close()
    assert set(ids) == {KeyRing(settings.master_key).master_key_id}
