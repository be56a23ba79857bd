"""TURN messages: against aioice's codec, and against bytes from anybody."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from turn.messages import (
    MAGIC_COOKIE,
    Attribute,
    MalformedMessage,
    Method,
    long_term_key,
    parse_answer,
    read_xor_address,
    request,
    xor_address,
)

TRANSACTION_ID = bytes(range(12))
addresses = st.ip_addresses()
ports = st.integers(0, 65535)


@given(addresses, ports, st.binary(min_size=12, max_size=12))
def test_address_goes_there_and_back(
    address: IPv4Address | IPv6Address, port: int, transaction_id: bytes
) -> None:
    value = xor_address(str(address), port, transaction_id)
    assert value == stun.pack_xor_address((str(address), port), transaction_id)
    assert read_xor_address(value, transaction_id) == (str(address), port)


def test_request_is_read_by_another_implementation() -> None:
    key = long_term_key("user", "realm", "password")
    data = request(
        Method.ALLOCATE,
        TRANSACTION_ID,
        [
            (Attribute.REQUESTED_TRANSPORT, b"\x11\0\0\0"),
            (Attribute.USERNAME, b"user"),
            (Attribute.REALM, b"realm"),
            (Attribute.NONCE, b"abcde"),
        ],
        key,
    )
    read = stun.parse_message(data)
    assert read.message_method == stun.Method.ALLOCATE
    assert read.transaction_id == TRANSACTION_ID
    assert read.attributes["USERNAME"] == "user"
    assert read.attributes["NONCE"] == b"abcde"
    assert read.check_message_integrity(key)


def test_answer_of_another_implementation_is_read() -> None:
    key = long_term_key("user", "realm", "password")
    message = stun.Message(
        stun.Method.ALLOCATE,
        stun.Class.RESPONSE,
        TRANSACTION_ID,
        {"XOR-RELAYED-ADDRESS": ("198.51.100.7", 50000), "SOFTWARE": "a server"},
    )
    message.add_message_integrity(key)
    answer = parse_answer(bytes(message))
    assert answer.succeeded
    assert answer.method == Method.ALLOCATE
    assert answer.error_code is None
    assert answer.address(Attribute.XOR_RELAYED_ADDRESS) == ("198.51.100.7", 50000)
    assert answer.address(Attribute.XOR_MAPPED_ADDRESS) is None
    assert answer.signed_with(key)
    assert not answer.signed_with(b"another key")


def test_refusal_is_read() -> None:
    message = stun.Message(
        stun.Method.CREATE_PERMISSION,
        stun.Class.ERROR,
        TRANSACTION_ID,
        {"ERROR-CODE": (403, "Forbidden"), "REALM": "r"},
    )
    answer = parse_answer(bytes(message))
    assert not answer.succeeded
    assert answer.method == Method.CREATE_PERMISSION
    assert answer.error_code == 403
    assert answer.attributes[Attribute.REALM] == b"r"
    assert not answer.signed_with(b"key")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x03",
        struct.pack("!HHI", 0x0103, 0, 0x12345678) + TRANSACTION_ID,
        struct.pack("!HHI", 0x0103, 4, MAGIC_COOKIE) + TRANSACTION_ID,
        struct.pack("!HHI", 0x0003, 0, MAGIC_COOKIE) + TRANSACTION_ID,
        struct.pack("!HHI", 0x8103, 0, MAGIC_COOKIE) + TRANSACTION_ID,
        struct.pack("!HHI", 0x0103, 4, MAGIC_COOKIE) + TRANSACTION_ID + struct.pack("!HH", 0x0014, 9),
    ],
)
def test_malformed_answers_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_answer(data)


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    data = struct.pack("!HHI", 0x0103, len(body), MAGIC_COOKIE) + TRANSACTION_ID + body
    try:
        answer = parse_answer(data)
        answer.address(Attribute.XOR_RELAYED_ADDRESS)
        answer.signed_with(b"key")
    except MalformedMessage:
        pass
