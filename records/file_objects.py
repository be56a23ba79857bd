"""Objects as files: whole or absent after a crash, whatever moment it comes at.

An object is written beside its place, forced to disk, renamed, and its folder forced to disk. A full disk is
StorageFull.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from records.interface import NotFound, StorageFull
from records.objects import ObjectFacts

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def full_disk_is_typed() -> Iterator[None]:
    """Turn the system's words for a full disk into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the disk of the record is full") from error
        raise


def make_folder(folder: Path) -> None:
    """Make a folder of ours and those above it; durable on return."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        force_folder(folder.parent)


def force_folder(folder: Path) -> None:
    """Force the names in a folder to disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class FileObjects:
    """`records.objects.Objects` in one folder, with `temporary/` in it for what is being written."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._temporary = self._root / "temporary"
        with full_disk_is_typed():
            make_folder(self._temporary)

    def put(self, name: str, data: Iterable[bytes], *, replace: bool = False) -> None:
        """See Objects."""
        path = self._root / name
        temporary = self._temporary / secrets.token_hex(16)
        with full_disk_is_typed():
            make_folder(path.parent)
            if not replace and path.is_file():
                force_folder(path.parent)  # whoever renamed it may not have come that far
                return
            try:
                fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                try:
                    for part in data:
                        write_all(fd, part)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                temporary.replace(path)
                force_folder(path.parent)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def get(self, name: str) -> BinaryIO:
        """See Objects."""
        try:
            return (self._root / name).open("rb")
        except FileNotFoundError:
            raise NotFound("bytes of the record are missing") from None

    def exists(self, name: str) -> bool:
        """See Objects."""
        return (self._root / name).is_file()

    def remove(self, name: str) -> None:
        """See Objects."""
        (self._root / name).unlink(missing_ok=True)

    def list(self, folder: str) -> Iterator[ObjectFacts]:
        """See Objects."""
        for place, _, names in os.walk(self._root / folder):
            for name in names:
                path = Path(place, name)
                with contextlib.suppress(FileNotFoundError):
                    facts = path.stat()
                    relative = path.relative_to(self._root).as_posix()
                    yield ObjectFacts(relative, facts.st_size, facts.st_mtime)

    def clear_temporary(self, moment_s: float) -> int:
        """See Objects."""
        removed = 0
        for path in self._temporary.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment_s:
                    path.unlink()
                    removed += 1
        return removed
