"""RTP headers, extensions, RTX and sequence numbers, with aiortc's codec as an independent one."""

from __future__ import annotations

import aiortc.rtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp


def test_bounds_without_csrc_extension_and_padding() -> None:
    packet = rtp.header(96, 1, 2, 3, True) + b"payload"
    assert rtp.payload_bounds(packet) == (12, 19)


def test_bounds_with_everything() -> None:
    block = rtp.extension_block([(4, b"mid"), (3, b"\x01\x02")])
    head = bytearray(rtp.header(96, 1, 2, 3, False, block))
    head[0] |= 0x22
    packet = bytes(head[:12]) + bytes(8) + bytes(head[12:]) + b"payload" + b"\x00\x00\x03"
    start, end = rtp.payload_bounds(packet)
    assert packet[start:end] == b"payload"
    assert rtp.extension(packet, 4) == b"mid"
    assert rtp.extension(packet, 3) == b"\x01\x02"
    assert rtp.extension(packet, 5) is None


def test_two_byte_extensions_are_read() -> None:
    body = b"\x04\x03mid\x00\x14\x00"
    packet = b"\x90" + rtp.header(96, 1, 2, 3, False)[1:] + b"\x10\x00\x00\x02" + body
    assert rtp.extension(packet, 4) == b"mid"
    assert rtp.extension(packet, 20) == b""
    assert rtp.extension(packet, 1) is None


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        bytes(11),
        bytes(12),
        b"\x90" + bytes(11),
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x09",
        b"\x8f" + bytes(11),
        b"\xa0" + bytes(12),
        b"\xa0" + bytes(11) + b"\x09",
    ],
)
def test_malformed(packet: bytes) -> None:
    with pytest.raises(rtp.MalformedRtp):
        rtp.payload_bounds(packet)


@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 20))
def test_any_bytes_are_read_or_refused(data: bytes, first: int, wanted: int) -> None:
    packet = bytes([0x80 | first & 0x3F]) + data
    try:
        start, end = rtp.payload_bounds(packet)
    except rtp.MalformedRtp:
        return
    assert 12 <= start <= end <= len(packet)
    rtp.extension(packet, wanted)


def test_another_codec_reads_the_header() -> None:
    packet = aiortc.rtp.RtpPacket.parse(rtp.header(96, 70000, -1, 5, True) + b"xyz")
    assert (packet.sequence_number, packet.timestamp) == (70000 & 0xFFFF, 0xFFFFFFFF)
    assert (packet.payload_type, packet.ssrc, packet.marker, packet.payload) == (96, 5, 1, b"xyz")


def test_rtx_of_another_codec_is_unwrapped() -> None:
    original = aiortc.rtp.RtpPacket(payload_type=96, sequence_number=77, timestamp=9, marker=1)
    original.ssrc, original.payload = 1, b"payload"
    wrapped = aiortc.rtp.wrap_rtx(original, payload_type=97, sequence_number=5, ssrc=2).serialize()
    start, end = rtp.payload_bounds(wrapped)
    assert rtp.unwrap_rtx(wrapped, start, end, 96, 1) == original.serialize()
    assert rtp.unwrap_rtx(wrapped, start, start + 1, 96, 1) is None


def test_no_extensions_make_no_block() -> None:
    assert rtp.extension_block([]) == b""


def test_rtcp_is_told_by_its_second_byte() -> None:
    assert rtp.is_rtcp(b"\x80\xc8")
    assert rtp.is_rtcp(b"\x80\xce")
    assert not rtp.is_rtcp(b"\x80\x60")
    assert not rtp.is_rtcp(b"\x80\xe0")


def test_sequence_numbers_grow_over_the_wrap() -> None:
    unwrapper = rtp.SequenceUnwrapper()
    first = unwrapper.unwrap(65534)
    assert [unwrapper.unwrap(n) - first for n in (65535, 1, 0, 65533, 2)] == [1, 3, 2, -1, 4]
    assert unwrapper.highest - first == 4


@given(st.lists(st.integers(-20000, 20000), max_size=50), st.integers(0, 65535))
def test_unwrapping_follows_any_walk(steps: list[int], start: int) -> None:
    unwrapper = rtp.SequenceUnwrapper()
    offset = unwrapper.unwrap(start) - start
    highest = start
    for step in steps:
        number = highest + step
        assert unwrapper.unwrap(number & 0xFFFF) == number + offset
        highest = max(highest, number)


@given(
    st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=5),
    st.integers(1, 14),
    st.binary(max_size=20),
)
def test_short_extension_agrees_with_extension(
    values: list[tuple[int, bytes]], wanted: int, payload: bytes
) -> None:
    packet = rtp.header(96, 1, 2, 3, False, rtp.extension_block(values)) + payload
    value = rtp.extension(packet, wanted)
    expected = int.from_bytes(value, "big") if value is not None and len(value) == 2 else -1
    assert rtp.short_extension(packet, wanted) == expected


@given(st.binary(max_size=60), st.integers(1, 14))
def test_short_extension_of_any_bytes(data: bytes, wanted: int) -> None:
    try:
        assert -1 <= rtp.short_extension(data, wanted) <= 0xFFFF
    except rtp.MalformedRtp:
        assert data[0] & 0x10


def test_short_extension_in_the_two_byte_form() -> None:
    packet = rtp.header(96, 1, 2, 3, False, bytes.fromhex("10000001 03021234")) + b"p"
    assert rtp.short_extension(packet, 3) == 0x1234
    assert rtp.short_extension(packet, 4) == -1
