"""A certificate for one's own network, under an authority that may vouch for these addresses only."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=14)
_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """PEM files. authority: to be trusted on the phone; fingerprint: its SHA-256, to be compared there."""

    cert: Path
    key: Path
    authority: Path
    fingerprint: str


def lan_addresses() -> list[str]:
    """IPv4 addresses of this host on its networks, the one towards the default route first; sends nothing."""
    found: list[str] = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        infos = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(info[4][0]) for info in infos]
    return [
        address
        for address in dict.fromkeys(found)
        if not ipaddress.ip_address(address).is_loopback and not ipaddress.ip_address(address).is_link_local
    ]


def load_or_make(folder: Path, addresses: Sequence[str], now: datetime) -> OwnCertificate:
    """The certificate kept in folder, made anew when addresses changed or it is about to end."""
    wanted = sorted({"127.0.0.1", "::1", *addresses})
    own = _paths(folder)
    if own is None or not _fits(own.cert, wanted, now):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(folder, wanted, now)
        own = _paths(folder)
    assert own is not None
    return own


def _paths(folder: Path) -> OwnCertificate | None:
    cert, key, authority = (folder / name for name in ("server.pem", "server.key", "authority.pem"))
    if not (cert.exists() and key.exists() and authority.exists()):
        return None
    try:
        digest = x509.load_pem_x509_certificate(authority.read_bytes()).fingerprint(hashes.SHA256())
    except ValueError:
        return None
    return OwnCertificate(cert, key, authority, ":".join(f"{byte:02X}" for byte in digest))


def _fits(path: Path, wanted: Sequence[str], now: datetime) -> bool:
    try:
        cert = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return False
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    have = sorted(str(address) for address in names.get_values_for_type(x509.IPAddress))
    return have == sorted(wanted) and cert.not_valid_after_utc - now > RENEW_BEFORE


def _make(folder: Path, wanted: Sequence[str], now: datetime) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"TrueHue on {socket.gethostname()[:40]}")])
    addresses = [ipaddress.ip_address(address) for address in wanted]
    names: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in _NAMES),
        *(x509.IPAddress(address) for address in addresses),
    ]
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in _NAMES),
        *(x509.IPAddress(ipaddress.ip_network(address)) for address in addresses),
    ]
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TrueHue")])
    leaf = (
        _builder(leaf_name, ca_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    # The authority's key is not kept: nobody can sign with it again.
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / "server.key", private, 0o600)
    pem = serialization.Encoding.PEM
    _write(folder / "server.pem", leaf.public_bytes(pem) + ca.public_bytes(pem), 0o644)
    _write(folder / "authority.pem", ca.public_bytes(pem), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    new.replace(path)
