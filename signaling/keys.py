"""The master key's file: read, made at the first start, and changed for a new one by a rotation."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from signaling.settings import SettingsError, old_key_beside

KEY_BYTES = 32


def load_or_make_master_key(path: Path, *, may_make: bool) -> bytes:
    """32 bytes, kept as 64 hexadecimal digits with mode 0600. Raises SettingsError."""
    if may_make and not path.exists():
        return _make(path)
    return load_master_key(path)


def load_master_key(path: Path, setting: str = "master_key_file") -> bytes:
    """Read a key's file. Raises SettingsError, naming the setting."""
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        raise SettingsError(setting, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(setting, "the file cannot be read") from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(setting, "the file does not hold 64 hexadecimal digits")
    return key


def begin_rotation(path: Path) -> None:
    """Put a new key in the place of this one, which goes to `.old`; one that was begun already goes on.

    Killed at whatever step, both files together hold every key that seals anything. Raises SettingsError.
    """
    old, new = old_key_beside(path), path.with_name(f"{path.name}.new")
    key = load_master_key(path)
    try:
        if not old.exists():
            new.unlink(missing_ok=True)
            _write(new, key)
            new.replace(old)
            _force_folder(path.parent)
        elif load_master_key(old) != key:
            return
        new.unlink(missing_ok=True)
        _write(new, secrets.token_bytes(KEY_BYTES))
        new.replace(path)
        _force_folder(path.parent)
    except OSError as error:
        raise SettingsError("master_key_file", "the key's folder cannot be written") from error


def end_rotation(path: Path, old_key_id: str) -> Path:
    """Set the old key aside, which opens nothing but old backups any more; returns its file."""
    retired = path.with_name(f"retired-{old_key_id}.key")
    try:
        old_key_beside(path).replace(retired)
        _force_folder(path.parent)
    except OSError as error:
        raise SettingsError("master_key_file", "the key's folder cannot be written") from error
    return retired


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(KEY_BYTES)
    try:
        _write(path, key)
    except FileExistsError:
        return load_master_key(path)
    except OSError as error:
        raise SettingsError("master_key_file", "the file cannot be made") from error
    _force_folder(path.parent)
    return key


def _write(path: Path, key: bytes) -> None:
    """A new file, durable; raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _force_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
