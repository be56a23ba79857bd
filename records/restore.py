"""A record from its backup: into an empty installation only, whole or not at all.

Every part is looked at before anything is written; blobs are compared by hash as they are copied, and taken
away again where one is wrong; rows come last, in one transaction. A process killed before that leaves orphans
behind, which the next start clears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from records import backup_format as fmt
from records.backup_place import BackupPlace
from records.blobs import object_name
from records.engine import Database, Transaction
from records.interface import (
    BackupBroken,
    BackupFacts,
    NotEmpty,
    NotFound,
    RecordError,
    RecordsConfig,
    Restored,
)
from records.keys import KeyRing
from records.objects import Objects, open_objects
from records.upload_files import UploadFiles

_AT_ONCE = 500
_VERSION = "alembic_version"
_OF_A_START = ("audit_head", "record_keys", "search_index")
"""What the first start of an empty record writes."""


async def list_backups(place: str) -> Sequence[BackupFacts]:
    """Whole backups at a folder or an `s3://` URL, oldest first; raises StorageUnavailable."""

    def look() -> list[BackupFacts]:
        return [header.facts() for header in BackupPlace(open_objects(place)).headers()]

    return await asyncio.to_thread(look)


async def check_backup(config: RecordsConfig, place: str, backup_id: str | None = None) -> Restored:
    """Read a whole backup, the latest by default, and compare all of it by hash; writes nothing.

    Raises NotFound without a backup, WrongMasterKey, BackupBroken, StorageUnavailable.
    """
    found = await asyncio.to_thread(_open, config, place, backup_id)
    await asyncio.to_thread(found.check_rows)
    for blob in await asyncio.to_thread(found.blobs):
        await asyncio.to_thread(found.blob, blob)
    return found.restored()


async def restore(config: RecordsConfig, place: str, backup_id: str | None = None) -> Restored:
    """Restore a backup, the latest by default, into an empty record of either database. Start no server yet.

    Raises as `check_backup`, and NotEmpty, StorageFull; then nothing is left of it.
    """
    found = await asyncio.to_thread(_open, config, place, backup_id)
    database = Database(config.database_url, raw_json=True)
    try:
        await _must_be_empty(database, found.manifest.revision)
        await asyncio.to_thread(found.check_rows)
        blobs = await asyncio.to_thread(found.blobs)
        objects = await asyncio.to_thread(open_objects, config.blobs_url or config.blob_dir)
        files = await asyncio.to_thread(UploadFiles, Path(config.blob_dir))
        written = _Written(objects, files)
        try:
            for blob in blobs:
                await asyncio.to_thread(written.put_blob, blob.name, found, blob)
            for upload in found.manifest.uploads:
                await asyncio.to_thread(written.put_upload, upload, found)
            await _put_rows(database, found)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(written.undo))
            raise
        return found.restored()
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class _Found:
    """A backup whose manifest opened."""

    place: BackupPlace
    header: fmt.Header
    manifest: fmt.Manifest
    cipher: AESGCM

    def part(self, name: str, sha256: str) -> bytes:
        """The bytes of a part, or of a blob; raises BackupBroken."""
        try:
            data = self.place.read(name)
        except NotFound:
            raise BackupBroken("a part of the backup is missing") from None
        if fmt.sha256(data) != sha256:
            raise BackupBroken("a part of the backup is damaged")
        return data

    def _own(self, name: str) -> str:
        return self.place.name(self.header.backup_id, name)

    def rows(self) -> Iterator[tuple[fmt.TableShape, list[dict[str, object]]]]:
        """Rows, a part at a time; raises BackupBroken."""
        shapes = {shape.name: shape for shape in self.manifest.tables}
        for table, part in self.manifest.rows:
            sealed = self.part(self._own(part.name), part.sha256)
            packed = fmt.open_part(self.cipher, self.header.backup_id, part.name, sealed)
            rows = fmt.unpack_rows(shapes[table], packed)
            if len(rows) != part.count:
                raise BackupBroken("a part of the backup is damaged")
            yield shapes[table], rows

    def check_rows(self) -> None:
        """Open every part but the blobs; raises BackupBroken."""
        for _ in self.rows():
            pass
        for upload in self.manifest.uploads:
            self.upload(upload)

    def upload(self, upload: fmt.UploadFacts) -> bytes:
        """What had arrived of an upload; raises BackupBroken."""
        return self.part(self._own(upload.name), upload.sha256)

    def blobs(self) -> list[fmt.BlobFacts]:
        """Every blob; raises BackupBroken, also where the place lacks one, or has one of another size."""
        sizes = self.place.blob_sizes()
        found: list[fmt.BlobFacts] = []
        for part in self.manifest.blobs:
            found += fmt.unpack_blobs(self.part(self._own(part.name), part.sha256))
        if any(sizes.get(blob.name) != blob.size_bytes for blob in found):
            raise BackupBroken("a picture of the backup is missing or cut short")
        return found

    def blob(self, blob: fmt.BlobFacts) -> bytes:
        """The sealed bytes of a blob; raises BackupBroken."""
        return self.part(object_name(blob.name), blob.sha256)

    def restored(self) -> Restored:
        """What all of it holds."""
        return Restored(
            self.header.backup_id,
            self.header.created_at,
            sum(part.count for _, part in self.manifest.rows),
            sum(part.count for part in self.manifest.blobs),
            len(self.manifest.uploads),
            len(self.manifest.missing_blobs),
        )


class _Written:
    """What a restore has put in place so far, to be taken away again if it fails."""

    def __init__(self, objects: Objects, files: UploadFiles) -> None:
        self._objects = objects
        self._files = files
        self._names: list[str] = []
        self._uploads: list[str] = []

    def put_blob(self, name: str, found: _Found, blob: fmt.BlobFacts) -> None:
        data = found.blob(blob)
        self._names.append(object_name(name))
        self._objects.put(object_name(name), [data], replace=True)

    def put_upload(self, upload: fmt.UploadFacts, found: _Found) -> None:
        data = found.upload(upload)
        self._uploads.append(upload.upload_id)
        file = self._files.open_growing(upload.upload_id)
        try:
            file.write_from(0, data)
        finally:
            file.close()

    def undo(self) -> None:
        """No row names any of it. What cannot be removed now is an orphan that a start clears."""
        with suppress(RecordError, OSError):
            for name in self._names:
                self._objects.remove(name)
            for upload_id in self._uploads:
                self._files.remove(upload_id)


def _open(config: RecordsConfig, place: str, backup_id: str | None) -> _Found:
    where = BackupPlace(open_objects(place))
    ids = where.ids()
    wanted = backup_id or (ids[-1] if ids else None)
    if wanted is None or wanted not in ids:
        raise NotFound("there is no such backup at this place")
    header, data = where.manifest(wanted)
    ring = KeyRing(config.master_key, config.old_master_keys)
    cipher = ring.backup_cipher(header.master_key_id, wanted)
    return _Found(where, header, fmt.open_manifest(cipher, data), cipher)


async def _must_be_empty(database: Database, revision: str) -> None:
    """Raise NotEmpty unless no row is there, of no other version's tables."""
    try:
        async with database.read() as conn:
            tables = await conn.run_sync(lambda connection: inspect(connection).get_table_names())
            if not tables:
                return
            for table in tables:
                if table not in (_VERSION, *_OF_A_START) and await _has_rows(conn, table):
                    raise NotEmpty("there is a record already: a backup is restored into an empty one only")
            if await conn.run_sync(_revision) != revision:
                raise NotEmpty("the empty record is of another version than the backup: make a new database")
    except (OSError, DBAPIError) as error:
        raise RecordError("the record's database does not answer, or is no database") from error


