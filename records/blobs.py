"""Encrypted blobs, kept whole under `blobs/ab/<name>`, as files or on an S3 server. Blocking: in a thread."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.framing import open_frames, seal_frames
from records.objects import Objects

FOLDER = "blobs"


def object_name(name: str) -> str:
    """Where a blob of this name lies among objects, in the record as in its backups."""
    return f"{FOLDER}/{name[:2]}/{name}"


class Blobs:
    """Blobs are named by their content (`records.keys`): what is kept once is never written again."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def put(self, cipher: AESGCM, name: str, data: bytes) -> None:
        """Keep a blob; durable on return. Raises StorageFull, StorageUnavailable."""
        self.objects.put(object_name(name), seal_frames(cipher, name, data))

    def exists(self, name: str) -> bool:
        """A blob of this name is here, whole."""
        return self.objects.exists(object_name(name))

    def stream(self, cipher: AESGCM, name: str) -> Iterator[bytes]:
        """Plain bytes of a blob, a frame at a time; raises NotFound, SealBroken, StorageUnavailable."""
        with self.objects.get(object_name(name)) as source:
            yield from open_frames(cipher, name, source)

    def remove(self, name: str) -> None:
        """Forget a blob; absent already is fine."""
        self.objects.remove(object_name(name))

    def names_older_than(self, moment_s: float) -> Iterator[str]:
        """Names of blobs last written before a moment (seconds since 1970)."""
        for one in self.objects.list(FOLDER):
            if one.modified_s < moment_s:
                yield one.name.rpartition("/")[2]

    def clear_temporary(self, moment_s: float) -> int:
        """Remove half-written blobs last touched before a moment; returns how many."""
        return self.objects.clear_temporary(moment_s)
