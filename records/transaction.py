"""One transaction of the store: rows in and out, patients' keys, and the audit line that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Table, delete, insert, select, update
from sqlalchemy.sql import Executable

from records.audit import Head, is_sealed, next_event, seal_head
from records.blobs import Blobs
from records.engine import Database, Transaction
from records.history import SubjectKind
from records.interface import Actor, NotFound, RecordsConfig, SealBroken
from records.keys import KeyRing, PatientKeys, WrappedKey, encrypt, place
from records.schema import audit, audit_head, patient_keys, search_tokens
from records.search_index import SearchKey
from records.search_terms import Findable
from records.upload_files import UploadFiles

_IN_LIST = 500
# Every transaction runs these three: made once, their values come as parameters.
_APPEND = insert(audit)
_MOVE_HEAD = update(audit_head)
_HEAD = select(audit_head)
T = TypeVar("T")


def origin_place(sequence: int) -> bytes:
    """What the origin of a line is bound to."""
    return place("audit", "origin", str(sequence))


class Tx:
    """A transaction under way. Everything it does is kept, or nothing is."""

    def __init__(self, database: Database, conn: Transaction, ring: KeyRing, search_key: SearchKey) -> None:
        self._database = database
        self.conn = conn
        self._ring = ring
        self._search_key = search_key

    async def all(self, statement: Executable) -> Sequence[RowMapping]:
        """Every row of a query."""
        return (await self.conn.execute(statement)).mappings().all()

    async def first(self, statement: Executable) -> RowMapping | None:
        """The first row of a query, if any."""
        return (await self.conn.execute(statement)).mappings().first()

    async def one(self, statement: Executable, what: str) -> RowMapping:
        """The row that must be there; raises NotFound."""
        row = await self.first(statement)
        if row is None:
            raise NotFound(f"no such {what}")
        return row

    async def change(self, statement: Executable) -> int:
        """Run a change; returns the number of rows it met."""
        return int((await self.conn.execute(statement)).rowcount)

    async def insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows at once."""
        await self.conn.execute(insert(table), rows)

    async def index(
        self, kind: SubjectKind, subject_id: str, patient_id: str, at: datetime, what: Findable
    ) -> None:
        """Let a search find something by what is known of it now."""
        await self.unindex(patient_id, subject_id)
        await self.insert_all(search_tokens, self._search_key.rows(kind, subject_id, patient_id, at, what))

    async def unindex(self, patient_id: str, subject_id: str) -> None:
        """Let no search find something any more."""
        await self.change(
            delete(search_tokens).where(
                search_tokens.c.patient_id == patient_id, search_tokens.c.subject_id == subject_id
            )
        )

    def tokens(self, terms: Iterable[str]) -> list[int]:
        """What the index keeps instead of terms."""
        return [self._search_key.token(term) for term in terms]

    def create_keys(self, patient_id: str, key_id: str) -> tuple[PatientKeys, dict[str, Any]]:
        """Keys of a new patient, and the row that keeps them once the patient's own row is there."""
        wrapped, keys = self._ring.create(patient_id, key_id)
        row = {
            "patient_id": patient_id,
            "key_id": wrapped.key_id,
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped_key,
        }
        return keys, row

    async def keys_of(self, patient_id: str) -> PatientKeys:
        """Keys of one patient."""
        return (await self.keys_of_all([patient_id]))[patient_id]

    async def keys_of_all(self, patient_ids: Iterable[str]) -> dict[str, PatientKeys]:
        """Keys of several patients."""
        found: dict[str, PatientKeys] = {}
        missing: list[str] = []
        for patient_id in dict.fromkeys(patient_ids):
            keys = self._ring.opened(patient_id)
            if keys is None:
                missing.append(patient_id)
            else:
                found[patient_id] = keys
        for start in range(0, len(missing), _IN_LIST):
            part = missing[start : start + _IN_LIST]
            for row in await self.all(select(patient_keys).where(patient_keys.c.patient_id.in_(part))):
                wrapped = WrappedKey(
                    row["patient_id"], row["key_id"], row["master_key_id"], row["wrapped_key"]
                )
                found[wrapped.patient_id] = self._ring.open(wrapped)
        return found

    async def serialize(self) -> None:
        """Be the only transaction that may append to the audit, until the end."""
        await self._database.serialize(self.conn)

    async def audit(self, actor: Actor, action: str, resource: str, now: datetime) -> None:
        """Append one line; the last thing a transaction does."""
        await self.serialize()
        head = await self.head()
        if not is_sealed(self._ring.audit_keys, head):
            # Changed from outside, or a rotation has ended and this process knows the old master key only.
            raise SealBroken("the end of the audit carries a foreign seal")
        origin = self._seal_origin(head.sequence + 1, actor.origin)
        event = next_event(head, now, actor.actor_id, actor.role, action, resource, actor.reason, origin)
        line = asdict(event)
        line["origin"] = line.pop("sealed_origin")
        await self.conn.execute(_APPEND, line)
        await self.conn.execute(
            _MOVE_HEAD, asdict(seal_head(self._ring.audit_key, event.sequence, event.hash))
        )

    def _seal_origin(self, sequence: int, origin: str) -> bytes | None:
        if not origin or self._ring.origins is None:
            return None
        return encrypt(self._ring.origins, origin.encode(), origin_place(sequence))

    async def head(self) -> Head:
        """The end of the audit chain."""
        row = await self.one(_HEAD, "audit")
        return Head(row["sequence"], row["hash"], row["mac"])


class StoreBase:
    """What every part of the store shares: database, keys, blobs, and work that a cancelled caller leaves."""

    def __init__(
        self, config: RecordsConfig, database: Database, ring: KeyRing, blobs: Blobs, files: UploadFiles
    ) -> None:
        self._config = config
        self._database = database
        self._ring = ring
        self._blobs = blobs
        self._upload_files = files
        self._search_key = SearchKey(config.master_key)
        self._unfinished: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[Tx]:
        async with self._database.read() as conn:
            yield Tx(self._database, conn, self._ring, self._search_key)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Tx]:
        async with self._database.write() as conn:
            yield Tx(self._database, conn, self._ring, self._search_key)

    async def _secure_blob(self, tx: Tx, keys: PatientKeys, blob_name: str, data: bytes) -> None:
        """From here to the commit no sweep runs: what is seen on disk now stays there."""
        await tx.serialize()
        if not await asyncio.to_thread(self._blobs.exists, blob_name):
            await asyncio.to_thread(self._blobs.put, keys.blobs, blob_name, data)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work that touches files and rows to its end, though the caller be cancelled meanwhile."""
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, for a caller who is gone; one who waits gets it all the same
