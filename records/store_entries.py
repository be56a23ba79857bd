"""Store: what clinicians write, in versions: lesions, annotations, measurements, conditions, notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from records.clinical import (
    IMMUTABLE,
    Annotation,
    Content,
    Document,
    Entry,
    EntryChanged,
    EntryKind,
    LesionRecord,
    Measurement,
    Tied,
    kind_of,
    retention_of,
)
from records.entry_rows import LATEST, load_entries, one_entry, seal_content
from records.errors import Conflict, InvalidEntry, NotFound
from records.ids import new_id
from records.indexing import index_entry
from records.people import Actor
from records.rows import load_snapshots
from records.schema import (
    consultations,
    entries,
    entry_versions,
    lesion_snapshots,
    patients,
    snapshots,
)
from records.transaction import StoreBase, Tx


class EntryStore(StoreBase):
    """Entries are never edited in place: each change is a version of its own, over the one that was read."""

    async def add_entry(
        self, actor: Actor, patient_id: str, content: Content, tied: Tied, now: datetime
    ) -> Entry:
        """Write something about a patient; raises NotFound for what it is tied to, InvalidEntry."""
        if isinstance(content, Document):
            raise InvalidEntry("a document comes with its bytes")
        async with self._write() as tx:
            await tx.one(select(patients.c.patient_id).where(patients.c.patient_id == patient_id), "patient")
            added = await insert_entry(tx, actor, patient_id, content, tied, now)
            await tx.audit(actor, f"{added.kind.value}.create", resource_of(added), now)
        return added

    async def entry(self, actor: Actor, entry_id: str, now: datetime, version: int | None = None) -> Entry:
        """An entry as it is, or as it was at a version; one that was deleted says so. Raises NotFound."""
        async with self._write() as tx:
            found = await one_entry(tx, entry_id, version)
            await tx.audit(actor, f"{found.kind.value}.read", resource_of(found), now)
        return found

    async def entry_versions(self, actor: Actor, entry_id: str, now: datetime) -> Sequence[Entry]:
        """Every version of an entry, the latest first; raises NotFound."""
        async with self._write() as tx:
            found = await load_entries(tx, entries.c.entry_id == entry_id)
            if not found:
                raise NotFound("no such entry")
            await tx.audit(actor, f"{found[0].kind.value}.versions", resource_of(found[0]), now)
        return found

    async def entries(
        self,
        actor: Actor,
        patient_id: str,
        now: datetime,
        kinds: Sequence[EntryKind] = (),
        *,
        lesion_id: str | None = None,
        snapshot_id: str | None = None,
    ) -> Sequence[Entry]:
        """What stands about a patient, of some kinds or any, of one lesion or picture; newest first."""
        where = [entries.c.patient_id == patient_id, entries.c.deleted_at.is_(None), LATEST]
        if kinds:
            where.append(entries.c.kind.in_(list(kinds)))
        if lesion_id is not None:
            where.append(entries.c.lesion_id == lesion_id)
        if snapshot_id is not None:
            where.append(entries.c.snapshot_id == snapshot_id)
        async with self._write() as tx:
            found = await load_entries(tx, *where)
            await tx.audit(actor, "entry.list", f"patient/{patient_id}/entries", now)
        return found

    async def change_entry(
        self, actor: Actor, entry_id: str, content: Content, expected_version: int, now: datetime
    ) -> Entry:
        """Write a new version over the one that was read.

        Raises EntryChanged with what is there now if it is another by now, or was deleted; InvalidEntry for
        another kind of content, or for what has one version only; NotFound.
        """
        async with self._write() as tx:
            before = await one_entry(tx, entry_id)
            _check_change(before, content)
            if isinstance(content, Annotation):
                await _check_lies_on(tx, before.tied.snapshot_id, content)
            keys = await tx.keys_of(before.patient_id)
            await _take(tx, before, expected_version, version=expected_version + 1, changed_at=now)
            await tx.change(
                insert(entry_versions).values(
                    entry_id=entry_id,
                    version=expected_version + 1,
                    content=seal_content(keys, entry_id, expected_version + 1, content),
                    author_id=actor.actor_id,
                    written_at=now,
                )
            )
            changed = await one_entry(tx, entry_id)
            await index_entry(tx, changed)
            await tx.audit(actor, f"{changed.kind.value}.change", resource_of(changed), now)
        return changed

    async def delete_entry(self, actor: Actor, entry_id: str, expected_version: int, now: datetime) -> Entry:
        """Take an entry out of sight; nothing is removed. Raises EntryChanged, NotFound."""
        async with self._write() as tx:
            before = await one_entry(tx, entry_id)
            await _take(tx, before, expected_version, deleted_at=now)
            await tx.unindex(before.patient_id, entry_id)
            deleted = await one_entry(tx, entry_id)
            await tx.audit(actor, f"{deleted.kind.value}.delete", resource_of(deleted), now)
        return deleted

    async def restore_entry(self, actor: Actor, entry_id: str, now: datetime) -> Entry:
        """Bring a deleted entry back; one that is there stays. Raises NotFound."""
        async with self._write() as tx:
            await tx.change(update(entries).where(entries.c.entry_id == entry_id).values(deleted_at=None))
            restored = await one_entry(tx, entry_id)
            await index_entry(tx, restored)
            await tx.audit(actor, f"{restored.kind.value}.restore", resource_of(restored), now)
        return restored

    async def link_snapshot(
        self, actor: Actor, lesion_id: str, snapshot_id: str, now: datetime
    ) -> LesionRecord:
        """Say that a picture shows a lesion; idempotent. Raises NotFound, InvalidEntry for a foreign one."""
        try:
            async with self._write() as tx:
                lesion = await _standing(tx, lesion_id, EntryKind.LESION)
                await _check_snapshot(tx, lesion.patient_id, snapshot_id)
                await _link(tx, actor, lesion_id, snapshot_id, now)
                found = await _lesion_record(tx, lesion)
                await tx.audit(actor, "lesion.link", f"lesion/{lesion_id}/snapshot/{snapshot_id}", now)
        except IntegrityError:
            return await self.lesion(actor, lesion_id, now)  # somebody else said so at the same moment
        return found

    async def unlink_snapshot(
        self, actor: Actor, lesion_id: str, snapshot_id: str, now: datetime
    ) -> LesionRecord:
        """Say that a picture does not show a lesion after all; raises Conflict where something drawn on it
        says that it does, and NotFound."""
        async with self._write() as tx:
            lesion = await _standing(tx, lesion_id, EntryKind.LESION)
            drawn = select(entries.c.entry_id).where(
                entries.c.lesion_id == lesion_id,
                entries.c.snapshot_id == snapshot_id,
                entries.c.deleted_at.is_(None),
            )
            if await tx.first(drawn.limit(1)) is not None:
                raise Conflict("something is drawn or measured of this lesion on this picture")
            await tx.change(
                delete(lesion_snapshots).where(
                    lesion_snapshots.c.lesion_id == lesion_id,
                    lesion_snapshots.c.snapshot_id == snapshot_id,
                )
            )
            found = await _lesion_record(tx, lesion)
            await tx.audit(actor, "lesion.unlink", f"lesion/{lesion_id}/snapshot/{snapshot_id}", now)
        return found

    async def lesion(self, actor: Actor, lesion_id: str, now: datetime) -> LesionRecord:
        """A lesion with the pictures that show it; raises NotFound."""
        async with self._write() as tx:
            found = await _lesion_record(tx, await _standing(tx, lesion_id, EntryKind.LESION))
            await tx.audit(actor, "lesion.read", f"lesion/{lesion_id}", now)
        return found


def resource_of(entry: Entry) -> str:
    """An entry in the audit."""
    return f"{entry.kind.value}/{entry.entry_id}"


async def insert_entry(
    tx: Tx,
    actor: Actor,
    patient_id: str,
    content: Content,
    tied: Tied,
    now: datetime,
    blob_name: str | None = None,
) -> Entry:
    """Version 1 of an entry, within a transaction. Raises NotFound, InvalidEntry."""
    await _check_tied(tx, patient_id, content, tied)
    entry_id, kind = new_id(now), kind_of(content)
    keys = await tx.keys_of(patient_id)
    await tx.change(
        insert(entries).values(
            entry_id=entry_id,
            kind=kind,
            patient_id=patient_id,
            lesion_id=tied.lesion_id,
            snapshot_id=tied.snapshot_id,
            consultation_id=tied.consultation_id,
            annotation_id=tied.annotation_id,
            at=now,
            version=1,
            changed_at=now,
            retention=retention_of(content),
            blob_name=blob_name,
        )
    )
    await tx.change(
        insert(entry_versions).values(
            entry_id=entry_id,
            version=1,
            content=seal_content(keys, entry_id, 1, content),
            author_id=actor.actor_id,
            written_at=now,
        )
    )
    if tied.lesion_id is not None and tied.snapshot_id is not None:
        await _link(tx, actor, tied.lesion_id, tied.snapshot_id, now)
    added = await one_entry(tx, entry_id)
    await index_entry(tx, added)
    return added


def _check_change(before: Entry, content: Content) -> None:
    if kind_of(content) is not before.kind:
        raise InvalidEntry("an entry keeps its kind")
    if before.kind in IMMUTABLE:
        raise InvalidEntry("a measurement is never edited: measure again")
    old = before.content
    if isinstance(content, Document) and isinstance(old, Document):
        same = (old.media_type, old.size_bytes, old.sha256)
        if (content.media_type, content.size_bytes, content.sha256) != same:
            raise InvalidEntry("a document keeps its bytes")


async def _take(tx: Tx, before: Entry, expected_version: int, **values: object) -> None:
    """Change the row of an entry that is as it was read; raises EntryChanged with what is there now."""
    taken = await tx.change(
        update(entries)
        .where(
            entries.c.entry_id == before.entry_id,
            entries.c.version == expected_version,
            entries.c.deleted_at.is_(None),
        )
        .values(**values)
    )
    if taken != 1:
        raise EntryChanged(await one_entry(tx, before.entry_id))


async def _standing(tx: Tx, entry_id: str, kind: EntryKind) -> Entry:
    """An entry of this kind that was not deleted; raises NotFound."""
    found = await one_entry(tx, entry_id)
    if found.kind is not kind or found.deleted_at is not None:
        raise NotFound(f"no such {kind.value}")
    return found


async def _check_tied(tx: Tx, patient_id: str, content: Content, tied: Tied) -> None:
    if tied.lesion_id is not None:
        lesion = await _standing(tx, tied.lesion_id, EntryKind.LESION)
        _check_same(lesion.patient_id, patient_id)
    if tied.snapshot_id is not None:
        await _check_snapshot(tx, patient_id, tied.snapshot_id)
    if tied.consultation_id is not None:
        query = select(consultations.c.patient_id)
        row = await tx.one(
            query.where(consultations.c.consultation_id == tied.consultation_id), "consultation"
        )
        _check_same(row["patient_id"], patient_id)
    if isinstance(content, Annotation):
        await _check_lies_on(tx, tied.snapshot_id, content)
    if isinstance(content, Measurement) != (tied.annotation_id is not None):
        raise InvalidEntry("a measurement, and nothing else, is made of an annotation")
    if isinstance(content, Measurement) and tied.annotation_id is not None:
        drawn = await _standing(tx, tied.annotation_id, EntryKind.ANNOTATION)
        basis = content.basis
        if basis.annotation_id != drawn.entry_id or not 1 <= basis.annotation_version <= drawn.version:
            raise InvalidEntry("the measurement was made of another outline")
        if (drawn.tied.snapshot_id, drawn.tied.lesion_id) != (tied.snapshot_id, tied.lesion_id):
            raise InvalidEntry("a measurement is about what its outline is about")
        _check_same(drawn.patient_id, patient_id)


async def _check_lies_on(tx: Tx, snapshot_id: str | None, content: Annotation) -> None:
    if snapshot_id is None:
        raise InvalidEntry("an annotation is drawn on a picture")
    query = select(snapshots.c.width_px, snapshots.c.height_px)
    row = await tx.one(query.where(snapshots.c.snapshot_id == snapshot_id), "snapshot")
    if not content.lies_on(row["width_px"], row["height_px"]):
        raise InvalidEntry("an annotation lies on its picture")


async def _check_snapshot(tx: Tx, patient_id: str, snapshot_id: str) -> None:
    query = select(snapshots.c.patient_id).where(snapshots.c.snapshot_id == snapshot_id)
    _check_same((await tx.one(query, "snapshot"))["patient_id"], patient_id)


def _check_same(patient_id: str, wanted: str) -> None:
    if patient_id != wanted:
        raise InvalidEntry("this belongs to another patient")


async def _link(tx: Tx, actor: Actor, lesion_id: str, snapshot_id: str, now: datetime) -> None:
    there = select(lesion_snapshots).where(
        lesion_snapshots.c.lesion_id == lesion_id, lesion_snapshots.c.snapshot_id == snapshot_id
    )
    if await tx.first(there) is None:
        await tx.change(
            insert(lesion_snapshots).values(
                lesion_id=lesion_id, snapshot_id=snapshot_id, linked_by=actor.actor_id, linked_at=now
            )
        )


async def _lesion_record(tx: Tx, lesion: Entry) -> LesionRecord:
    showing = select(lesion_snapshots.c.snapshot_id).where(lesion_snapshots.c.lesion_id == lesion.entry_id)
    found = await load_snapshots(tx, snapshots.c.snapshot_id.in_(showing))
    return LesionRecord(lesion, tuple(reversed(found)))
