"""The master key's file: read, or made at the first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from signaling.settings import SettingsError

KEY_BYTES = 32


def load_or_make_master_key(path: Path, *, may_make: bool) -> bytes:
    """32 bytes, kept as 64 hexadecimal digits with mode 0600. Raises SettingsError."""
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        if not may_make:
            raise SettingsError("master_key_file", "there is no such file") from None
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("master_key_file", "the file cannot be read") from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError("master_key_file", "the file does not hold 64 hexadecimal digits")
    return key


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_or_make_master_key(path, may_make=False)
    except OSError as error:
        raise SettingsError("master_key_file", "the file cannot be made") from error
    with os.fdopen(handle, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
