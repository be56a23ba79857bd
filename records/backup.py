"""A backup of the whole record at a second place, consistent while the record is written to.

Rows are read in one transaction that sees one state (SQLite in WAL mode, PostgreSQL REPEATABLE READ) and
hinders no writer. The blobs that those rows name are never changed, so they can be copied after it, and only
those that no earlier backup brought there. Everything is read again and compared by hash; the manifest comes
last.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Table, literal, select, text, tuple_

from records import backup_format as fmt
from records.backup_place import LEFT_ALONE_FOR, BackupPlace
from records.blobs import Blobs, object_name
from records.engine import Database, Transaction, newest_revision
from records.interface import BackedUp, BackupBroken, NotFound, RecordError, RecordsConfig
from records.keys import KeyRing
from records.objects import open_objects
from records.schema import metadata
from records.upload_files import UploadFiles

PAGE_ROWS = 1000
PAGE_BLOBS = 5000
_AUDIT_ROOT = text("SELECT hash FROM audit WHERE sequence = 1")


async def back_up(config: RecordsConfig, place: str, now: datetime, keep_days: int) -> BackedUp:
    """Back the record up to a folder or an `s3://` URL, then remove backups older than `keep_days`.

    Works beside a server that runs. Raises BackupRunning, BackupBroken where the place does not give back
    what it was given, StorageFull, StorageUnavailable; RecordError where no start has brought the record to
    this version.
    """
    if place in (config.blob_dir, config.blobs_url):
        raise RecordError("a backup lies in another place than the record")
    objects = await asyncio.to_thread(open_objects, place)
    live = await asyncio.to_thread(open_objects, config.blobs_url or config.blob_dir)
    files = await asyncio.to_thread(UploadFiles, Path(config.blob_dir))
    database = Database(config.database_url, raw_json=True)
    try:
        async with database.only_backup():
            ring = KeyRing(config.master_key)
            work = _Backup(database, BackupPlace(objects), Blobs(live), files, ring, now)
            return await work.run(keep_days)
    finally:
        await database.close()


class _Backup:
    """One backup under way."""

    def __init__(
        self,
        database: Database,
        place: BackupPlace,
        live: Blobs,
        files: UploadFiles,
        ring: KeyRing,
        now: datetime,
    ) -> None:
        self._database = database
        self._place = place
        self._live = live
        self._files = files
        self._ring = ring
        self._now = now
        self._id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._cipher = ring.backup_cipher(ring.master_key_id, self._id)
        self._record = ""
        self._shapes: list[fmt.TableShape] = []
        self._rows: list[tuple[str, fmt.PartFacts]] = []
        self._blob_names: dict[str, None] = {}
        self._growing: list[tuple[str, int]] = []

    async def run(self, keep_days: int) -> BackedUp:
        stale_s = (self._now - LEFT_ALONE_FOR).timestamp()
        await asyncio.to_thread(self._place.objects.clear_temporary, stale_s)
        async with self._database.read() as conn:
            await self._read_rows(conn)
        uploads = [facts for one in self._growing if (facts := await self._copy_upload(*one)) is not None]
        known = await asyncio.to_thread(self._known_blobs)
        parts, copied, missing = await self._copy_blobs(known)
        manifest = fmt.Manifest(
            newest_revision(),
            tuple(self._shapes),
            tuple(self._rows),
            tuple(parts),
            tuple(uploads),
            tuple(missing),
        )
        header = fmt.Header(fmt.FORMAT, self._id, self._now, self._ring.master_key_id, self._record)
        sealed = await asyncio.to_thread(fmt.seal_manifest, self._cipher, header, manifest)
        await asyncio.to_thread(self._place.write, self._place.name(self._id, "manifest"), sealed)
        pruned = await asyncio.to_thread(self._place.prune, self._record, self._now, keep_days)
        return BackedUp(
            self._id,
            sum(part.count for _, part in self._rows),
            len(self._blob_names) - len(missing),
            copied,
            len(missing),
            pruned,
        )

    async def _read_rows(self, conn: Transaction) -> None:
        revision = (await conn.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
        if revision != newest_revision():
            raise RecordError("the record is not of this version: start it first")
        self._record = (await conn.execute(_AUDIT_ROOT)).scalar() or ""
        for table in metadata.sorted_tables:
            shape = fmt.shape_of(table.name, [(one.name, one.type) for one in table.c])
            self._shapes.append(shape)
            number = 0
            async for rows in _pages(conn, table, shape):
                self._note(shape, rows)
                name = f"rows-{shape.name}-{number}"
                packed = await asyncio.to_thread(fmt.pack_rows, shape, rows)
                self._rows.append((shape.name, await self._write_part(name, len(rows), packed)))
                number += 1

    def _note(self, shape: fmt.TableShape, rows: Sequence[Sequence[Any]]) -> None:
        """Remember what rows name: blobs, and uploads under way with what has arrived of them."""
        names = [name for name, _ in shape.columns]
        if "blob_name" in names:
            at = names.index("blob_name")
            self._blob_names |= {row[at]: None for row in rows if row[at] is not None}
        if shape.name == "uploads":
            for row in rows:
                cells = dict(zip(names, row, strict=True))
                if cells["snapshot_id"] is None and cells["stored_bytes"]:
                    self._growing.append((cells["upload_id"], cells["stored_bytes"]))

    async def _write_part(self, name: str, count: int, data: bytes) -> fmt.PartFacts:
        sealed = await asyncio.to_thread(fmt.seal_part, self._cipher, self._id, name, data)
        return await self._write(name, count, sealed)

    async def _write(self, name: str, count: int, data: bytes) -> fmt.PartFacts:
        await asyncio.to_thread(self._place.write, self._place.name(self._id, name), data)
        return fmt.PartFacts(name, count, fmt.sha256(data))

    async def _copy_upload(self, upload_id: str, stored_bytes: int) -> fmt.UploadFacts | None:
        """What has arrived of an upload. One that ended meanwhile is restored with nothing of it here."""
        try:
            data = await asyncio.to_thread(self._files.sealed, upload_id, stored_bytes)
        except NotFound:
            return None
        name = f"upload-{upload_id}"
        return fmt.UploadFacts(upload_id, name, (await self._write(name, 1, data)).sha256)

    def _known_blobs(self) -> dict[str, fmt.BlobFacts]:
        """Blobs of the latest backup of this record under this key, as far as they are at the place."""
        sizes = self._place.blob_sizes()
        for backup_id in reversed(self._place.ids()):
            try:
                header, data = self._place.manifest(backup_id)
                if (header.record, header.master_key_id) != (self._record, self._ring.master_key_id):
                    continue
                cipher = self._ring.backup_cipher(header.master_key_id, backup_id)
                found = _blobs_of(self._place, cipher, backup_id, data)
            except (NotFound, BackupBroken):
                continue
            return {one.name: one for one in found if sizes.get(one.name) == one.size_bytes}
        return {}

    async def _copy_blobs(
        self, known: dict[str, fmt.BlobFacts]
    ) -> tuple[list[fmt.PartFacts], int, list[str]]:
        names = list(self._blob_names)
        parts: list[fmt.PartFacts] = []
        missing: list[str] = []
        copied = 0
        for start in range(0, len(names), PAGE_BLOBS):
            page: list[fmt.BlobFacts] = []
            for name in names[start : start + PAGE_BLOBS]:
                facts = known.get(name)
                if facts is None:
                    facts = await asyncio.to_thread(self._copy_blob, name)
                    copied += facts is not None
                if facts is None:
                    missing.append(name)
                else:
                    page.append(facts)
            packed = await asyncio.to_thread(fmt.pack_blobs, page)
            parts.append(await self._write(f"blobs-{len(parts)}", len(page), packed))
        return parts, copied, missing

    def _copy_blob(self, name: str) -> fmt.BlobFacts | None:
        """Copy one blob, and read it again; None where the record itself has lost it."""
        try:
            with self._live.objects.get(object_name(name)) as source:
                data = source.read()
        except NotFound:
            return None
        self._place.write(object_name(name), data)
        return fmt.BlobFacts(name, len(data), fmt.sha256(data))


def _blobs_of(place: BackupPlace, cipher: AESGCM, backup_id: str, manifest: bytes) -> list[fmt.BlobFacts]:
    """Every blob of a backup. Raises NotFound, BackupBroken."""
    found: list[fmt.BlobFacts] = []
    for part in fmt.open_manifest(cipher, manifest).blobs:
        data = place.read(place.name(backup_id, part.name))
        if fmt.sha256(data) != part.sha256:
            raise BackupBroken("a part of the backup is damaged")
        found += fmt.unpack_blobs(data)
    return found


async def _pages(
    conn: Transaction, table: Table, shape: fmt.TableShape
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """All rows of a table by its primary key, so many at a time."""
    clause = shape.clause()
    key = [clause.c[one.name] for one in table.primary_key]
    at = [list(clause.c).index(one) for one in key]
    page = select(clause).order_by(*key).limit(PAGE_ROWS)
    last: Sequence[Any] | None = None
    while True:
        query = page if last is None else page.where(tuple_(*key) > tuple_(*_values(key, last)))
        rows = (await conn.execute(query)).all()
        if not rows:
            return
        yield [tuple(row) for row in rows]
        last = [rows[-1][n] for n in at]


def _values(key: Sequence[Any], last: Sequence[Any]) -> list[Any]:
    return [literal(value, column.type) for column, value in zip(key, last, strict=True)]
