"""The socket: both families on one port, the kernel's arrival times, and answers from the address asked."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from media.ice_lite import Address
from media.udp import Ancillary, UdpSocket

Arrival = tuple[bytes, Address, Ancillary, float]


@asynccontextmanager
async def listening(host: str) -> AsyncIterator[tuple[UdpSocket, asyncio.Queue[Arrival]]]:
    """A socket and what comes."""
    udp = UdpSocket(host, 0)
    arrivals: asyncio.Queue[Arrival] = asyncio.Queue()
    udp.start(asyncio.get_running_loop(), lambda *arrival: arrivals.put_nowait(arrival))
    try:
        yield udp, arrivals
    finally:
        udp.close()


def client(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A blocking socket on loopback."""
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(20)
    made.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    return made


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
async def test_both_families_on_one_port(family: socket.AddressFamily, host: str) -> None:
    async with listening("::") as (udp, arrivals):
        assert udp.has_ipv6
        with client(family) as peer:
            before = time.monotonic()
            peer.sendto(b"question", (host, udp.port))
            datagram, address, ancillary, arrived_s = await asyncio.wait_for(arrivals.get(), 20)
            assert datagram == b"question"
            assert before - 0.05 <= arrived_s <= time.monotonic() + 0.05
            assert udp.send(b"answer", address, udp.source_of(ancillary))
            answer, sender = peer.recvfrom(100)
            assert (answer, sender[:2]) == (b"answer", (host, udp.port))


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127/8 is local on Linux only")
@pytest.mark.parametrize("bound", ["::", "0.0.0.0"])
async def test_the_address_that_was_asked_answers(bound: str) -> None:
    async with listening(bound) as (udp, arrivals):
        with client() as peer:
            peer.sendto(b"question", ("127.0.0.2", udp.port))
            _, address, ancillary, _ = await asyncio.wait_for(arrivals.get(), 20)
            source = udp.source_of(ancillary)
            assert udp.needs_source(address, source)
            udp.send(b"answer", address, source)
            assert peer.recvfrom(100) == (b"answer", ("127.0.0.2", udp.port))
            peer.sendto(b"question", ("127.0.0.1", udp.port))
            _, address, ancillary, _ = await asyncio.wait_for(arrivals.get(), 20)
            assert not udp.needs_source(address, udp.source_of(ancillary))
            assert not udp.needs_source(address, None)


async def test_a_batch_does_not_starve_the_loop_and_nothing_is_lost() -> None:
    async with listening("127.0.0.1") as (udp, arrivals):
        with client() as peer:
            for number in range(400):
                peer.sendto(number.to_bytes(2, "big"), ("127.0.0.1", udp.port))
            got = [(await asyncio.wait_for(arrivals.get(), 20))[0] for _ in range(400)]
    assert got == [number.to_bytes(2, "big") for number in range(400)]


async def test_what_cannot_be_sent_is_said() -> None:
    async with listening("127.0.0.1") as (udp, _):
        assert not udp.send(bytes(70_000), ("127.0.0.1", udp.port))


def test_a_taken_port_is_an_error() -> None:
    first = UdpSocket("::", 0)
    try:
        for host in ("::", "127.0.0.1"):
            with pytest.raises(OSError, match="in use"):
                UdpSocket(host, first.port)
    finally:
        first.close()
