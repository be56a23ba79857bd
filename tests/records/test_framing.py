"""Frames of blobs and uploads: any cut, swap or flip is found."""

from __future__ import annotations

import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from records.framing import FRAME_BYTES, open_frames, open_growing, seal_frame, seal_frames
from records.interface import SealBroken

CIPHER = AESGCM(bytes(range(32)))


def _opened(data: bytes, owner: str = "blob") -> bytes:
    return b"".join(open_frames(CIPHER, owner, io.BytesIO(data)))


def _small_frames(parts: list[bytes], owner: str = "blob") -> list[bytes]:
    frames, offset = [], 0
    for index, part in enumerate(parts):
        frames.append(seal_frame(CIPHER, owner, offset, index == len(parts) - 1, part))
        offset += len(part)
    return frames


parts_of_a_blob = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6)


@pytest.mark.parametrize(
    "size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 17]
)
def test_a_blob_of_any_size_opens(size: int) -> None:
    data = bytes(index * 37 & 255 for index in range(1024)) * (size // 1024 + 1)
    data = data[:size]
    frames = list(seal_frames(CIPHER, "blob", data))
    assert len(frames) == max(1, -(-size // FRAME_BYTES))
    assert _opened(b"".join(frames)) == data


@given(parts_of_a_blob, st.data())
def test_any_flipped_bit_is_found(parts: list[bytes], data: st.DataObject) -> None:
    stored = bytearray(b"".join(_small_frames(parts)))
    bit = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        _opened(bytes(stored))


@given(parts_of_a_blob, st.data())
def test_any_cut_is_found(parts: list[bytes], data: st.DataObject) -> None:
    stored = b"".join(_small_frames(parts))
    with pytest.raises(SealBroken):
        _opened(stored[: data.draw(st.integers(0, len(stored) - 1))])


@given(parts_of_a_blob, st.binary(min_size=1, max_size=60))
def test_anything_behind_the_end_is_found(parts: list[bytes], more: bytes) -> None:
    with pytest.raises(SealBroken):
        _opened(b"".join(_small_frames(parts)) + more)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=2, max_size=6), st.data())
def test_frames_out_of_order_left_out_or_doubled_are_found(parts: list[bytes], data: st.DataObject) -> None:
    frames = _small_frames(parts)
    order = data.draw(st.lists(st.sampled_from(range(len(frames))), min_size=1, max_size=8))
    stored = b"".join(frames[index] for index in order)
    if order == list(range(len(frames))):
        assert _opened(stored) == b"".join(parts)
    else:
        with pytest.raises(SealBroken):
            _opened(stored)


@given(parts_of_a_blob)
def test_a_blob_opens_only_under_its_name(parts: list[bytes]) -> None:
    with pytest.raises(SealBroken):
        _opened(b"".join(_small_frames(parts)), owner="another")


@given(st.binary(max_size=200))
def test_no_other_bytes_open(data: bytes) -> None:
    with pytest.raises(SealBroken):
        _opened(data)
    with pytest.raises(SealBroken):
        list(open_growing(CIPHER, "upload", io.BytesIO(data), 1))


@settings(max_examples=50)
@given(parts_of_a_blob, st.binary(max_size=50))
def test_an_upload_reads_up_to_what_counts(parts: list[bytes], torn: bytes) -> None:
    offset, stored = 0, b""
    for part in parts:
        stored += seal_frame(CIPHER, "upload", offset, False, part)
        offset += len(part)
    source = io.BytesIO(stored + torn)
    assert b"".join(open_growing(CIPHER, "upload", source, offset)) == b"".join(parts)
    with pytest.raises(SealBroken):
        list(open_growing(CIPHER, "upload", io.BytesIO(stored), offset + 1))
    if len(parts[-1]) > 1:
        with pytest.raises(SealBroken):
            list(open_growing(CIPHER, "upload", io.BytesIO(stored), offset - 1))


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    with pytest.raises(SealBroken, match="damaged"):
        _opened(b"\xff\xff\xff\xff" + bytes(100))
