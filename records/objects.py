"""Named bytes that are kept whole, as files or on an S3 server: what the two have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """One line of a listing; modified_s counts seconds since 1970 by the keeper's clock."""

    name: str
    size_bytes: int
    modified_s: float


class Objects(Protocol):
    """Objects under names like `blobs/ab/abcd`. Blocking: call in a thread.

    Raises StorageFull where there is no room, StorageUnavailable where the keeper does not answer.
    """

    def put(self, name: str, data: Iterable[bytes], *, replace: bool = False) -> None:
        """Keep an object, durable on return; one of this name that is here already stays, unless replaced."""

    def get(self, name: str) -> BinaryIO:
        """An object to read from its beginning; raises NotFound."""

    def exists(self, name: str) -> bool:
        """An object of this name is here, whole."""

    def remove(self, name: str) -> None:
        """Forget an object; absent already is fine."""

    def list(self, folder: str) -> Iterator[ObjectFacts]:
        """Every object whose name begins with `folder/`."""

    def clear_temporary(self, moment_s: float) -> int:
        """Remove what was half-written before a moment; returns how many."""


def open_objects(place: str) -> Objects:
    """The objects at a folder, or at an `s3://` URL (`records.s3_objects`). Raises RecordError."""
    if place.startswith("s3://"):
        from records.s3_objects import S3Objects  # obstore takes its time to load

        return S3Objects(place)
    from records.file_objects import FileObjects

    return FileObjects(place)
