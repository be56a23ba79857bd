"""Store: removing what was deleted and is past its retention: an explicit step, each removal audited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from records.clinical import Entry, EntryKind
from records.entry_rows import LATEST, load_entries
from records.people import Actor
from records.retention import kept_until
from records.schema import entries, entry_versions, lesion_snapshots
from records.store_entries import resource_of
from records.transaction import StoreBase, Tx


class RetentionStore(StoreBase):
    """Nothing here runs by itself."""

    async def past_retention(self, actor: Actor, now: datetime) -> tuple[Entry, ...]:
        """What `remove_past_retention` would remove now."""
        async with self._write() as tx:
            found = await self._removable(tx, now)
            await tx.audit(actor, "retention.list", "entries", now)
        return tuple(found)

    async def remove_past_retention(self, actor: Actor, now: datetime) -> int:
        """Remove for good what was deleted and has been kept long enough; returns how many entries.

        What another entry still hangs on stays: a lesion until everything about it is gone, an outline until
        its measurements are. A document's bytes go with the next sweep, since no row names them any more.
        """
        async with self._write() as tx:
            found = await self._removable(tx, now)
            for entry in found:
                await _remove(tx, entry)
            for entry in found:
                await tx.audit(actor, f"{entry.kind.value}.remove", resource_of(entry), now)
        return len(found)

    async def _removable(self, tx: Tx, now: datetime) -> list[Entry]:
        """In the order in which they can be removed: what hangs on others first."""
        deleted = await load_entries(tx, entries.c.deleted_at.is_not(None), LATEST)
        old = [
            entry
            for entry in deleted
            if kept_until(entry.written_at, entry.retention, self._config.retention) <= now
        ]
        gone: set[str] = set()
        order: list[Entry] = []
        for kinds in (_LEAVES, {EntryKind.ANNOTATION}, {EntryKind.LESION}):
            for entry in old:
                if entry.kind in kinds and not await _hung_on(tx, entry.entry_id, gone):
                    gone.add(entry.entry_id)
                    order.append(entry)
        return order


_LEAVES = set(EntryKind) - {EntryKind.ANNOTATION, EntryKind.LESION}


async def _hung_on(tx: Tx, entry_id: str, gone: set[str]) -> bool:
    users = select(entries.c.entry_id).where(
        (entries.c.lesion_id == entry_id) | (entries.c.annotation_id == entry_id)
    )
    return any(row["entry_id"] not in gone for row in await tx.all(users))


async def _remove(tx: Tx, entry: Entry) -> None:
    await tx.change(delete(lesion_snapshots).where(lesion_snapshots.c.lesion_id == entry.entry_id))
    await tx.change(delete(entry_versions).where(entry_versions.c.entry_id == entry.entry_id))
    await tx.change(delete(entries).where(entries.c.entry_id == entry.entry_id))
