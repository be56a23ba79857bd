"""The record with its pictures on an S3 server: the same promises, also while that server is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from records.blobs import Blobs, object_name
from records.interface import NotFound, RecordsConfig, SealBroken, StorageUnavailable, Variant
from records.objects import open_objects
from records.store import RecordStore
from tests.support.ports import free_port
from tests.support.record import NOW, Clinic, OpenStore, at, files_under, furnish, jpeg
from tests.support.s3 import S3Server


@pytest.fixture(params=["moto", "nanio"])
def on_s3(request: pytest.FixtureRequest, settings: RecordsConfig) -> RecordsConfig:
    """Settings of an empty record with its pictures on an S3 server."""
    server: S3Server = request.getfixturevalue(request.param)
    return replace(settings, blobs_url=server.url())


@pytest_asyncio.fixture
async def store(open_store: OpenStore, on_s3: RecordsConfig) -> AsyncIterator[RecordStore]:
    yield await open_store(on_s3)


@pytest_asyncio.fixture
async def clinic(store: RecordStore) -> Clinic:
    return await furnish(store)


def _names(config: RecordsConfig) -> list[str]:
    return sorted(one.name for one in open_objects(config.blobs_url).list("blobs"))


async def test_pictures_lie_there_sealed_and_come_back(
    store: RecordStore, clinic: Clinic, on_s3: RecordsConfig, open_store: OpenStore
) -> None:
    upload = await store.open_upload(clinic.still(jpeg()), datetime.now(UTC))  # opening forgets old ones
    half = len(jpeg()) // 2
    await store.append_upload(upload.upload_id, 0, jpeg()[:half], NOW)
    assert _names(on_s3) == []
    await store.close()
    store = await open_store(on_s3)
    await store.append_upload(upload.upload_id, half, jpeg()[half:], NOW)
    kept = await store.commit_upload(clinic.person, upload.upload_id, NOW)
    assert files_under(on_s3.blob_dir) == []
    again = await store.add_snapshot(clinic.person, clinic.still(jpeg()), jpeg(), at(1))
    for snapshot in (kept, again):
        data, _ = await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, Variant.ORIGINAL, NOW)
        assert data == jpeg()
    [name] = _names(on_s3)
    with open_objects(on_s3.blobs_url).get(name) as source:
        assert jpeg()[:64] not in source.read()


async def test_a_sweep_clears_orphans_there_and_nothing_else(
    store: RecordStore, clinic: Clinic, on_s3: RecordsConfig
) -> None:
    await store.add_snapshot(clinic.person, clinic.still(jpeg()), jpeg(), NOW)
    named = _names(on_s3)
    orphan = object_name("ef" * 32)
    open_objects(on_s3.blobs_url).put(orphan, [b"left by a crash"])
    swept = await store.sweep(at(86400 * 3650))
    assert swept.blobs == 1
    assert _names(on_s3) == named


async def test_damage_and_loss_there_are_found(
    store: RecordStore, clinic: Clinic, on_s3: RecordsConfig
) -> None:
    kept = await store.add_snapshot(clinic.person, clinic.still(jpeg()), jpeg(), NOW)
    objects, [name] = open_objects(on_s3.blobs_url), _names(on_s3)
    with objects.get(name) as source:
        sealed = bytearray(source.read())
    sealed[99] ^= 1
    objects.put(name, [bytes(sealed)], replace=True)
    with pytest.raises(SealBroken):
        await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    objects.remove(name)
    with pytest.raises(NotFound):
        await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)


async def test_while_the_server_is_away_an_upload_waits(
    store: RecordStore, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Blobs(open_objects(f"s3://k:s@b/x?endpoint=http://127.0.0.1:{free_port()}&region=r"))
    upload = await store.open_upload(clinic.still(jpeg()), NOW)
    await store.append_upload(upload.upload_id, 0, jpeg(), NOW)
    with monkeypatch.context() as patched:
        patched.setattr(store, "_blobs", away)
        with pytest.raises(StorageUnavailable):
            await store.commit_upload(clinic.person, upload.upload_id, NOW)
        with pytest.raises(StorageUnavailable):
            await store.sweep(NOW + timedelta(days=1))
    assert (
        await store.snapshots_of_consultation(clinic.doctor, clinic.consultation.consultation_id, NOW) == []
    )
    kept = await store.commit_upload(clinic.person, upload.upload_id, NOW)
    data, _ = await store.snapshot_bytes(clinic.doctor, kept.snapshot_id, Variant.ORIGINAL, NOW)
    assert data == jpeg()
