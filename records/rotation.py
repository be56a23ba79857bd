"""A new master key: data keys are wrapped anew under it, while the record is there and whole at every moment.

What a key was wrapped under stands in its row, and both master keys are given until the last row is done: a
process that is killed in between has lost nothing, and the next one goes on. Blobs, their names and sealed
columns hang on data keys, which stay. The audit's end is sealed anew first: from then on a process that knows
only the old key can write nothing, and so can create no patient under it.
"""

from __future__ import annotations

from sqlalchemy import select, update

from records.audit import is_sealed, seal_head
from records.engine import Database
from records.interface import NotFound, RecordsConfig, SealBroken, WrongMasterKey
from records.keys import KeyRing, WrappedKey
from records.schema import audit_head, patient_keys, record_keys
from records.search_index import SearchKey
from records.transaction import Tx

AT_ONCE = 200


async def rotate(config: RecordsConfig) -> int:
    """Wrap everything anew that is wrapped under `old_master_keys`; returns how many data keys that were.

    The record has been opened by this version. Raises WrongMasterKey where a key is wrapped under a master
    key that is not given, SealBroken where the audit's end is not sealed by any.
    """
    database = Database(config.database_url)
    key = config.master_key
    ring = KeyRing(key, config.old_master_keys)
    try:
        await _check(database, ring, key)
        await _seal_audit(database, ring, key)
        await _wrap_record_keys(database, ring, key)
        done = 0
        while found := await _wrap_some(database, ring, key):
            done += found
        return done
    finally:
        await database.close()


async def _check(database: Database, ring: KeyRing, key: bytes) -> None:
    foreign = select(patient_keys.c.key_id).where(patient_keys.c.master_key_id.not_in(ring.master_key_ids))
    async with database.read() as conn:
        if await Tx(database, conn, ring, SearchKey(key)).first(foreign.limit(1)) is not None:
            raise WrongMasterKey("the record was sealed under another master key")


async def _seal_audit(database: Database, ring: KeyRing, key: bytes) -> None:
    async with database.write() as conn:
        tx = Tx(database, conn, ring, SearchKey(key))
        await tx.serialize()
        try:
            head = await tx.head()
        except NotFound:
            raise SealBroken("the audit has lost its end") from None
        if not is_sealed(ring.audit_keys, head):
            raise SealBroken("the end of the audit carries a foreign seal")
        await tx.change(
            update(audit_head).values(mac=seal_head(ring.audit_key, head.sequence, head.hash).mac)
        )


async def _wrap_record_keys(database: Database, ring: KeyRing, key: bytes) -> None:
    old = record_keys.c.master_key_id != ring.master_key_id
    async with database.write() as conn:
        tx = Tx(database, conn, ring, SearchKey(key))
        await tx.serialize()
        for row in await tx.all(select(record_keys).where(old)):
            wrapped = ring.rewrap_record_key(row["use"], row["master_key_id"], row["wrapped_key"])
            await tx.change(
                update(record_keys)
                .where(record_keys.c.use == row["use"])
                .values(master_key_id=ring.master_key_id, wrapped_key=wrapped)
            )


async def _wrap_some(database: Database, ring: KeyRing, key: bytes) -> int:
    """The next data keys, all of them or none; returns how many."""
    old = patient_keys.c.master_key_id != ring.master_key_id
    async with database.write() as conn:
        tx = Tx(database, conn, ring, SearchKey(key))
        rows = await tx.all(
            select(patient_keys).where(old).order_by(patient_keys.c.patient_id).limit(AT_ONCE)
        )
        for row in rows:
            before = WrappedKey(row["patient_id"], row["key_id"], row["master_key_id"], row["wrapped_key"])
            after = ring.rewrap(before)
            await tx.change(
                update(patient_keys)
                .where(patient_keys.c.patient_id == before.patient_id, old)
                .values(master_key_id=after.master_key_id, wrapped_key=after.wrapped_key)
            )
    return len(rows)
