"""RecordStore: the whole store put together, opened, swept and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select

from records import images
from records.blobs import Blobs
from records.engine import Database
from records.interface import RecordsConfig, Swept, WrongMasterKey
from records.keys import KeyRing
from records.objects import open_objects
from records.schema import blob_columns, patient_keys, sessions, uploads
from records.store_accesses import AccessStore
from records.store_audit import AuditStore
from records.store_care import CareStore
from records.store_consultations import ConsultationStore
from records.store_documents import DocumentStore
from records.store_history import HistoryStore
from records.store_participants import ParticipantStore
from records.store_people import PeopleStore
from records.store_referrals import ReferralStore
from records.store_retention import RetentionStore
from records.store_search import SearchStore
from records.store_snapshots import SnapshotStore
from records.store_timeline import TimelineStore
from records.store_words import WordsStore
from records.transaction import Tx
from records.upload_files import UploadFiles

UPLOADS_EXPIRE_AFTER = timedelta(days=7)
_SWEEP_AT_ONCE = 200


class RecordStore(
    PeopleStore,
    CareStore,
    ReferralStore,
    ConsultationStore,
    ParticipantStore,
    WordsStore,
    SnapshotStore,
    DocumentStore,
    TimelineStore,
    HistoryStore,
    SearchStore,
    RetentionStore,
    AuditStore,
    AccessStore,
):
    """The record on one database and one place of blobs: `records.interface.Records`."""

    @classmethod
    async def open(cls, config: RecordsConfig) -> RecordStore:
        """Migrate the schema, check the master key, clear what a crash or time left behind.

        Raises WrongMasterKey, SealBroken, StorageFull, StorageUnavailable.
        """
        ring = KeyRing(config.master_key, config.old_master_keys)
        await asyncio.to_thread(images.warm_up)
        database = Database(config.database_url)
        try:
            await database.migrate()
            objects = await asyncio.to_thread(open_objects, config.blobs_url or config.blob_dir)
            files = await asyncio.to_thread(UploadFiles, Path(config.blob_dir))
            store = cls(config, database, ring, Blobs(objects), files)
            await store._check_master_key()
            await store._begin_audit()
            await store._check_search_index()
            await store._open_origins()
            await store.sweep(datetime.now(UTC))
        except BaseException:
            await database.close()
            raise
        return store

    async def close(self) -> None:
        """Let work under way end, then close the database."""
        if self._unfinished:
            await asyncio.gather(*self._unfinished, return_exceptions=True)
        await self._database.close()

    async def _check_master_key(self) -> None:
        foreign = select(patient_keys.c.key_id).where(
            patient_keys.c.master_key_id.not_in(self._ring.master_key_ids)
        )
        async with self._read() as tx:
            if await tx.first(foreign.limit(1)) is not None:
                raise WrongMasterKey("the record was sealed under another master key")

    async def sweep(self, now: datetime) -> Swept:
        """Clear expired sessions and uploads, half-written files, and blobs that no row names."""
        return await self._to_the_end(self._sweep(now))

    async def _sweep(self, now: datetime) -> Swept:
        before = now - UPLOADS_EXPIRE_AFTER
        async with self._write() as tx:
            dead_sessions = await tx.change(delete(sessions).where(sessions.c.expires_at <= now))
            dead_uploads = await tx.change(delete(uploads).where(uploads.c.created_at < before))
        moment_s = now.timestamp() - self._config.orphan_grace_s
        temporary = await asyncio.to_thread(self._blobs.clear_temporary, moment_s)
        upload_files = await self._sweep_upload_files(moment_s)
        return Swept(dead_sessions, dead_uploads, upload_files, temporary, await self._sweep_blobs(moment_s))

    async def _sweep_upload_files(self, moment_s: float) -> int:
        removed = 0
        for upload_id in await asyncio.to_thread(lambda: list(self._upload_files.ids_older_than(moment_s))):
            growing = select(uploads.c.upload_id).where(
                uploads.c.upload_id == upload_id, uploads.c.snapshot_id.is_(None)
            )
            async with self._read() as tx:
                alive = await tx.first(growing) is not None
            if not alive:
                await asyncio.to_thread(self._upload_files.remove, upload_id)
                removed += 1
        return removed

    async def _sweep_blobs(self, moment_s: float) -> int:
        """Blobs are told from orphans under the audit's lock, so that no commit can come in between."""
        names = await asyncio.to_thread(lambda: list(self._blobs.names_older_than(moment_s)))
        removed = 0
        for start in range(0, len(names), _SWEEP_AT_ONCE):
            part = names[start : start + _SWEEP_AT_ONCE]
            async with self._read() as tx:
                suspects = await _unnamed(tx, part)
            if not suspects:
                continue
            # A row that was removed must be so on disk as well, before its blob goes.
            await self._database.flush()
            async with self._write() as tx:
                await tx.serialize()
                for name in await _unnamed(tx, suspects):
                    await asyncio.to_thread(self._blobs.remove, name)
                    removed += 1
        return removed


async def _unnamed(tx: Tx, names: Sequence[str]) -> list[str]:
    """Which of these blobs no row names."""
    named: set[str] = set()
    for column in blob_columns():
        named.update(row["blob_name"] for row in await tx.all(select(column).where(column.in_(names))))
    return [name for name in names if name not in named]
