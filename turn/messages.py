"""The few TURN messages that a probe needs: requests to bytes, answers from bytes (RFC 8489, RFC 8656)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

MAGIC_COOKIE = 0x2112A442
HEADER_BYTES = 20
TRANSACTION_ID_BYTES = 12
_INTEGRITY_BYTES = 24  # type, length and HMAC-SHA1
_FAMILY = {1: 4, 2: 16}


class Method(IntEnum):
    """Methods, as they stand in a request's type."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    CREATE_PERMISSION = 0x008


class Attribute(IntEnum):
    """Types of attributes."""

    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    REQUESTED_TRANSPORT = 0x0019
    XOR_MAPPED_ADDRESS = 0x0020


class MalformedMessage(ValueError):
    """The bytes are not a STUN response (remote's fault)."""

    error_id = "turn.malformed_message"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success or error response.

    attributes: the first of each type. integrity_input: the bytes that its HMAC covers, if it has one.
    """

    method: int
    succeeded: bool
    transaction_id: bytes
    attributes: Mapping[int, bytes]
    integrity_input: bytes | None

    @property
    def error_code(self) -> int | None:
        """The code of an error response, such as 401 or 403; None in a success."""
        value = self.attributes.get(Attribute.ERROR_CODE)
        if self.succeeded or value is None or len(value) < 4:
            return None
        return (value[2] & 0x7) * 100 + value[3]

    def address(self, attribute: Attribute) -> tuple[str, int] | None:
        """A transport address that the answer carries XORed, or None. Raises MalformedMessage."""
        value = self.attributes.get(attribute)
        return None if value is None else read_xor_address(value, self.transaction_id)

    def signed_with(self, key: bytes) -> bool:
        """Whether the answer carries MESSAGE-INTEGRITY made with this key."""
        if self.integrity_input is None:
            return False
        expected = hmac.new(key, self.integrity_input, hashlib.sha1).digest()
        return hmac.compare_digest(expected, self.attributes[Attribute.MESSAGE_INTEGRITY])


def long_term_key(username: str, realm: str, password: str) -> bytes:
    """The key of MESSAGE-INTEGRITY for long-term credentials (RFC 8489, 9.2.2, which prescribes MD5)."""
    text = f"{username}:{realm}:{password}".encode()
    return hashlib.md5(text, usedforsecurity=False).digest()


def request(
    method: Method,
    transaction_id: bytes,
    attributes: Sequence[tuple[Attribute, bytes]],
    key: bytes | None = None,
) -> bytes:
    """A request as bytes, signed when a key is given."""
    body = b"".join(_attribute(kind, value) for kind, value in attributes)
    if key is not None:
        signed = _header(method, len(body) + _INTEGRITY_BYTES, transaction_id) + body
        body += _attribute(Attribute.MESSAGE_INTEGRITY, hmac.new(key, signed, hashlib.sha1).digest())
    return _header(method, len(body), transaction_id) + body


def parse_answer(data: bytes) -> Answer:
    """Read a response. Raises MalformedMessage."""
    if len(data) < HEADER_BYTES:
        raise MalformedMessage("shorter than a header")
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if cookie != MAGIC_COOKIE or kind & 0xC000 or length % 4 or HEADER_BYTES + length != len(data):
        raise MalformedMessage("not a STUN message")
    if kind & 0x0110 not in (0x0100, 0x0110):
        raise MalformedMessage("not a response")
    attributes: dict[int, bytes] = {}
    integrity_input = None
    at = HEADER_BYTES
    while at < len(data):
        attribute, size = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) != size:
            raise MalformedMessage("an attribute runs over the end")
        if attribute == Attribute.MESSAGE_INTEGRITY and integrity_input is None:
            covered = struct.pack("!H", at - HEADER_BYTES + _INTEGRITY_BYTES)
            integrity_input = data[:2] + covered + data[4:at]
        attributes.setdefault(attribute, value)
        at += 4 + size + -size % 4
    method = (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2
    return Answer(method, kind & 0x0110 == 0x0100, data[8:HEADER_BYTES], attributes, integrity_input)


def xor_address(address: str, port: int, transaction_id: bytes) -> bytes:
    """The value of an XOR-…-ADDRESS attribute (RFC 8489, 14.2). Raises ValueError for what is no address."""
    packed = ipaddress.ip_address(address).packed
    family = 1 if len(packed) == 4 else 2
    return struct.pack("!xBH", family, port ^ MAGIC_COOKIE >> 16) + _xor(packed, transaction_id)


def read_xor_address(value: bytes, transaction_id: bytes) -> tuple[str, int]:
    """The opposite of xor_address. Raises MalformedMessage."""
    if len(value) < 4 or _FAMILY.get(value[1]) != len(value) - 4:
        raise MalformedMessage("an address of unknown form")
    port: int = struct.unpack_from("!H", value, 2)[0] ^ MAGIC_COOKIE >> 16
    return str(ipaddress.ip_address(_xor(value[4:], transaction_id))), port


def _xor(packed: bytes, transaction_id: bytes) -> bytes:
    pad = struct.pack("!I", MAGIC_COOKIE) + transaction_id
    return bytes(byte ^ mask for byte, mask in zip(packed, pad, strict=False))


def _header(method: Method, length: int, transaction_id: bytes) -> bytes:
    return struct.pack("!HHI", method, length, MAGIC_COOKIE) + transaction_id


def _attribute(kind: Attribute, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
