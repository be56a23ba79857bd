"""Encrypted frames of a blob or an upload: pure functions between plain bytes and the bytes on disk.

A frame is its plain length (4 bytes, big-endian), then one AES-256-GCM seal. Bound to each frame are what the
bytes belong to, the offset of its first plain byte and whether it is the last: frames that are cut off,
reordered, doubled or moved to another blob do not open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.interface import SealBroken
from records.keys import NONCE_BYTES, TAG_BYTES, decrypt, encrypt, place

FRAME_BYTES = 1 << 20
"""Plain bytes of a whole frame; the last of a blob may be shorter, those of an upload are as they came."""
_OVERHEAD = 1 + NONCE_BYTES + TAG_BYTES
_MAX_FRAME_BYTES = 1 << 30


def _bound_to(owner: str, offset: int, final: bool) -> bytes:
    return place("frame", owner, str(offset), "final" if final else "more")


def seal_frame(cipher: AESGCM, owner: str, offset: int, final: bool, plain: bytes) -> bytes:
    """One frame that begins at plain byte `offset` of `owner`."""
    return len(plain).to_bytes(4, "big") + encrypt(cipher, plain, _bound_to(owner, offset, final))


def seal_frames(cipher: AESGCM, owner: str, data: bytes) -> Iterator[bytes]:
    """A whole blob in frames; an empty one is one empty final frame."""
    offset = 0
    while True:
        plain = data[offset : offset + FRAME_BYTES]
        final = offset + len(plain) == len(data)
        yield seal_frame(cipher, owner, offset, final, plain)
        if final:
            return
        offset += len(plain)


def open_frames(cipher: AESGCM, owner: str, source: BinaryIO) -> Iterator[bytes]:
    """Plain bytes of a whole blob, frame by frame; raises SealBroken at the first wrong one."""
    offset = 0
    frame = _read_frame(source)
    while frame is not None:
        following = _read_frame(source)
        plain = decrypt(cipher, frame, _bound_to(owner, offset, final=following is None))
        offset += len(plain)
        yield plain
        if following is None:
            return
        frame = following
    raise SealBroken("a blob is empty")


def open_growing(cipher: AESGCM, owner: str, source: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Plain bytes of the first `size_bytes` of something that grows by frames; raises SealBroken."""
    offset = 0
    while offset < size_bytes:
        sealed = _read_frame(source)
        if sealed is None:
            raise SealBroken("an upload is cut short")
        plain = decrypt(cipher, sealed, _bound_to(owner, offset, final=False))
        offset += len(plain)
        yield plain
    if offset != size_bytes:
        raise SealBroken("an upload's frames do not end where its row says")


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > _MAX_FRAME_BYTES:
        raise SealBroken("a frame is damaged")
    body = source.read(length + _OVERHEAD)
    if len(body) != length + _OVERHEAD:
        raise SealBroken("a frame is cut short")
    return body
