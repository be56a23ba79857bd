"""Encrypted blobs and growing uploads as files: whole or absent after a crash, whatever moment it comes at.

A blob is written beside its place, forced to disk, renamed, and its folder forced to disk; an upload's frame
is on disk before its row counts it. Blocking: call in a thread. A full disk is StorageFull.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.framing import open_frames, open_growing, seal_frame, seal_frames
from records.interface import NotFound, StorageFull

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


def _force_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class FileBlobs:
    """Blobs under one folder: `blobs/ab/<name>`, `uploads/<upload_id>`, and `temporary/` on the same disk."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._uploads = root / "uploads"
        self._temporary = root / "temporary"
        with full_disk_is_typed():
            for folder in (root, self._blobs, self._uploads, self._temporary):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _force_folder(folder.parent)

    def _path(self, name: str) -> Path:
        return self._blobs / name[:2] / name

    def put(self, cipher: AESGCM, name: str, data: bytes) -> None:
        """Keep a blob; durable on return. A second put of the same name writes the same content again."""
        path = self._path(name)
        temporary = self._temporary / secrets.token_hex(16)
        with full_disk_is_typed():
            try:
                fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                try:
                    for frame in seal_frames(cipher, name, data):
                        _write_all(fd, frame)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                if not path.parent.is_dir():
                    path.parent.mkdir(mode=0o700, exist_ok=True)
                    _force_folder(self._blobs)
                temporary.replace(path)
                _force_folder(path.parent)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def exists(self, name: str) -> bool:
        """A blob of this name is here, whole."""
        return self._path(name).is_file()

    def stream(self, cipher: AESGCM, name: str) -> Iterator[bytes]:
        """Plain bytes of a blob, a frame at a time; raises NotFound, SealBroken."""
        try:
            source = self._path(name).open("rb")
        except FileNotFoundError:
            raise NotFound("a picture's bytes are missing") from None
        with source:
            yield from open_frames(cipher, name, source)

    def remove(self, name: str) -> None:
        """Forget a blob; absent already is fine."""
        self._path(name).unlink(missing_ok=True)

    def names_older_than(self, moment_s: float) -> Iterator[str]:
        """Names of blobs last written before a moment (seconds since 1970)."""
        for path in self._blobs.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment_s:
                    yield path.name

    def clear_temporary(self, moment_s: float) -> int:
        """Remove half-written files last touched before a moment; returns how many."""
        removed = 0
        for path in self._temporary.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment_s:
                    path.unlink()
                    removed += 1
        return removed

    def open_growing(self, upload_id: str) -> GrowingFile:
        """The file of an upload, for one writer at a time among all processes; blocks until that is so."""
        with full_disk_is_typed():
            return GrowingFile(self._uploads, upload_id)

    def read_upload(self, cipher: AESGCM, upload_id: str, size_bytes: int) -> bytes:
        """The first `size_bytes` plain bytes of an upload; raises NotFound, SealBroken."""
        try:
            source = (self._uploads / upload_id).open("rb")
        except FileNotFoundError:
            raise NotFound("an upload's bytes are missing") from None
        with source:
            return b"".join(open_growing(cipher, upload_id, source, size_bytes))

    def remove_upload(self, upload_id: str) -> None:
        """Forget an upload's bytes; absent already is fine."""
        (self._uploads / upload_id).unlink(missing_ok=True)

    def upload_ids_older_than(self, moment_s: float) -> Iterator[str]:
        """Uploads whose bytes were last written before a moment (seconds since 1970)."""
        for path in self._uploads.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < moment_s:
                    yield path.name


class GrowingFile:
    """An upload's file held under an exclusive lock; `close` lets go of it."""

    def __init__(self, folder: Path, upload_id: str) -> None:
        self._upload_id = upload_id
        path = folder / upload_id
        fresh = not path.exists()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            if fresh:
                _force_folder(folder)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, cipher: AESGCM, offset_bytes: int, stored_bytes: int, chunk: bytes) -> int:
        """Put a chunk behind the `stored_bytes` that count, over whatever a crash left there.

        Durable on return; returns the stored bytes that count from now on.
        """
        frame = seal_frame(cipher, self._upload_id, offset_bytes, final=False, plain=chunk)
        with full_disk_is_typed():
            os.ftruncate(self._fd, stored_bytes)
            os.lseek(self._fd, stored_bytes, os.SEEK_SET)
            _write_all(self._fd, frame)
            os.fsync(self._fd)
        return stored_bytes + len(frame)

    def close(self) -> None:
        """Close the file and let the next writer in."""
        os.close(self._fd)
