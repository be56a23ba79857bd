"""The master key's file: made once, readable by nobody else, refused when it is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from signaling.keys import load_or_make_master_key
from signaling.settings import SettingsError


def test_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    key = load_or_make_master_key(path, may_make=True)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_master_key(path, may_make=True) == key
    assert load_or_make_master_key(path, may_make=False) == key


def test_a_named_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_or_make_master_key(tmp_path / "master.key", may_make=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "é" * 64])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as raised:
        load_or_make_master_key(path, may_make=True)
    assert raised.value.setting == "master_key_file"
