"""STUN as bytes: RFC 5769's vectors, aioice as an independent codec, and arbitrary bytes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
# RFC 5769, 2.1: sample request.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
# RFC 5769, 2.2 and 2.3: sample IPv4 and IPv6 responses.
RESPONSE_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
RESPONSE_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)


def test_sample_request() -> None:
    message = stun.parse(REQUEST)
    assert message.message_type == stun.BINDING_REQUEST
    assert message.attributes[stun.USERNAME] == b"evtj:h6vY"
    assert message.has_integrity(PASSWORD)
    assert not message.has_integrity(b"wrong")
    assert message.unknown_required() == ()


@pytest.mark.parametrize(
    ("datagram", "host"),
    [(RESPONSE_IPV4, "192.0.2.1"), (RESPONSE_IPV6, "2001:db8:1234:5678:11:2233:4455:6677")],
)
def test_sample_responses(datagram: bytes, host: str) -> None:
    message = stun.parse(datagram)
    assert message.has_integrity(PASSWORD)
    mapped = stun.read_xor_address(message.attributes[stun.XOR_MAPPED_ADDRESS], message.transaction_id)
    assert mapped == (host, 32853)
    assert (
        stun.xor_address(host, 32853, message.transaction_id) == message.attributes[stun.XOR_MAPPED_ADDRESS]
    )


def test_another_codec_reads_what_is_written() -> None:
    transaction_id = bytes(range(12))
    attributes = [(stun.XOR_MAPPED_ADDRESS, stun.xor_address("10.1.2.3", 4567, transaction_id))]
    datagram = stun.build(stun.BINDING_SUCCESS, transaction_id, attributes, PASSWORD)
    message = aioice.stun.parse_message(datagram)
    assert message.check_message_integrity(PASSWORD)
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("10.1.2.3", 4567)
    assert message.transaction_id == transaction_id


def test_what_another_codec_writes_is_read() -> None:
    message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    message.attributes["USERNAME"] = "abcd:efgh"
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(PASSWORD)
    message.add_fingerprint()
    parsed = stun.parse(bytes(message))
    assert parsed.attributes[stun.USERNAME] == b"abcd:efgh"
    assert stun.USE_CANDIDATE in parsed.attributes
    assert parsed.has_integrity(PASSWORD)


def test_mapped_ipv4_becomes_ipv4() -> None:
    assert stun.xor_address("::ffff:192.0.2.7", 9, bytes(12)) == stun.xor_address("192.0.2.7", 9, bytes(12))


def test_attributes_behind_the_integrity_are_not_believed() -> None:
    transaction_id = bytes(12)
    honest = stun.build(stun.BINDING_REQUEST, transaction_id, [(stun.USERNAME, b"a:bc")], PASSWORD)[:-8]
    added = honest + b"\x00\x25\x00\x00"
    forged = added[:2] + (len(added) - 20).to_bytes(2, "big") + added[4:]
    message = stun.parse(forged)
    assert message.has_integrity(PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


@pytest.mark.parametrize("at", range(0, len(REQUEST), 3))
def test_a_changed_byte_is_noticed(at: int) -> None:
    changed = bytearray(REQUEST)
    changed[at] ^= 0x55
    with pytest.raises(stun.MalformedStun):
        stun.parse(bytes(changed))


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for datagram in (
        data,
        b"\x00\x01" + len(data).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + data,
    ):
        try:
            message = stun.parse(datagram)
        except stun.MalformedStun:
            continue
        message.has_integrity(b"password")
        message.unknown_required()


@given(st.binary(max_size=24))
def test_any_address_is_read_or_refused(value: bytes) -> None:
    try:
        stun.read_xor_address(value, bytes(12))
    except stun.MalformedStun:
        return


@given(
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)),
    st.integers(0, 65535),
    st.binary(min_size=12, max_size=12),
)
def test_addresses_round_trip(address: IPv4Address | IPv6Address, port: int, transaction_id: bytes) -> None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    value = stun.xor_address(str(address), port, transaction_id)
    assert stun.read_xor_address(value, transaction_id) == (str(address), port)


def test_is_stun_wants_the_cookie() -> None:
    assert stun.is_stun(REQUEST)
    assert not stun.is_stun(bytes(20))
