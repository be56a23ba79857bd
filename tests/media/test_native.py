"""The packet loop's SRTP against RFC 7714, RFC 3711 and libsrtp, and that it is built where it can be."""

from __future__ import annotations

import pytest
from pylibsrtp import Error, Policy
from pylibsrtp import Session as LibSession

from media import native
from media.native import build
from media.native.engine import Session, pack_address, unpack_address
from media.native.key_derivation import RTP_ENCRYPTION, RTP_SALT, derive
from media.rtp import extension_block, header

MASTER = bytes(range(44))
PROFILES = {16: Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 32: Policy.SRTP_PROFILE_AEAD_AES_256_GCM}


def libsrtp(key_length: int, *, sending: bool) -> LibSession:
    kind = Policy.SSRC_ANY_OUTBOUND if sending else Policy.SSRC_ANY_INBOUND
    return LibSession(Policy(MASTER[: key_length + 12], kind, srtp_profile=PROFILES[key_length]))


def own(key_length: int, *, sending: bool) -> Session:
    return Session(MASTER[: key_length + 12], key_length, sending=sending)


def packet(sequence: int, payload: bytes = b"payload", extensions: bytes = b"") -> bytes:
    return header(96, sequence, 1000, 0xCAFEBABE, True, extensions) + payload


def test_it_is_built_where_there_is_a_compiler() -> None:
    if build.compiler() is not None:
        assert native.why_not() is None


def test_every_file_in_c_is_built() -> None:
    assert sorted(build.SOURCES) == sorted(
        {path.name for path in build.FOLDER.glob("*.c")} - {"fuzz.c", "race.c"}
    )


def test_keys_are_derived_as_rfc_3711_b_3_shows() -> None:
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(key, salt, RTP_ENCRYPTION, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(key, salt, RTP_SALT, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"


# RFC 7714, 16.1.1 and 16.2.1: size of the session key, and what the payload "Gallia est..." becomes with it.
VECTORS = {
    16: "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7"
    "d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
    32: "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ff"
    "ae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
}
VECTOR_HEADER = bytes.fromhex("8040f17b8041f8d35501a0b2")
VECTOR_SALT = bytes.fromhex("517569642070726f2071756f")


@pytest.mark.parametrize("key_size", VECTORS)
def test_packets_are_protected_as_rfc_7714_16_shows(key_size: int) -> None:
    plain, sealed = (
        VECTOR_HEADER + b"Gallia est omnis divisa in partes tres",
        bytes.fromhex(VECTORS[key_size]),
    )
    assert through("srtp_protect", key_size, plain) == VECTOR_HEADER + sealed
    assert through("srtp_unprotect", key_size, VECTOR_HEADER + sealed) == plain
    for at in (0, 11, 12, len(sealed) - 5, len(sealed) + 11):
        forged = bytearray(VECTOR_HEADER + sealed)
        forged[at] ^= 0x01
        assert through("srtp_unprotect", key_size, bytes(forged)) is None


def through(function: str, key_size: int, data: bytes) -> bytes | None:
    """What the loop makes of a packet with the session key and salt of RFC 7714, 16."""
    lib, ffi = native.library()
    buffer = ffi.new("uint8_t[]", data + bytes(16))
    srtp = lib.srtp_new(bytes(range(key_size)), key_size, VECTOR_SALT, function == "srtp_protect", 4)
    try:
        size = getattr(lib, function)(srtp, buffer, len(data))
    finally:
        lib.srtp_free(srtp)
    return bytes(ffi.buffer(buffer, size)) if size >= 0 else None


@pytest.mark.parametrize("key_length", PROFILES)
def test_libsrtp_and_the_loop_understand_each_other_over_a_rollover(key_length: int) -> None:
    theirs, ours = libsrtp(key_length, sending=True), own(key_length, sending=True)
    their_end, our_end = libsrtp(key_length, sending=False), own(key_length, sending=False)
    for number in range(65500, 65600):
        plain = packet(number, bytes(number % 40), extension_block([(3, b"ab")]) if number % 3 else b"")
        protected = theirs.protect(plain)
        assert ours.protect(plain) == protected
        assert our_end.unprotect(protected) == plain
        assert their_end.unprotect(protected) == plain


def test_what_was_seen_forged_or_is_too_old_is_refused() -> None:
    sender, receiver = own(32, sending=True), own(32, sending=False)
    first = sender.protect(packet(1))
    assert receiver.unprotect(first) == packet(1)
    forged = bytearray(sender.protect(packet(2)))
    forged[-1] ^= 1
    for refused in (first, bytes(forged), b"", bytes(12), bytes(28), b"\x9f" + bytes(40), bytes(1501)):
        with pytest.raises(ValueError, match=r"not authentic|too long"):
            receiver.unprotect(refused)
    late = sender.protect(packet(3))
    receiver.unprotect(sender.protect(packet(2000)))
    with pytest.raises(ValueError, match="not authentic"):
        receiver.unprotect(late)


def test_a_number_is_used_again_for_the_same_packet_only() -> None:
    sender = own(32, sending=True)
    first = sender.protect(packet(5))
    assert sender.protect(packet(5)) == first
    with pytest.raises(ValueError, match="out of range"):
        sender.protect(packet(5, b"another"))


def test_keys_end_after_2_to_the_48_packets() -> None:
    """RFC 3711, 9.2: the last index is used, and none after it."""
    sender, receiver = own(32, sending=True), own(32, sending=False)
    receiver.unprotect(sender.protect(packet(0xFFFE)))
    for session in (sender, receiver):
        session.memory.streams[0].highest = (1 << 48) - 2
    assert receiver.unprotect(sender.protect(packet(0xFFFF))) == packet(0xFFFF)
    with pytest.raises(ValueError, match="out of range"):
        sender.protect(packet(0))
    with pytest.raises(ValueError, match="out of range"):
        receiver.unprotect(own(32, sending=True).protect(packet(0)))


def test_libsrtp_refuses_what_the_loop_refuses() -> None:
    with pytest.raises(Error):
        libsrtp(32, sending=False).unprotect(bytes(40))


@pytest.mark.parametrize(
    ("address", "family"),
    [(("127.0.0.1", 4000), 2), (("::ffff:127.0.0.1", 4000, 0, 0), 10), (("fe80::1", 9, 0, 3), 10)],
)
def test_addresses_come_back_as_they_were(address: tuple[str, int], family: int) -> None:
    assert unpack_address(pack_address(address, family)) == address
