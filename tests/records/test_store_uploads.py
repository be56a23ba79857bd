"""Uploads: resumable, durable at each acknowledgement, one writer at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from records.blobs import Blobs
from records.interface import (
    HashMismatch,
    NotAnImage,
    NotFound,
    RecordError,
    RecordsConfig,
    SealBroken,
    Snapshot,
    StorageFull,
    Upload,
    UploadOffsetMismatch,
    UploadTooLarge,
    Variant,
)
from records.store import RecordStore
from tests.support.record import NOW, Clinic, OpenStore, at, files_under, flip_bit, jpeg

STILL = jpeg(7, 320, 240)


async def _send(store: RecordStore, upload: Upload, data: bytes, chunk_bytes: int) -> Upload:
    for offset in range(upload.offset_bytes, len(data), chunk_bytes):
        chunk = data[offset : offset + chunk_bytes]
        upload = await store.append_upload(upload.upload_id, offset, chunk, NOW)
        assert upload.offset_bytes == offset + len(chunk)
    return upload


async def test_an_upload_in_pieces_becomes_the_same_bytes(store: RecordStore, clinic: Clinic) -> None:
    new = clinic.still(STILL)
    upload = await store.open_upload(new, NOW)
    assert (upload.new, upload.offset_bytes, upload.snapshot_id) == (new, 0, None)
    await _send(store, upload, STILL, 9_999)
    snapshot = await store.commit_upload(clinic.person, upload.upload_id, at(50))
    assert (await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, Variant.ORIGINAL, NOW))[
        0
    ] == STILL
    assert (await store.upload(upload.upload_id)).snapshot_id == snapshot.snapshot_id


async def test_commit_is_idempotent(store: RecordStore, clinic: Clinic) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await _send(store, upload, STILL, 1 << 20)
    results = await asyncio.gather(
        *(store.commit_upload(clinic.person, upload.upload_id, at(50)) for _ in range(4))
    )
    assert len({snapshot.snapshot_id for snapshot in results}) == 1
    consultation_id = clinic.consultation.consultation_id
    assert len(await store.snapshots_of_consultation(clinic.doctor, consultation_id, NOW)) == 1


async def test_an_upload_goes_on_after_a_restart(
    open_store: OpenStore, store: RecordStore, clinic: Clinic
) -> None:
    today = datetime.now(UTC)  # opening clears by the clock what is older than seven days
    upload = await store.open_upload(clinic.still(STILL), today)
    await store.append_upload(upload.upload_id, 0, STILL[:5000], today)
    await store.close()
    again = await open_store()
    found = await again.upload(upload.upload_id)
    assert found.offset_bytes == 5000
    await _send(again, found, STILL, 10_000)
    snapshot = await again.commit_upload(clinic.person, upload.upload_id, NOW)
    assert snapshot.sha256 == clinic.still(STILL).sha256


async def test_a_wrong_offset_says_where_to_go_on(store: RecordStore, clinic: Clinic) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await store.append_upload(upload.upload_id, 0, STILL[:100], NOW)
    for offset in (0, 99, 101):
        with pytest.raises(UploadOffsetMismatch) as refused:
            await store.append_upload(upload.upload_id, offset, b"x", NOW)
        assert refused.value.offset_bytes == 100
    with pytest.raises(UploadOffsetMismatch) as early:
        await store.commit_upload(clinic.person, upload.upload_id, NOW)
    assert early.value.offset_bytes == 100


async def test_more_than_announced_or_allowed_is_too_large(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    with pytest.raises(UploadTooLarge):
        await store.open_upload(clinic.still(b"", size_bytes=settings.max_upload_bytes + 1), NOW)
    with pytest.raises(RecordError):
        await store.open_upload(clinic.still(b"", size_bytes=0), NOW)
    upload = await store.open_upload(clinic.still(STILL), NOW)
    with pytest.raises(UploadTooLarge):
        await store.append_upload(upload.upload_id, 0, STILL + b"x", NOW)
    assert (await store.upload(upload.upload_id)).offset_bytes == 0
    with pytest.raises(UploadTooLarge):
        await store.add_snapshot(clinic.person, clinic.still(b""), bytes(settings.max_upload_bytes + 1), NOW)


async def test_an_empty_chunk_changes_nothing(store: RecordStore, clinic: Clinic) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    assert await store.append_upload(upload.upload_id, 0, b"", NOW) == upload


async def test_of_many_appends_at_once_one_wins(store: RecordStore, clinic: Clinic) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    chunks = [STILL[: 1000 + n] for n in range(6)]
    results = await asyncio.gather(
        *(store.append_upload(upload.upload_id, 0, chunk, NOW) for chunk in chunks), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, Upload)]
    assert len(won) == 1
    assert sum(isinstance(result, UploadOffsetMismatch) for result in results) == 5
    await _send(store, won[0], STILL, 10_000)
    assert isinstance(await store.commit_upload(clinic.person, upload.upload_id, NOW), Snapshot)


async def test_two_stores_over_one_record_take_turns(
    open_store: OpenStore, store: RecordStore, clinic: Clinic
) -> None:
    other = await open_store()
    upload = await store.open_upload(clinic.still(STILL), NOW)
    results = await asyncio.gather(
        *(one.append_upload(upload.upload_id, 0, STILL[:4000], NOW) for one in (store, other) * 3),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Upload) for result in results) == 1
    assert sum(isinstance(result, UploadOffsetMismatch) for result in results) == 5


async def test_a_cancelled_append_is_whole_or_absent(store: RecordStore, clinic: Clinic) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    task = asyncio.create_task(store.append_upload(upload.upload_id, 0, STILL[:4000], NOW))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Whatever the cancelled one still does, it does before the next one's turn.
    try:
        went_on = await store.append_upload(upload.upload_id, 4000, STILL[4000:], NOW)
    except UploadOffsetMismatch as refused:
        went_on = await store.append_upload(upload.upload_id, refused.offset_bytes, STILL, NOW)
    assert went_on.offset_bytes == len(STILL)
    snapshot = await store.commit_upload(clinic.person, upload.upload_id, NOW)
    assert snapshot.sha256 == clinic.still(STILL).sha256


@pytest.mark.parametrize(
    ("data", "sha256", "refusal"),
    [(STILL, "00" * 32, HashMismatch), (b"<!DOCTYPE html><script>alert(1)</script>", None, NotAnImage)],
)
async def test_damaged_or_foreign_bytes_are_refused_and_forgotten(
    store: RecordStore,
    clinic: Clinic,
    settings: RecordsConfig,
    data: bytes,
    sha256: str | None,
    refusal: type[RecordError],
) -> None:
    upload = await store.open_upload(clinic.still(data, sha256=sha256), NOW)
    await _send(store, upload, data, 1 << 20)
    results = await asyncio.gather(
        *(store.commit_upload(clinic.person, upload.upload_id, NOW) for _ in range(2)), return_exceptions=True
    )
    assert sorted(map(type, results), key=str) == sorted((refusal, NotFound), key=str)
    with pytest.raises(NotFound):
        await store.upload(upload.upload_id)
    assert not files_under(settings.blob_dir)
    consultation_id = clinic.consultation.consultation_id
    assert await store.snapshots_of_consultation(clinic.doctor, consultation_id, NOW) == []
    again = await store.open_upload(clinic.still(STILL), NOW)
    await _send(store, again, STILL, 1 << 20)
    assert (await store.commit_upload(clinic.person, again.upload_id, NOW)).method is again.new.method


async def test_an_upload_that_only_lacks_room_is_kept(
    store: RecordStore, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await _send(store, upload, STILL, 1 << 20)

    def full(*_: object) -> None:
        raise StorageFull("the disk of the record is full")

    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "put", full)
        with pytest.raises(StorageFull):
            await store.commit_upload(clinic.person, upload.upload_id, NOW)
    assert isinstance(await store.commit_upload(clinic.person, upload.upload_id, NOW), Snapshot)


async def test_unknown_uploads_and_owners_are_not_found(store: RecordStore, clinic: Clinic) -> None:
    for call in (
        store.upload("nothing"),
        store.append_upload("nothing", 0, b"x", NOW),
        store.commit_upload(clinic.person, "nothing", NOW),
        store.open_upload(replace(clinic.still(STILL), owner_id="nothing"), NOW),
        store.open_upload(replace(clinic.photo(STILL), owner_id="nothing"), NOW),
        store.add_snapshot(clinic.person, replace(clinic.still(STILL), owner_id="nothing"), STILL, NOW),
    ):
        with pytest.raises(NotFound):
            await call


async def test_discarding_forgets_bytes_but_never_a_snapshot(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await store.append_upload(upload.upload_id, 0, STILL, NOW)
    assert files_under(settings.blob_dir)
    await store.discard_upload(upload.upload_id)
    await store.discard_upload(upload.upload_id)
    assert not files_under(settings.blob_dir)
    with pytest.raises(NotFound):
        await store.upload(upload.upload_id)
    kept = await store.open_upload(clinic.still(STILL), NOW)
    await _send(store, kept, STILL, 1 << 20)
    snapshot = await store.commit_upload(clinic.person, kept.upload_id, NOW)
    await store.discard_upload(kept.upload_id)
    assert (await store.upload(kept.upload_id)).snapshot_id == snapshot.snapshot_id


async def test_discarding_touches_no_other_file(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await store.append_upload(upload.upload_id, 0, STILL, NOW)
    await store.discard_upload(f"../uploads/{upload.upload_id}")
    assert len(files_under(settings.blob_dir)) == 1


async def test_damage_on_disk_is_found(store: RecordStore, clinic: Clinic, settings: RecordsConfig) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await _send(store, upload, STILL, 5000)
    path = Path(settings.blob_dir, "uploads", upload.upload_id)
    flip_bit(path, 2000)
    with pytest.raises(SealBroken):
        await store.commit_upload(clinic.person, upload.upload_id, NOW)


async def test_a_sweep_forgets_uploads_after_seven_days(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig
) -> None:
    upload = await store.open_upload(clinic.still(STILL), NOW)
    await store.append_upload(upload.upload_id, 0, STILL[:9], NOW)
    assert (await store.sweep(NOW + timedelta(days=7))).uploads == 0
    swept = await store.sweep(NOW + timedelta(days=300))
    assert (swept.uploads, swept.upload_files) == (1, 1)
    assert not files_under(settings.blob_dir)
