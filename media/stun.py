"""STUN messages as bytes: the part of RFC 8489 that an ICE-lite agent and a plain STUN server need."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from zlib import crc32

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
SOFTWARE = 0x8022
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

UNDERSTOOD = frozenset({USERNAME, MESSAGE_INTEGRITY, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE})

HEADER_LENGTH = 20
MAX_MESSAGE_LENGTH = 1280
MAX_ATTRIBUTES = 32
_INTEGRITY_LENGTH = 24
_FINGERPRINT_LENGTH = 8
_FINGERPRINT_XOR = 0x5354554E

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_U32 = struct.Struct("!I")


class MalformedStun(ValueError):
    """The datagram is no well-formed STUN message."""


@dataclass(frozen=True, slots=True)
class StunMessage:
    """One parsed message. attributes: type -> value, the first of each type, without those after integrity.

    raw: the datagram. integrity_at: offset of MESSAGE-INTEGRITY in raw, or -1.
    """

    message_type: int
    transaction_id: bytes
    attributes: dict[int, bytes] = field(default_factory=dict)
    raw: bytes = b""
    integrity_at: int = -1

    def has_integrity(self, password: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is present and made with this short-term password (RFC 8489, 14.5)."""
        at = self.integrity_at
        if at < 0:
            return False
        covered = bytearray(self.raw[:at])
        struct.pack_into("!H", covered, 2, at - HEADER_LENGTH + _INTEGRITY_LENGTH)
        expected = hmac.digest(password, covered, "sha1")
        return hmac.compare_digest(expected, self.attributes[MESSAGE_INTEGRITY])

    def unknown_required(self) -> tuple[int, ...]:
        """Comprehension-required attribute types that this codec does not understand."""
        return tuple(kind for kind in self.attributes if kind < 0x8000 and kind not in UNDERSTOOD)


def is_stun(datagram: bytes) -> bool:
    """Whether a datagram whose first byte is below 4 carries the magic cookie (RFC 7983)."""
    return len(datagram) >= HEADER_LENGTH and datagram[4:8] == b"\x21\x12\xa4\x42"


def parse(datagram: bytes) -> StunMessage:
    """Parse one datagram; a FINGERPRINT that is present must be right. Raises MalformedStun."""
    if not HEADER_LENGTH <= len(datagram) <= MAX_MESSAGE_LENGTH:
        raise MalformedStun("length of datagram")
    message_type, length, cookie, transaction_id = _HEADER.unpack_from(datagram)
    if message_type & 0xC000 or cookie != MAGIC_COOKIE:
        raise MalformedStun("no STUN header")
    end = HEADER_LENGTH + length
    if length % 4 or end != len(datagram):
        raise MalformedStun("length of message")
    attributes: dict[int, bytes] = {}
    integrity_at = -1
    at = HEADER_LENGTH
    for _ in range(MAX_ATTRIBUTES):
        if at == end:
            break
        kind, size = _ATTRIBUTE.unpack_from(datagram, at)
        start, stop = at + 4, at + 4 + size
        if stop > end:
            raise MalformedStun("attribute overruns the message")
        if kind == FINGERPRINT:
            if size != 4 or stop != end:
                raise MalformedStun("fingerprint is not last")
            if _U32.unpack_from(datagram, start)[0] != crc32(datagram[:at]) ^ _FINGERPRINT_XOR:
                raise MalformedStun("wrong fingerprint")
            attributes.setdefault(kind, datagram[start:stop])
        elif integrity_at < 0:
            if kind == MESSAGE_INTEGRITY:
                if size != 20:
                    raise MalformedStun("length of integrity")
                integrity_at = at
            attributes.setdefault(kind, datagram[start:stop])
        at = stop + (-size % 4)
    if at != end:
        raise MalformedStun("attributes do not fill the message")
    return StunMessage(message_type, transaction_id, attributes, datagram, integrity_at)


def build(
    message_type: int,
    transaction_id: bytes,
    attributes: list[tuple[int, bytes]],
    password: bytes | None = None,
) -> bytes:
    """Serialise a message with FINGERPRINT, and with MESSAGE-INTEGRITY when a password is given."""
    body = bytearray()
    for kind, value in attributes:
        body += _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)
    if password is not None:
        covered = _HEADER.pack(message_type, len(body) + _INTEGRITY_LENGTH, MAGIC_COOKIE, transaction_id)
        digest = hmac.digest(password, covered + body, "sha1")
        body += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20) + digest
    header = _HEADER.pack(message_type, len(body) + _FINGERPRINT_LENGTH, MAGIC_COOKIE, transaction_id)
    message = header + bytes(body)
    return message + _ATTRIBUTE.pack(FINGERPRINT, 4) + _U32.pack(crc32(message) ^ _FINGERPRINT_XOR)


def xor_address(host: str, port: int, transaction_id: bytes) -> bytes:
    """Value of XOR-MAPPED-ADDRESS for an address; IPv4-mapped IPv6 becomes IPv4 (RFC 8489, 14.2)."""
    address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    packed = address.packed
    mask = b"\x21\x12\xa4\x42" + transaction_id
    mixed = bytes(a ^ b for a, b in zip(packed, mask, strict=False))
    return struct.pack("!xBH", 1 if len(packed) == 4 else 2, port ^ (MAGIC_COOKIE >> 16)) + mixed


def read_xor_address(value: bytes, transaction_id: bytes) -> tuple[str, int]:
    """Host and port in an XOR-MAPPED-ADDRESS. Raises MalformedStun."""
    if len(value) < 4 or (value[1], len(value)) not in ((1, 8), (2, 20)):
        raise MalformedStun("address")
    mask = b"\x21\x12\xa4\x42" + transaction_id
    packed = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    port = int.from_bytes(value[2:4], "big") ^ (MAGIC_COOKIE >> 16)
    return str(ip_address(packed)), port


def error_code(code: int, reason: str) -> bytes:
    """Value of ERROR-CODE (RFC 8489, 14.8)."""
    return struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()
