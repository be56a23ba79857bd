"""Backup, restore and a new master key as the person who looks after a server types them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from records.interface import NotFound, WrongMasterKey
from signaling import compose
from signaling.keys import begin_rotation, end_rotation, load_master_key
from signaling.record_commands import audit_lines, back_up, list_backups, restore, rotate_master_key
from signaling.settings import SettingsError
from tests.signaling.test_cli import command
from tests.support.record import files_under, furnish
from tests.support.settings import loopback_settings

STAFF = (
    *("staff", "add", "--role", "specialist", "--email", "lin@clinic.example", "--name", "Dr. Lin"),
    *("--site", "Clinic", "--password-stdin"),
)


def _copy_key(data: Path, to: Path, name: str = "master.key") -> None:
    (to / "keys").mkdir(parents=True)
    shutil.copy(data / "keys" / name, to / "keys" / "master.key")


async def test_backed_up_wiped_and_restored(tmp_path: Path) -> None:
    data, fresh, place = tmp_path / "data", tmp_path / "fresh", str(tmp_path / "place")
    code, _, errors = await command(data, *STAFF, stdin=b"a long enough password\n")
    assert code == 0, errors
    code, out, _ = await command(data, "backup", "--to", place)
    assert (code, out.startswith("Backup ")) == (0, True)
    second = await back_up(loopback_settings(data, backup_to=place), "")
    code, out, _ = await command(data, "restore", "--list", "--from", place)
    ids = [line.split()[0] for line in out.splitlines()]
    assert (code, ids[1:]) == (0, [second.backup_id])
    words, fine = await restore(loopback_settings(data), place, None, check=True)
    assert fine
    assert "is whole" in words

    await asyncio.to_thread(_copy_key, data, fresh)
    code, out, errors = await command(fresh, "restore", "--from", place, "--backup", ids[0])
    assert code == 0, errors
    assert "was restored" in out
    records = await compose.open_records(loopback_settings(fresh))
    assert await records.staff_by_email("lin@clinic.example") is not None
    await records.close()
    code, _, errors = await command(fresh, "restore", "--from", place)
    assert code == 1
    assert "backup.not_empty" in errors


async def test_without_a_place_or_a_record_it_says_so(tmp_path: Path) -> None:
    settings = loopback_settings(tmp_path / "data")
    for call, setting in (
        (back_up(settings, "somewhere"), "data"),
        (rotate_master_key(settings), "data"),
        (list_backups(settings, ""), "backup_to"),
        (restore(settings, "somewhere", None, check=False), "master_key_file"),
    ):
        with pytest.raises(SettingsError) as refused:
            await call
        assert refused.value.setting == setting
    assert files_under(tmp_path) == []
    await (await compose.open_records(settings)).close()
    with pytest.raises(SettingsError):
        await back_up(settings, "")
    with pytest.raises(NotFound):
        await restore(settings, str(tmp_path / "nowhere"), None, check=False)


async def test_a_new_master_key_and_a_backup_of_before(tmp_path: Path) -> None:
    data, place = tmp_path / "data", str(tmp_path / "place")
    settings, key = loopback_settings(data), data / "keys" / "master.key"
    records = await compose.open_records(settings)
    await furnish(records)
    await records.close()
    await back_up(settings, place)
    shown = await audit_lines(settings, 2)
    assert [line.split()[4] for line in shown] == ["participant.add", "referral.read"]
    before = load_master_key(key)
    words = await rotate_master_key(settings)
    assert load_master_key(key) != before
    [retired] = [path for path in files_under(data) if path.name.startswith("retired-")]
    assert load_master_key(retired) == before
    assert retired.name in words
    assert words.startswith("1 data keys")
    # The old backup needs the old key, and what it held goes on under the new one.
    fresh = tmp_path / "fresh"
    await asyncio.to_thread(_copy_key, data, fresh)
    with pytest.raises(WrongMasterKey):
        await restore(loopback_settings(fresh), place, None, check=False)
    both = loopback_settings(fresh, old_master_key_file=str(retired))
    _, fine = await restore(both, place, None, check=False)
    assert fine
    assert "old_master_key_file" in await rotate_master_key(both)
    records = await compose.open_records(loopback_settings(fresh))
    assert await records.verify_audit() > 0
    await records.close()


async def test_of_a_key_in_a_file_of_its_own_the_owner_makes_the_new_one(tmp_path: Path) -> None:
    key = tmp_path / "own.key"
    await asyncio.to_thread(key.write_text, "cd" * 32)
    settings = loopback_settings(tmp_path / "data", master_key_file=str(key))
    await (await compose.open_records(settings)).close()
    with pytest.raises(SettingsError) as refused:
        await rotate_master_key(settings)
    assert refused.value.setting == "old_master_key_file"


def test_key_files_at_each_step_of_a_rotation(tmp_path: Path) -> None:
    path, old = tmp_path / "master.key", tmp_path / "master.key.old"
    path.write_text("ab" * 32)
    begin_rotation(path)
    assert load_master_key(old) == b"\xab" * 32
    new = load_master_key(path)
    begin_rotation(path)  # begun already: goes on with the same key
    assert load_master_key(path) == new
    retired = end_rotation(path, "0123")
    assert load_master_key(retired) == b"\xab" * 32
    assert {one.name for one in tmp_path.iterdir()} == {"master.key", "retired-0123.key"}
    # Killed after the old key was copied, before there was a new one.
    old.write_text(new.hex())
    (tmp_path / "master.key.new").write_text("half")
    begin_rotation(path)
    assert load_master_key(old) == new
    assert load_master_key(path) != new
    for one in (path, old):
        assert one.stat().st_mode & 0o077 == 0 or one == old
    with pytest.raises(SettingsError):
        begin_rotation(tmp_path / "none.key")
