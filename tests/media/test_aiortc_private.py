"""The contract with aiortc's and aioice's private parts: fails when a new version changes them."""

from __future__ import annotations

import asyncio

import aioice
import pylibsrtp
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES

from media.aiortc_private import (
    MAX_PACKET,
    MAX_QUEUED_DATAGRAMS,
    DtlsEnd,
    WorkerCertificate,
    gathering_loopback,
)

ONE: WorkerCertificate = WorkerCertificate.generateCertificate()
OTHER: WorkerCertificate = WorkerCertificate.generateCertificate()


def joined(client_certificate: WorkerCertificate = OTHER) -> tuple[DtlsEnd, DtlsEnd, list[str]]:
    """Two ends whose datagrams reach each other, and the server's states."""
    states: list[str] = []
    server = DtlsEnd(ONE, "server", lambda datagram: assert_taken(client.push(datagram)))
    client = DtlsEnd(client_certificate, "client", lambda datagram: assert_taken(server.push(datagram)))
    server.on_state(states.append)
    return server, client, states


def assert_taken(taken: bool) -> None:
    """Nothing overflows between two ends that only shake hands."""
    assert taken


async def shaken() -> tuple[DtlsEnd, DtlsEnd, list[str]]:
    """Two connected ends."""
    server, client, states = joined()
    await asyncio.gather(
        server.handshake([("sha-256", OTHER.sha256)]), client.handshake([("sha-256", ONE.sha256)])
    )
    return server, client, states


async def test_keys_fit_both_ways() -> None:
    server, client, states = await shaken()
    assert states == ["connecting", "connected"]
    (server_in, server_out), (client_in, client_out) = server.srtp(), client.srtp()
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    report = b"\x80\xc9\x00\x01" + bytes(4)
    assert server_in.unprotect(client_out.protect(packet)) == packet
    assert client_in.unprotect(server_out.protect(packet)) == packet
    assert server_in.unprotect_rtcp(client_out.protect_rtcp(report)) == report
    await client.close()
    await server.close()


async def test_the_keys_that_are_exported_are_those_in_use() -> None:
    server, client, _ = await shaken()
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    report = b"\x80\xc9\x00\x01" + bytes(4)
    for end, other in ((server, client), (client, server)):
        keys, (receiving, sending) = end.srtp_keys(), other.srtp()
        profile = next(p for p in SRTP_PROFILES if p.openssl_profile == keys.profile.encode())
        assert keys.key_length == profile.key_length
        own_in, own_out = (
            pylibsrtp.Session(pylibsrtp.Policy(key, kind, srtp_profile=profile.libsrtp_profile))
            for key, kind in (
                (keys.receiving, pylibsrtp.Policy.SSRC_ANY_INBOUND),
                (keys.sending, pylibsrtp.Policy.SSRC_ANY_OUTBOUND),
            )
        )
        assert own_in.unprotect(sending.protect(packet)) == packet
        assert own_in.unprotect_rtcp(sending.protect_rtcp(report)) == report
        assert receiving.unprotect(own_out.protect(packet)) == packet
        assert receiving.unprotect_rtcp(own_out.protect_rtcp(report)) == report
    assert server.srtp_keys().receiving == client.srtp_keys().sending != server.srtp_keys().sending
    await client.close()
    await server.close()


async def test_goodbye_closes_the_other_end() -> None:
    server, client, states = await shaken()
    closed = asyncio.Event()
    server.on_state(lambda state: closed.set() if state == "closed" else None)
    await client.close()
    await asyncio.wait_for(closed.wait(), 20)
    assert states[-1] == "closed"
    await server.close()


async def test_another_certificate_fails() -> None:
    server, client, states = joined(ONE)
    both = asyncio.gather(
        server.handshake([("sha-256", OTHER.sha256)]), client.handshake([("sha-256", ONE.sha256)])
    )
    await both
    assert states[-1] == "failed"
    await client.close()
    await server.close()


async def test_an_end_that_is_closed_stops_waiting() -> None:
    server, _, states = joined()
    handshake = asyncio.ensure_future(server.handshake([("sha-256", OTHER.sha256)]))
    await asyncio.sleep(0)
    await server.close()
    await asyncio.wait_for(handshake, 20)
    assert states[-1] == "failed"


async def test_the_queue_drops_the_oldest() -> None:
    server, _, _ = joined()
    taken = [server.push(bytes([22, number])) for number in range(MAX_QUEUED_DATAGRAMS + 3)]
    assert taken.count(False) == 3
    assert all(taken[:MAX_QUEUED_DATAGRAMS])
    await server.close()


def test_one_context_serves_every_connection_of_a_certificate() -> None:
    assert ONE._create_ssl_context(SRTP_PROFILES) is ONE._create_ssl_context(SRTP_PROFILES)
    assert ONE._create_ssl_context(SRTP_PROFILES) is not OTHER._create_ssl_context(SRTP_PROFILES)


def test_the_fingerprint_is_of_32_bytes() -> None:
    assert len(ONE.sha256.split(":")) == 32


async def test_loopback_is_gathered_and_only_inside() -> None:
    async def gathered() -> set[str]:
        connection = aioice.Connection(ice_controlling=True)
        await connection.gather_candidates()
        found = {candidate.host for candidate in connection.local_candidates}
        await connection.close()
        return found

    with gathering_loopback():
        assert await gathered() == {"127.0.0.1"}
    assert "127.0.0.1" not in await gathered()


@pytest.mark.parametrize("role", ["server", "client"])
async def test_closing_twice_does_no_harm(role: str) -> None:
    server, client, _ = await shaken()
    for end in (server, client) if role == "server" else (client, server):
        await end.close()
        await end.close()


async def test_srtp_refuses_what_was_seen_changed_or_is_too_long() -> None:
    server, client, _ = await shaken()
    (server_in, _), (_, client_out) = server.srtp(), client.srtp()
    protected = client_out.protect(b"\x80\x60\x00\x01" + bytes(8) + b"payload")
    with pytest.raises(pylibsrtp.Error):
        server_in.unprotect(protected[:-1] + bytes([protected[-1] ^ 1]))
    server_in.unprotect(protected)
    with pytest.raises(pylibsrtp.Error):
        server_in.unprotect(protected)
    with pytest.raises(ValueError, match="too long"):
        client_out.protect(bytes(MAX_PACKET + 1))
    await client.close()
    await server.close()
