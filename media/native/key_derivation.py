"""SRTP session keys from master keys (RFC 3711, 4.3, without a key derivation rate; RFC 7714, 11)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RTP_ENCRYPTION, RTP_AUTHENTICATION, RTP_SALT = 0x00, 0x01, 0x02
_LABEL_AT = 7


def derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    """`size` bytes of key material. master_key: 16 or 32 bytes; master_salt: 12 (AEAD) or 14."""
    counter = bytearray(master_salt.ljust(16, b"\0"))
    counter[_LABEL_AT] ^= label
    return Cipher(algorithms.AES(master_key), modes.CTR(bytes(counter))).encryptor().update(bytes(size))
