"""Asks a TURN server for an allocation, as a browser would, and says what came of it."""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from turn.interface import TurnCredentials
from turn.messages import (
    HEADER_BYTES,
    TRANSACTION_ID_BYTES,
    Answer,
    Attribute,
    MalformedMessage,
    Method,
    long_term_key,
    parse_answer,
    request,
    xor_address,
)

_UDP_IN_ALLOCATE = bytes((17, 0, 0, 0))  # REQUESTED-TRANSPORT: the protocol number of UDP
_FAMILIES = {4: b"\x01\0\0\0", 6: b"\x02\0\0\0"}
_FIRST_RETRANSMISSION_S = 0.5  # RFC 8489, 6.2.1
_URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:(?P<port>\d{1,5}))?"
    r"(\?transport=(?P<transport>udp|tcp))?"
)


class Outcome(StrEnum):
    """What a TURN server did."""

    REACHABLE = "reachable"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of asking one TURN server.

    error_code: of the refusal, 401 for wrong or expired credentials. relayed_address: what it allocated.
    round_trip_ms: of the first exchange. permissions: per peer asked about, None when packets to it would
    be relayed, else the code of the refusal, 403 for a denied address.
    """

    url: str
    outcome: Outcome
    words: str
    error_code: int | None = None
    relayed_address: tuple[str, int] | None = None
    round_trip_ms: float | None = None
    permissions: Mapping[str, int | None] = field(default_factory=dict)


class InvalidTurnUrl(ValueError):
    """The text is not a TURN URL (RFC 7065)."""

    error_id = "turn.invalid_url"


@dataclass(frozen=True, slots=True)
class TurnUrl:
    """A TURN URL, taken apart. tls: over TLS, which implies TCP here."""

    host: str
    port: int
    tcp: bool
    tls: bool


def parse_url(url: str) -> TurnUrl:
    """Take a TURN URL apart. Raises InvalidTurnUrl."""
    found = _URL.fullmatch(url)
    if found is None:
        raise InvalidTurnUrl("a TURN URL is turn:host:port?transport=udp, or turns: with tcp")
    tls = found["scheme"] == "turns"
    port = int(found["port"] or (5349 if tls else 3478))
    if not 1 <= port <= 65535 or (tls and found["transport"] == "udp"):
        raise InvalidTurnUrl("a port is 1 to 65535, and TURN over DTLS is not probed")
    return TurnUrl(found["host"].strip("[]"), port, tls or found["transport"] == "tcp", tls)


async def probe(
    url: str,
    credentials: TurnCredentials,
    *,
    peers: Sequence[str] = (),
    relay_family: int = 4,
    timeout_s: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> ProbeResult:
    """Allocate at a TURN server, ask for permission to send to each peer address, and let go.

    relay_family: 4 or 6, the address family of allocation and peers. Raises InvalidTurnUrl.
    """
    server = parse_url(url)
    try:
        async with asyncio.timeout(timeout_s):
            connection = await _connect(server, tls)
            try:
                return await _Session(connection, credentials).probe(url, peers, relay_family)
            finally:
                connection.close()
    except TimeoutError:
        return ProbeResult(url, Outcome.SILENT, "Nothing answered: a firewall, or no server at this address.")
    except (OSError, asyncio.IncompleteReadError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the connection broke"
        return ProbeResult(url, Outcome.SILENT, f"No connection to the TURN server: {reason}.")
    except MalformedMessage:
        return ProbeResult(url, Outcome.SILENT, "What answered does not speak TURN.")


class _Connection(Protocol):
    async def exchange(self, data: bytes) -> Answer: ...

    def close(self) -> None: ...


class _Session:
    """Long-term credentials over one connection: the first refusal gives realm and nonce."""

    def __init__(self, connection: _Connection, credentials: TurnCredentials) -> None:
        self._connection = connection
        self._credentials = credentials
        self._realm = b""
        self._nonce = b""
        self._key: bytes | None = None

    async def probe(self, url: str, peers: Sequence[str], relay_family: int) -> ProbeResult:
        wanted = [
            (Attribute.REQUESTED_TRANSPORT, _UDP_IN_ALLOCATE),
            (Attribute.REQUESTED_ADDRESS_FAMILY, _FAMILIES[relay_family]),
        ]
        began = time.perf_counter()
        answer = await self._once(Method.ALLOCATE, wanted)
        round_trip_ms = (time.perf_counter() - began) * 1000
        if answer.error_code == 401:
            answer = await self._ask(Method.ALLOCATE, wanted, answer)
        if not answer.succeeded:
            words = _REFUSALS.get(answer.error_code or 0, "The TURN server refused.")
            return ProbeResult(url, Outcome.REFUSED, words, answer.error_code, None, round_trip_ms)
        relayed = answer.address(Attribute.XOR_RELAYED_ADDRESS)
        permissions: dict[str, int | None] = {}
        for peer in peers:
            answer = await self._ask(Method.CREATE_PERMISSION, [(Attribute.XOR_PEER_ADDRESS, peer)])
            permissions[peer] = None if answer.succeeded else answer.error_code
        # An allocation that nobody needs would count against the quotas for ten minutes.
        await self._ask(Method.REFRESH, [(Attribute.LIFETIME, bytes(4))])
        words = "The TURN server relays."
        return ProbeResult(url, Outcome.REACHABLE, words, None, relayed, round_trip_ms, permissions)

    async def _ask(
        self,
        method: Method,
        attributes: Sequence[tuple[Attribute, bytes | str]],
        challenge: Answer | None = None,
    ) -> Answer:
        """Ask with credentials, and once more when the nonce went stale."""
        if challenge is not None:
            self._learn(challenge)
        answer = await self._once(method, attributes)
        if answer.error_code == 438:
            self._learn(answer)
            answer = await self._once(method, attributes)
        return answer

    def _learn(self, challenge: Answer) -> None:
        self._realm = challenge.attributes.get(Attribute.REALM, self._realm)
        self._nonce = challenge.attributes.get(Attribute.NONCE, b"")
        realm = self._realm.decode("utf-8", "replace")
        self._key = long_term_key(self._credentials.username, realm, self._credentials.credential)

    async def _once(self, method: Method, attributes: Sequence[tuple[Attribute, bytes | str]]) -> Answer:
        transaction_id = secrets.token_bytes(TRANSACTION_ID_BYTES)
        encoded = [
            (kind, xor_address(value, 0, transaction_id) if isinstance(value, str) else value)
            for kind, value in attributes
        ]
        if self._key is not None:
            encoded += [
                (Attribute.USERNAME, self._credentials.username.encode()),
                (Attribute.REALM, self._realm),
                (Attribute.NONCE, self._nonce),
            ]
        answer = await self._connection.exchange(request(method, transaction_id, encoded, self._key))
        if self._key is not None and answer.succeeded and not answer.signed_with(self._key):
            raise MalformedMessage("a success that the server did not sign")
        return answer


_REFUSALS = {
    401: "The TURN server does not accept the credentials: another secret, another clock, or expired.",
    403: "The TURN server forbids this.",
    440: "The TURN server has no address of this family.",
    441: "The TURN server does not accept the credentials.",
    486: "The quota of allocations is used up.",
    508: "The TURN server has no port left.",
}


async def _connect(server: TurnUrl, tls: ssl.SSLContext | None) -> _Connection:
    if not server.tcp:
        loop = asyncio.get_running_loop()
        address = (server.host, server.port)
        _, protocol = await loop.create_datagram_endpoint(_Datagrams, remote_addr=address)
        return protocol
    context = (tls or ssl.create_default_context()) if server.tls else None
    return _Stream(*await asyncio.open_connection(server.host, server.port, ssl=context))


class _Datagrams(asyncio.DatagramProtocol):
    """One exchange at a time over UDP, sent again until the answer or the caller's timeout comes."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._transaction_id = b""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            answer = parse_answer(data)
        except MalformedMessage:
            return  # anybody can send a datagram; the answer may still come
        waiting = self._answer is not None and not self._answer.done()
        if waiting and answer.transaction_id == self._transaction_id:
            assert self._answer is not None
            self._answer.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc)

    async def exchange(self, data: bytes) -> Answer:
        assert self._transport is not None
        self._transaction_id = data[8:HEADER_BYTES]
        self._answer = asyncio.get_running_loop().create_future()
        wait_s = _FIRST_RETRANSMISSION_S
        while True:
            self._transport.sendto(data)
            done, _ = await asyncio.wait((self._answer,), timeout=wait_s)
            if done:
                return self._answer.result()
            wait_s *= 2

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Stream:
    """One exchange at a time over TCP or TLS; the header's length frames messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def exchange(self, data: bytes) -> Answer:
        self._writer.write(data)
        await self._writer.drain()
        while True:
            header = await self._reader.readexactly(HEADER_BYTES)
            if header[0] & 0xC0:
                raise MalformedMessage("not a STUN message")
            answer = parse_answer(header + await self._reader.readexactly(int.from_bytes(header[2:4])))
            if answer.transaction_id == data[8:HEADER_BYTES]:
                return answer

    def close(self) -> None:
        self._writer.close()
