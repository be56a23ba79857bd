"""Growing uploads as encrypted files of this host: a frame is on disk before its row counts it.

They stay files where blobs lie on an S3 server: there nothing can be appended to. Blocking: call in a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.file_objects import force_folder, full_disk_is_typed, make_folder, write_all
from records.framing import open_growing, seal_frame
from records.interface import NotFound


class UploadFiles:
    """Uploads under way, each in `uploads/<upload_id>` of one folder."""

    def __init__(self, root: Path) -> None:
        self._uploads = root / "uploads"
        with full_disk_is_typed():
            make_folder(self._uploads)

    def open_growing(self, upload_id: str) -> GrowingFile:
        """The file of an upload, for one writer at a time among all processes; blocks until that is so."""
        with full_disk_is_typed():
            return GrowingFile(self._uploads, upload_id)

    def read(self, cipher: AESGCM, upload_id: str, size_bytes: int) -> bytes:
        """The first `size_bytes` plain bytes of an upload; raises NotFound, SealBroken."""
        with self._open(upload_id) as source:
            return b"".join(open_growing(cipher, upload_id, source, size_bytes))

    def sealed(self, upload_id: str, stored_bytes: int) -> bytes:
        """The first `stored_bytes` bytes as they lie on disk; raises NotFound, also where there are fewer."""
        with self._open(upload_id) as source:
            found = source.read(stored_bytes)
        if len(found) != stored_bytes:
            raise NotFound("an upload's bytes are missing")
        return found

    def _open(self, upload_id: str) -> BinaryIO:
        try:
            return (self._uploads / upload_id).open("rb")
        except FileNotFoundError:
            raise NotFound("an upload's bytes are missing") from None

    def remove(self, upload_id: str) -> None:
        """Forget an upload's bytes; absent already is fine."""
        (self._uploads / upload_id).unlink(missing_ok=True)

    def ids_older_than(self, moment_s: float) -> Iterator[str]:
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
                force_folder(folder)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, cipher: AESGCM, offset_bytes: int, stored_bytes: int, chunk: bytes) -> int:
        """Put a chunk behind the `stored_bytes` that count, over whatever a crash left there.

        Durable on return; returns the stored bytes that count from now on.
        """
        frame = seal_frame(cipher, self._upload_id, offset_bytes, final=False, plain=chunk)
        self.write_from(stored_bytes, frame)
        return stored_bytes + len(frame)

    def write_from(self, stored_bytes: int, sealed: bytes) -> None:
        """Let the file be its first `stored_bytes` and these; durable on return."""
        with full_disk_is_typed():
            os.ftruncate(self._fd, stored_bytes)
            os.lseek(self._fd, stored_bytes, os.SEEK_SET)
            write_all(self._fd, sealed)
            os.fsync(self._fd)

    def close(self) -> None:
        """Close the file and let the next writer in."""
        os.close(self._fd)