def _revision(connection: Connection) -> str | None:
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


async def _has_rows(conn: Transaction, table: str) -> bool:
    name = fmt.TableShape(table, ()).clause()
    return (await conn.execute(select(text("1")).select_from(name).limit(1))).first() is not None


async def _put_rows(database: Database, found: _Found) -> None:
    async def put(conn: Transaction) -> None:
        for shape in found.manifest.tables:
            if shape.name in _OF_A_START:
                await conn.execute(delete(shape.clause()))
        parts = found.rows()
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            shape, rows = part
            for start in range(0, len(rows), _AT_ONCE):
                await conn.execute(insert(shape.clause()), rows[start : start + _AT_ONCE])
        await _forget_lost_bytes(conn, [upload.upload_id for upload in found.manifest.uploads])
        if not database.is_sqlite:
            await _advance_sequences(conn, found.manifest.tables)

    try:
        await database.fill(found.manifest.revision, put)
    except SQLAlchemyError as error:
        raise BackupBroken("the rows of the backup do not fit together") from error


async def _forget_lost_bytes(conn: Transaction, kept: Sequence[str]) -> None:
    """Let uploads whose bytes are not here begin anew: their senders still have them."""
    growing = "UPDATE uploads SET offset_bytes = 0, stored_bytes = 0 WHERE snapshot_id IS NULL"
    ids = (
        (await conn.execute(text("SELECT upload_id FROM uploads WHERE snapshot_id IS NULL"))).scalars().all()
    )
    for upload_id in set(ids) - set(kept):
        await conn.execute(text(f"{growing} AND upload_id = :upload_id"), {"upload_id": upload_id})


async def _advance_sequences(conn: Transaction, tables: Sequence[fmt.TableShape]) -> None:
    """PostgreSQL goes on counting behind the rows that were put in with their numbers."""
    for shape in tables:
        clause = shape.clause()
        for name, kind in shape.columns:
            if kind != "integer":
                continue
            counter = select(func.pg_get_serial_sequence(shape.name, name))
            if (sequence := (await conn.execute(counter)).scalar()) is None:
                continue
            most = (await conn.execute(select(func.max(clause.c[name])))).scalar()
            if most is not None:
                await conn.execute(select(func.setval(sequence, most)))
