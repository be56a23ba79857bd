"""EXIF: which side is up and whether a place is told, from any bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.exif import ExifFacts, read_exif
from tests.support.pictures import exif


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("gps", [False, True])
def test_both_facts_in_both_byte_orders(order: str, orientation: int, gps: bool) -> None:
    block = exif(orientation, gps, order)
    assert read_exif(block) == ExifFacts(orientation, gps)
    assert read_exif(block.removeprefix(b"Exif\0\0")) == ExifFacts(orientation, gps)


def test_a_gps_directory_without_a_position_is_no_location() -> None:
    assert read_exif(exif(gps=True, gps_tag=4)).has_location
    assert not read_exif(exif(gps=True, gps_tag=7)).has_location


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_impossible_orientations_are_upright(orientation: int) -> None:
    assert read_exif(exif(orientation)).orientation == 1


@pytest.mark.parametrize(
    "block", [None, b"", b"Exif\0\0", b"II*\0", b"not exif at all", b"MM\0*\xff\xff\xff\xff"]
)
def test_no_block_tells_nothing(block: bytes | None) -> None:
    assert read_exif(block) == ExifFacts(1, False)


def test_a_directory_that_points_at_itself_ends() -> None:
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8825, 4, 1, 8) + bytes(4)
    assert read_exif(block) == ExifFacts(1, False)


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*"]))
def test_any_bytes_are_read(data: bytes, mark: bytes) -> None:
    assert 1 <= read_exif(mark + data).orientation <= 8


@given(st.data())
def test_any_cut_is_read(data: st.DataObject) -> None:
    block = exif(6, True)
    assert read_exif(block[: data.draw(st.integers(0, len(block)))]).orientation in (1, 6)
