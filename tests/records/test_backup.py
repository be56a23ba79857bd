"""A backup of a record that is written to, and the same record from it; torn and changed ones are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from records import backup, restore
from records.backup import back_up
from records.backup_place import BackupPlace
from records.body_map import Laterality
from records.clinical import Lesion, Note, Tied
from records.engine import Database
from records.interface import (
    BackupBroken,
    BackupRunning,
    ConsentGiven,
    Gamut,
    NotEmpty,
    NotFound,
    RecordError,
    RecordsConfig,
    StorageUnavailable,
    Variant,
    WrongMasterKey,
)
from records.objects import open_objects
from records.restore import check_backup, list_backups
from records.schema import metadata
from records.store import RecordStore
from records.upload_files import UploadFiles
from tests.records.test_store_documents import attach
from tests.support.compare import bytes_of, rows_of
from tests.support.ports import free_port
from tests.support.record import Clinic, OpenStore, config, files_under, furnish, jpeg, make_file
from tests.support.s3 import S3Server


async def _fill(store: RecordStore, clinic: Clinic, seed: int = 0) -> None:
    """A row of every kind, pictures, an upload that has ended and one under way."""
    now, consultation_id = datetime.now(UTC), clinic.consultation.consultation_id
    patient_id = clinic.patient.participant_id
    for number in range(3):
        data = jpeg(100 * seed + number)
        kept = await store.add_snapshot(clinic.person, clinic.still(data), data, now)
    report = {"raw_de00": 3.25, "grade": "usable", "words": ["ä", None, True], "big": 12345678901234567890}
    await store.add_derived(
        clinic.doctor, kept.snapshot_id, Variant.CORRECTED, jpeg(100 * seed + 10), report, "s", now
    )
    await store.add_derived(
        clinic.doctor, kept.snapshot_id, Variant.DISPLAY, jpeg(100 * seed + 11), None, "s", now
    )
    await store.give_consent(
        clinic.person, patient_id, ConsentGiven("1", "zh", "00" * 32, ("care",), now), now
    )
    await store.add_display_check(clinic.doctor, consultation_id, Gamut.P3, True, now, now)
    await store.add_chat_line(clinic.person, patient_id, "it itches", now)
    lesion = await store.add_entry(
        clinic.doctor,
        clinic.referral.patient.patient_id,
        Lesion("mole 1", "forearm", Laterality.LEFT),
        Tied(),
        now,
    )
    await store.add_entry(
        clinic.doctor,
        clinic.referral.patient.patient_id,
        Note("seen 已看", {}),
        Tied(lesion.entry_id, kept.snapshot_id, consultation_id),
        now,
    )
    await attach(store, clinic, jpeg(100 * seed + 30))
    for done in (True, False):
        data = jpeg(100 * seed + 20 + done)
        upload = await store.open_upload(clinic.still(data), now)
        await store.append_upload(upload.upload_id, 0, data if done else data[:900], now)
        if done:
            await store.commit_upload(clinic.person, upload.upload_id, now)


@asynccontextmanager
async def _under_writes(store: RecordStore, clinic: Clinic) -> AsyncIterator[None]:
    """Pictures, notes and chat that come as fast as they can while the block runs."""
    ends = asyncio.Event()

    async def write(seed: int) -> None:
        for number in count(1):
            data = jpeg(1000 * seed + number)
            now = datetime.now(UTC)
            upload = await store.open_upload(clinic.still(data), now)
            await store.append_upload(upload.upload_id, 0, data[:1000], now)
            await store.append_upload(upload.upload_id, 1000, data[1000:], now)
            await store.commit_upload(clinic.person, upload.upload_id, now)
            await store.add_chat_line(clinic.person, clinic.patient.participant_id, f"{number}", now)
            if ends.is_set():
                return

    tasks = [asyncio.ensure_future(write(seed)) for seed in (1, 2)]
    try:
        yield
    finally:
        ends.set()
        await asyncio.gather(*tasks)


async def _read_everything(config: RecordsConfig, clinic: Clinic) -> int:
    """Every picture of the consultation, and the audit; returns the number of pictures."""
    store = await RecordStore.open(config)
    now, consultation_id = datetime.now(UTC), clinic.consultation.consultation_id
    await store.verify_audit()
    found = await store.snapshots_of_consultation(clinic.doctor, consultation_id, now)
    for snapshot in found:
        await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, Variant.ORIGINAL, now)
        for derived in snapshot.derived:
            await store.snapshot_bytes(clinic.doctor, snapshot.snapshot_id, derived.variant, now)
    await store.close()
    return len(found)


async def test_a_record_under_writes_comes_back_as_it_was(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, empty: RecordsConfig, place: str
) -> None:
    """Each database into each: the state of one moment first, then, once nobody writes, all of it."""
    await _fill(store, clinic)
    async with _under_writes(store, clinic):
        during = await back_up(settings, place, datetime.now(UTC), 30)
    after = await back_up(settings, place, datetime.now(UTC) + timedelta(seconds=1), 30)
    before = await rows_of(settings), bytes_of(settings)
    assert during.missing_blobs == after.missing_blobs == 0
    assert after.copied_blobs == after.blobs - during.blobs
    assert (await check_backup(settings, place)).blobs == after.blobs

    restored = await restore.restore(empty, place)
    assert (restored.backup_id, restored.rows, restored.blobs) == (after.backup_id, after.rows, after.blobs)
    assert bytes_of(empty) == before[1]
    rows = await rows_of(empty)
    if empty.database_url.partition(":")[0] == settings.database_url.partition(":")[0]:
        assert rows == before[0]
    else:
        assert {name: len(found) for name, found in rows.items()} == {
            name: len(found) for name, found in before[0].items()
        }
    assert await _read_everything(empty, clinic) == await _read_everything(settings, clinic)


async def test_the_state_of_one_moment_is_whole(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, empty: RecordsConfig, place: str
) -> None:
    async with _under_writes(store, clinic):
        await back_up(settings, place, datetime.now(UTC), 30)
    await restore.restore(empty, place)
    again = await RecordStore.open(empty)
    # It is a record like any other: what was under way goes on, and new rows get new numbers.
    await _fill(again, clinic, seed=9)
    await again.close()
    assert await _read_everything(empty, clinic) > 0


@pytest.mark.parametrize("kind", ["moto", "nanio"])
async def test_the_second_place_and_the_record_may_be_on_s3(
    kind: str,
    open_store: OpenStore,
    settings: RecordsConfig,
    request: pytest.FixtureRequest,
    fresh: RecordsConfig,
) -> None:
    server: S3Server = request.getfixturevalue(kind)
    live = replace(settings, blobs_url=server.url())
    store = await open_store(live)
    clinic = await furnish(store)
    await _fill(store, clinic)
    place = server.url()
    await back_up(live, place, datetime.now(UTC), 30)
    rows, kept = await rows_of(live), bytes_of(live)
    fresh = replace(fresh, blobs_url=server.url())
    await restore.restore(fresh, place)
    assert bytes_of(fresh) == kept
    if live.database_url.startswith("sqlite"):
        assert await rows_of(fresh) == rows
    assert await _read_everything(fresh, clinic) == 4


async def test_nobody_reads_a_backup_without_the_key(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    await back_up(settings, place, datetime.now(UTC), 30)
    stored = b"".join(path.read_bytes() + str(path).encode() for path in files_under(place))
    for words in (b"skin@example.org", b"Village practice", b"itches", jpeg(0)[:64]):
        assert words not in stored
    for call in (restore.restore, check_backup):
        with pytest.raises(WrongMasterKey):
            await call(replace(fresh, master_key=bytes(32)), place)
    other = replace(fresh, master_key=bytes(32), old_master_keys=(settings.master_key,))
    assert (await check_backup(other, place)).rows > 0


async def test_a_record_that_is_there_is_not_touched(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    await back_up(settings, place, datetime.now(UTC), 30)
    before = await rows_of(settings), bytes_of(settings)
    with pytest.raises(NotEmpty):
        await restore.restore(settings, place)
    assert (await rows_of(settings), bytes_of(settings)) == before


async def test_a_record_that_was_only_started_is_empty(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, empty: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    await back_up(settings, place, datetime.now(UTC), 30)
    await (await RecordStore.open(empty)).close()
    await restore.restore(empty, place)
    assert await _read_everything(empty, clinic) == 4


def _flip(path: Path) -> None:
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(bytes(stored))


async def test_harm_to_any_object_is_found_and_nothing_is_left(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    await back_up(settings, place, datetime.now(UTC), 30)
    for path in files_under(place):
        whole = path.read_bytes()
        for harm in (_flip, Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])):
            harm(path)
            with pytest.raises((BackupBroken, NotFound)):
                await restore.restore(fresh, place)
            with pytest.raises((BackupBroken, NotFound)):
                await check_backup(fresh, place)
            path.write_bytes(whole)
        assert bytes_of(fresh) == {}
    await restore.restore(fresh, place)
    assert await _read_everything(fresh, clinic) == 4


async def test_parts_of_two_backups_cannot_be_mixed(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    first = await back_up(settings, place, datetime.now(UTC), 30)
    second = await back_up(settings, place, datetime.now(UTC) + timedelta(seconds=1), 30)
    older, newer = (Path(place, "backups", one.backup_id) for one in (first, second))
    for path in files_under(newer):
        whole, other = path.read_bytes(), (older / path.name).read_bytes()
        if whole == other:  # a list of the same blobs, an upload that stood still
            continue
        path.write_bytes(other)
        with pytest.raises((BackupBroken, NotFound)):
            await restore.restore(fresh, place, second.backup_id)
        path.write_bytes(whole)


async def test_a_torn_backup_is_none(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(store, clinic)
    whole = await back_up(settings, place, datetime.now(UTC), 30)
    write, left = BackupPlace.write, iter(range(5))

    def torn(self: BackupPlace, name: str, data: bytes) -> None:
        if next(left, None) is None:
            raise StorageUnavailable("the place is away")
        write(self, name, data)

    with monkeypatch.context() as patched:
        patched.setattr(BackupPlace, "write", torn)
        with pytest.raises(StorageUnavailable):
            await back_up(settings, place, datetime.now(UTC) + timedelta(seconds=1), 30)
    assert [one.backup_id for one in await list_backups(place)] == [whole.backup_id]
    folders = Path(place, "backups")
    assert len({path.parent for path in files_under(folders)}) == 2
    later = datetime.now(UTC) + timedelta(days=2)
    third = await back_up(settings, place, later, 30)
    assert {one.backup_id for one in await list_backups(place)} == {whole.backup_id, third.backup_id}
    assert {path.parent.name for path in files_under(folders)} == {whole.backup_id, third.backup_id}


async def test_old_backups_go_and_what_only_they_held(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    start = datetime.now(UTC)
    gone = Path(place, "blobs", "ab", "ab" * 32)
    reports = []
    for day in range(6):
        reports.append(await back_up(settings, place, start + timedelta(days=10 * day), 25))
        if day == 0:
            make_file(gone)
    assert [one.pruned for one in reports] == [0, 0, 0, 1, 1, 1]
    kept = await list_backups(place)
    assert [one.backup_id for one in kept] == [one.backup_id for one in reports[3:]]
    assert gone not in files_under(place)
    await restore.restore(fresh, place)
    assert await _read_everything(fresh, clinic) == 4
    # However old they are, the last three stay.
    assert (await back_up(settings, place, start + timedelta(days=1000), 25)).pruned == 1
    assert len(await list_backups(place)) == 3


async def test_another_records_backups_stay(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, place: str, tmp_path: Path
) -> None:
    other = config(f"sqlite+aiosqlite:///{tmp_path}/other/record.db", str(tmp_path / "other" / "blobs"))
    neighbor = await RecordStore.open(other)
    others_clinic = await furnish(neighbor)
    await _fill(neighbor, others_clinic, seed=5)
    await neighbor.close()
    start = datetime.now(UTC)
    theirs = await back_up(other, place, start, 1)
    for day in range(1, 6):
        await back_up(settings, place, start + timedelta(days=10 * day), 1)
    assert theirs.backup_id in {one.backup_id for one in await list_backups(place)}
    assert (await check_backup(other, place, theirs.backup_id)).blobs == theirs.blobs


async def test_pictures_that_the_record_lost_are_counted(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    await _fill(store, clinic)
    [lost, *_] = files_under(Path(settings.blob_dir, "blobs"))
    lost.unlink()
    assert (await back_up(settings, place, datetime.now(UTC), 30)).missing_blobs == 1
    assert (await restore.restore(fresh, place)).missing_blobs == 1


async def test_an_upload_whose_bytes_are_elsewhere_begins_anew(
    store: RecordStore, clinic: Clinic, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    now = datetime.now(UTC)
    upload = await store.open_upload(clinic.still(jpeg()), now)
    await store.append_upload(upload.upload_id, 0, jpeg()[:500], now)
    UploadFiles(Path(settings.blob_dir)).remove(upload.upload_id)
    await back_up(settings, place, now, 30)
    await restore.restore(fresh, place)
    again = await RecordStore.open(fresh)
    assert (await again.upload(upload.upload_id)).offset_bytes == 0
    await again.append_upload(upload.upload_id, 0, jpeg(), now)
    assert (await again.commit_upload(clinic.person, upload.upload_id, now)).size_bytes == len(jpeg())
    await again.close()


async def test_one_backup_at_a_time(store: RecordStore, settings: RecordsConfig, place: str) -> None:
    database = Database(settings.database_url)
    async with database.only_backup():
        with pytest.raises(BackupRunning):
            await back_up(settings, place, datetime.now(UTC), 30)
    await database.close()
    await back_up(settings, place, datetime.now(UTC), 30)


async def test_a_place_that_is_none_is_refused(
    store: RecordStore, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    with pytest.raises(RecordError):
        await back_up(settings, settings.blob_dir, datetime.now(UTC), 30)
    for call in (restore.restore, check_backup):
        with pytest.raises(NotFound):
            await call(fresh, place)
    away = f"s3://k:s@b/x?endpoint=http://127.0.0.1:{free_port()}&region=r"
    with pytest.raises(StorageUnavailable):
        await list_backups(away)
    with pytest.raises(StorageUnavailable):
        await back_up(settings, away, datetime.now(UTC), 30)


@pytest.mark.usefixtures("clinic")
async def test_tables_of_many_pages_are_whole(
    store: RecordStore,
    settings: RecordsConfig,
    fresh: RecordsConfig,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "PAGE_ROWS", 2)
    monkeypatch.setattr(backup, "PAGE_BLOBS", 1)
    before = await rows_of(settings)
    done = await back_up(settings, place, datetime.now(UTC), 30)
    assert done.rows == sum(len(rows) for name, rows in before.items() if name != "alembic_version")
    await restore.restore(fresh, place)
    assert {name: len(rows) for name, rows in (await rows_of(fresh)).items()} == {
        name: len(rows) for name, rows in before.items()
    }


async def test_rows_that_do_not_fit_together_are_refused(
    open_store: OpenStore, settings: RecordsConfig, empty: RecordsConfig, place: str
) -> None:
    """A database that lost rows behind the program's back: its backup does not pass for whole."""
    await open_store()
    database = Database(settings.database_url)
    async with database.write() as conn:
        if database.is_sqlite:
            await conn.execute(text("PRAGMA defer_foreign_keys=ON"))
        await conn.execute(text("INSERT INTO sites (site_id, name) VALUES ('s', 'x')"))
        await conn.execute(
            text(
                "INSERT INTO staff (staff_id, site_id, email, name, role, language, password_hash) "
                "VALUES ('d', 's', 'd@x.example', 'Dr.', 'specialist', 'en', '!')"
            )
        )
    await database.close()

    class WithoutSites:
        sorted_tables = tuple(table for table in metadata.sorted_tables if table.name != "sites")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(backup, "metadata", WithoutSites)
        await back_up(settings, place, datetime.now(UTC), 30)
    with pytest.raises(BackupBroken):
        await restore.restore(empty, place)
    fresh = await RecordStore.open(empty)
    assert await fresh.staff("d") is None
    await fresh.close()


async def test_objects_of_the_place_read_back_wrong_are_no_backup(
    store: RecordStore, settings: RecordsConfig, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BackupPlace, "read", lambda self, name: b"other bytes")
    with pytest.raises(BackupBroken):
        await back_up(settings, place, datetime.now(UTC), 30)
    assert await list_backups(place) == []
    assert list(open_objects(place).list("temporary")) == []
