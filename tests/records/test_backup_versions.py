"""Backups of other versions of the program: older ones are brought to this one, newer ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from records import backup_format as fmt
from records import restore
from records.backup import back_up
from records.backup_place import BackupPlace
from records.interface import BackupBroken, RecordError, RecordsConfig, Site
from records.keys import KeyRing
from records.objects import open_objects
from records.store import RecordStore
from tests.support.compare import rows_of

MANIFEST = fmt.Manifest


async def test_a_backup_of_an_older_version_is_brought_to_this_one(empty: RecordsConfig, place: str) -> None:
    """As a version wrote it whose schema had fewer tables."""
    now, backup_id = datetime.now(UTC), "20260101T020000Z-00c0ffee"
    where, ring = BackupPlace(open_objects(place)), KeyRing(empty.master_key)
    cipher = ring.backup_cipher(ring.master_key_id, backup_id)
    shape = fmt.TableShape("sites", (("site_id", "text"), ("name", "text")))
    sealed = fmt.seal_part(cipher, backup_id, "rows-sites-0", fmt.pack_rows(shape, [("s", "Old practice")]))
    where.write(where.name(backup_id, "rows-sites-0"), sealed)
    part = fmt.PartFacts("rows-sites-0", 1, fmt.sha256(sealed))
    manifest = fmt.Manifest("0001", (shape,), (("sites", part),), (), (), ())
    header = fmt.Header(fmt.FORMAT, backup_id, now, ring.master_key_id, "")
    where.write(where.name(backup_id, "manifest"), fmt.seal_manifest(cipher, header, manifest))
    await restore.restore(empty, place)
    again = await RecordStore.open(empty)
    assert await again.site("s") == Site("s", "Old practice")
    assert await again.verify_audit() == 0
    await again.close()


async def test_a_backup_of_a_newer_version_is_refused(
    store: RecordStore, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fmt, "FORMAT", fmt.FORMAT + 1)
        await back_up(settings, place, datetime.now(UTC), 30)
    with pytest.raises(BackupBroken, match="another version"):
        await restore.restore(fresh, place)


async def test_a_schema_that_this_version_does_not_know_is_refused(
    store: RecordStore, settings: RecordsConfig, fresh: RecordsConfig, place: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fmt, "Manifest", lambda revision, *rest: MANIFEST("9999", *rest))
        await back_up(settings, place, datetime.now(UTC), 30)
    with pytest.raises(RecordError, match="newer version"):
        await restore.restore(fresh, place)
    assert await rows_of(fresh) == {}
