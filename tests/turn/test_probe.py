"""The probe, against a real coturn with the configuration that ships."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.coturn import Coturn, start_coturn
from tests.support.ports import free_port
from turn.credentials import credentials
from turn.interface import TurnCredentials
from turn.probe import InvalidTurnUrl, Outcome, TurnUrl, parse_url, probe

SECRET = "a-secret-of-enough-length"


def login(coturn: Coturn, *, secret: str = SECRET, ends_in_s: int = 60) -> TurnCredentials:
    now_unix_s = int(time.time())
    return credentials(secret, "someone", now_unix_s - 3600, 3600 + ends_in_s, (coturn.url,))


@pytest_asyncio.fixture(scope="module")
async def shipped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Coturn]:
    """coturn as it ships: no peer opened."""
    async with start_coturn(tmp_path_factory.mktemp("coturn"), SECRET, allow_loopback=False) as coturn:
        yield coturn


async def test_fresh_credentials_get_an_allocation(shipped: Coturn) -> None:
    result = await probe(shipped.url, login(shipped))
    assert result.outcome is Outcome.REACHABLE
    assert result.relayed_address is not None
    assert result.relayed_address[0] == "127.0.0.1"
    assert result.round_trip_ms is not None


async def test_over_tcp_as_well(shipped: Coturn) -> None:
    result = await probe(f"turn:127.0.0.1:{shipped.port}?transport=tcp", login(shipped))
    assert result.outcome is Outcome.REACHABLE


async def test_expired_credentials_are_refused(shipped: Coturn) -> None:
    result = await probe(shipped.url, login(shipped, ends_in_s=-1))
    assert (result.outcome, result.error_code) == (Outcome.REFUSED, 401)


async def test_another_secret_is_refused(shipped: Coturn) -> None:
    result = await probe(shipped.url, login(shipped, secret="another-secret-than-that"))
    assert (result.outcome, result.error_code) == (Outcome.REFUSED, 401)
    assert SECRET not in result.words


async def test_private_ipv4_peers_are_denied(shipped: Coturn) -> None:
    private = [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "100.64.0.1",
    ]
    # Asking for a permission sends nothing to the peer; a public one shows that not all are denied.
    result = await probe(shipped.url, login(shipped), peers=[*private, "9.9.9.9"])
    assert result.permissions == {**dict.fromkeys(private, 403), "9.9.9.9": None}


async def test_private_ipv6_peers_are_denied(shipped: Coturn) -> None:
    private = ["::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1"]
    private += ["64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "fd00::1", "fe80::1", "ff02::1"]
    result = await probe(shipped.url, login(shipped), peers=[*private, "2620:fe::9"], relay_family=6)
    assert result.permissions == {**dict.fromkeys(private, 403), "2620:fe::9": None}


async def test_only_the_workers_addresses_open_when_they_are_given(tmp_path: Path) -> None:
    async with start_coturn(tmp_path, SECRET, own_addresses=["127.0.0.1"]) as coturn:
        peers = ["127.0.0.1", "127.0.0.2", "10.0.0.1", "9.9.9.9"]
        result = await probe(coturn.url, login(coturn), peers=peers)
    assert result.permissions == {"127.0.0.1": None, "127.0.0.2": 403, "10.0.0.1": 403, "9.9.9.9": 403}


async def test_probing_leaves_no_allocation_behind(tmp_path: Path) -> None:
    async with start_coturn(tmp_path, SECRET, changes={"user_quota": 1}) as coturn:
        own = login(coturn)
        assert (await probe(coturn.url, own)).outcome is Outcome.REACHABLE
        # coturn frees what was let go within a second or two; an allocation left alone lives ten minutes.
        async with asyncio.timeout(60):
            while (await probe(coturn.url, own)).error_code == 486:
                pass


async def test_tls(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate))
    port = free_port()
    files = {"tls_cert": str(certificate), "tls_key": str(key)}
    async with start_coturn(tmp_path, SECRET, changes={**files, "tls_port": port}) as coturn:
        url = f"turns:127.0.0.1:{port}"
        assert (await probe(url, login(coturn), tls=context)).outcome is Outcome.REACHABLE
        untrusted = await probe(url, login(coturn))
    assert untrusted.outcome is Outcome.SILENT


async def test_nobody_there() -> None:
    own = credentials(SECRET, "someone", 0, 60, ())
    for url in (f"turn:127.0.0.1:{free_port()}", f"turn:127.0.0.1:{free_port()}?transport=tcp"):
        result = await probe(url, own, timeout_s=1.0)
        assert result.outcome is Outcome.SILENT
        assert result.round_trip_ms is None


async def test_somebody_who_never_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        url = f"turn:127.0.0.1:{mute.getsockname()[1]}"
        result = await probe(url, credentials(SECRET, "someone", 0, 60, ()), timeout_s=0.05)
    assert result.outcome is Outcome.SILENT


async def test_somebody_who_speaks_something_else() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-somebody-else-altogether\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        url = f"turn:127.0.0.1:{server.sockets[0].getsockname()[1]}?transport=tcp"
        result = await probe(url, credentials(SECRET, "someone", 0, 60, ()))
    assert result.outcome is Outcome.SILENT


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("turn:turn.example", TurnUrl("turn.example", 3478, tcp=False, tls=False)),
        ("turn:turn.example:80?transport=tcp", TurnUrl("turn.example", 80, tcp=True, tls=False)),
        ("turns:[2001:db8::1]:443", TurnUrl("2001:db8::1", 443, tcp=True, tls=True)),
    ],
)
def test_urls(url: str, parts: TurnUrl) -> None:
    assert parse_url(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "stun:a",
        "turn:",
        "turn://a",
        "turn:a:0",
        "turn:a:99999",
        "turn:a?transport=x",
        "turns:a?transport=udp",
    ],
)
def test_bad_urls(url: str) -> None:
    with pytest.raises(InvalidTurnUrl):
        parse_url(url)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "turn.test")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "turn.pem", folder / "turn.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return files
