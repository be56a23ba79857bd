"""The certificate for one's own network: trusted through its authority, for its addresses only, renewed."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signaling.own_certificate import LIFE, lan_addresses, load_or_make

NOW = datetime.now(UTC)


def test_kept_until_addresses_change_or_it_ends(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, ["192.0.2.7"], NOW)
    again = load_or_make(tmp_path, ["192.0.2.7"], NOW + timedelta(days=30))
    assert again == first
    assert first.key.stat().st_mode & 0o777 == 0o600
    other = load_or_make(tmp_path, ["192.0.2.8"], NOW)
    assert other.fingerprint != first.fingerprint
    assert load_or_make(tmp_path, ["192.0.2.8"], NOW + LIFE).fingerprint != other.fingerprint


def test_broken_files_are_replaced(tmp_path: Path) -> None:
    own = load_or_make(tmp_path, [], NOW)
    own.cert.write_text("broken")
    own.authority.write_text("broken")
    assert load_or_make(tmp_path, [], NOW).fingerprint


async def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_trusts_the_authority(tmp_path: Path) -> None:
    own = load_or_make(tmp_path, ["192.0.2.7"], NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own.cert, own.key)
    trusting = ssl.create_default_context(cafile=str(own.authority))
    for name in ("localhost", "127.0.0.1", "192.0.2.7"):
        await handshake(server, trusting, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(server, trusting, "192.0.2.9")
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(server, ssl.create_default_context(), "localhost")


def test_addresses_of_this_host() -> None:
    for address in lan_addresses():
        assert not address.startswith("127.")
