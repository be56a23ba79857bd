"""What the commands that look after the record do: back it up, restore it, change its master key."""

from __future__ import annotations

from records.interface import BackedUp, RecordError, Restored
from signaling import compose
from signaling.compose import utc_now
from signaling.keys import begin_rotation, end_rotation
from signaling.settings import Settings, SettingsError


async def back_up(settings: Settings, place: str) -> BackedUp:
    """Back the record up, to backup_to where no place is given. Raises SettingsError, RecordError."""
    if not settings.master_key_path.exists():
        raise SettingsError("data", "There is no record yet in this folder")
    return await compose.make_backup(settings, place or _second_place(settings), utc_now())


def backup_words(done: BackedUp) -> str:
    """What a backup did, for a terminal."""
    words = (
        f"Backup {done.backup_id}: {done.rows} rows and {done.blobs} pictures, "
        f"{done.copied_blobs} of them new. All were read again."
    )
    if done.pruned:
        words += f" Removed {done.pruned} older backups."
    if done.missing_blobs:
        words += f" {done.missing_blobs} PICTURES ARE MISSING from the record itself."
    return words


async def list_backups(settings: Settings, place: str) -> list[str]:
    """A line for each whole backup at a place, oldest first. Raises SettingsError, RecordError."""
    found = await compose.backups_at(place or _second_place(settings))
    return [f"{one.backup_id}  {one.created_at:%Y-%m-%d %H:%M} UTC  key {one.master_key_id}" for one in found]


async def restore(settings: Settings, place: str, backup_id: str | None, check: bool) -> tuple[str, bool]:
    """Restore a backup into an empty installation, or only check it; returns words, and whether all is well.

    Raises SettingsError, RecordError; then nothing of it is left.
    """
    if not settings.master_key_path.exists():
        raise SettingsError(
            "master_key_file", f"put the master key of the backup into {settings.master_key_path} first"
        )
    found = await compose.restore_backup(settings, place or _second_place(settings), backup_id, check)
    words = _restored_words(found, "is whole" if check else "was restored")
    if check:
        return words, True
    records = await compose.open_records(settings)
    try:
        lines = await records.verify_audit()
    except RecordError as error:
        return f"{words} Its audit does not hold, and did not when it was backed up: {error}.", False
    finally:
        await records.close()
    return f"{words} {lines} audit lines hold together.", True


def _restored_words(found: Restored, what: str) -> str:
    words = (
        f"The backup {found.backup_id} of {found.created_at:%Y-%m-%d %H:%M} UTC {what}: {found.rows} rows, "
        f"{found.blobs} pictures, {found.uploads} uploads under way."
    )
    if found.missing_blobs:
        words += f" {found.missing_blobs} pictures were missing when it was made."
    return words


def _second_place(settings: Settings) -> str:
    if not settings.backup_to:
        raise SettingsError("backup_to", "set it, or name a place on the command line")
    return settings.backup_to


async def audit_lines(settings: Settings, last: int) -> list[str]:
    """The latest lines of the audit for a terminal, oldest first. Raises SettingsError, RecordError."""
    if not settings.master_key_path.exists():
        raise SettingsError("data", "There is no record yet in this folder")
    records = await compose.open_records(settings)
    try:
        events = await records.audit_events(last)
        origins = await records.origins(events)
    finally:
        await records.close()
    return [
        f"{one.sequence}  {one.at:%Y-%m-%dT%H:%M:%SZ}  {one.role.value}/{one.actor_id}  {origin or '-'}  "
        f"{one.action}  {one.resource}  {one.reason}"
        for one, origin in zip(events, origins, strict=True)
    ]


async def rotate_master_key(settings: Settings) -> str:
    """Wrap every data key anew under a new master key; returns words. Raises SettingsError, RecordError.

    The key that the first start made is changed here; of a key in a file of its own, its owner makes the new
    one and names the old one.
    """
    if not settings.master_key_path.exists():
        raise SettingsError("data", "There is no record yet in this folder")
    if settings.master_key_file and not settings.old_master_key_file:
        raise SettingsError(
            "old_master_key_file",
            "put a new key into master_key_file, and name the file of the one before it here",
        )
    if not settings.old_master_key_file:
        begin_rotation(settings.master_key_path)
    done = await compose.rotate_master_key(settings)
    words = f"{done.data_keys} data keys were wrapped anew under the master key {done.key_id}."
    if settings.old_master_key_file:
        return f"{words} Take old_master_key_file out of the settings; old backups still need that key."
    retired = end_rotation(settings.master_key_path, done.old_key_id)
    return f"{words} The key of before lies in {retired}: old backups still need it."
