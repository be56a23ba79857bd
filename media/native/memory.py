"""Attributes and rings that lie in the C structs of loop.h."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, TypeVar

from media.native import library

Value = TypeVar("Value")


def shared(name: str) -> Any:
    """An attribute that is this field of the object's struct, `memory`."""

    def write(self: Any, value: Any) -> None:
        setattr(self.memory, name, value)

    return property(attrgetter(f"memory.{name}"), write)


class Ring:
    """A ring of records that the loop writes: read as bytes, since a cffi field costs as much as a record."""

    def __init__(self, records: Any, layout: struct.Struct) -> None:
        """records: an array of a struct, of a power of two."""
        _, ffi = library()
        assert ffi.sizeof(records) == len(records) * layout.size
        self._bytes = memoryview(ffi.buffer(records))
        self._layout = layout
        self._mask = len(records) - 1

    def between(self, tail: int, head: int) -> Iterator[tuple[Any, ...]]:
        """The records from one count on and before another, which may both have come round."""
        layout, size, mask = self._layout, self._layout.size, self._mask
        first, last = tail & mask, head & mask
        if first < last:
            return layout.iter_unpack(self._bytes[first * size : last * size])
        return layout.iter_unpack(self._bytes[first * size :].tobytes() + self._bytes[: last * size])


def allocated(pointer: Value) -> Value:
    """The pointer. Raises MemoryError where it is NULL."""
    if not pointer:
        raise MemoryError
    return pointer
