"""A seeded UDP proxy: what passes between a client and a server meets the conditions of netem.Path, each
direction its own; the client can be moved to another address.

`Link` is pure: datagrams and times go in, datagrams that are due come out. `UdpProxy` is its shell.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.netem import Conditions, Path

UDP_HEADERS = 20 + 8
"""IPv4 and UDP, which a path carries with every datagram."""
Address = tuple[str, int]
Schedule = Sequence[tuple[float, Conditions]]


@dataclass(frozen=True, slots=True)
class Passed:
    """A datagram that was given to a link. waited_s: at the bottleneck, None when its queue was full;
    arrived_s: None when it was lost."""

    at_s: float
    datagram: bytes
    waited_s: float | None
    arrived_s: float | None

    @property
    def size(self) -> int:
        """Bytes on the path."""
        return len(self.datagram) + UDP_HEADERS


class Link:
    """One direction. Times are seconds since the schedule's beginning, in order; see netem.Path."""

    def __init__(self, schedule: Schedule, seed: int) -> None:
        self.path = Path(schedule, seed)
        self.passed: list[Passed] = []
        self._flying: list[tuple[float, int, bytes]] = []
        self._count = 0

    def send(self, datagram: bytes, now: float) -> None:
        """A datagram comes to the bottleneck."""
        delivery = self.path.send(len(datagram) + UDP_HEADERS, now)
        if delivery is None:
            self.passed.append(Passed(now, datagram, None, None))
            return
        self.passed.append(Passed(now, datagram, delivery.waited_s, delivery.arrived_s))
        if delivery.arrived_s is not None:
            self._count += 1
            heapq.heappush(self._flying, (delivery.arrived_s, self._count, datagram))

    def due(self, now: float) -> list[bytes]:
        """What has arrived by now and was not given before, in the order of arrival."""
        arrived = []
        while self._flying and self._flying[0][0] <= now:
            arrived.append(heapq.heappop(self._flying)[2])
        return arrived

    def next_s(self) -> float | None:
        """When the next datagram arrives, or None."""
        return self._flying[0][0] if self._flying else None


class _Socket(asyncio.DatagramProtocol):
    """Hands on what comes to one socket."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: on a path that loses packets, one more that is lost."""


class UdpProxy:
    """Between one client and a server. The client sends to `address`; the server sees another address, which
    `move` changes, as a change of network does: what comes to the old one is lost. The schedules begin with
    `begin`, at first with `start`; times are seconds since then.
    """

    def __init__(self, server: Address, to_server: Schedule, to_client: Schedule, seed: int) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._client: Address | None = None
        self._inside: asyncio.DatagramTransport
        self._outside: list[asyncio.DatagramTransport] = []
        self._timers: dict[bool, asyncio.TimerHandle | None] = {True: None, False: None}
        self.begin(to_server, to_client, seed)

    @classmethod
    async def start(cls, server: Address, to_server: Schedule, to_client: Schedule, seed: int) -> UdpProxy:
        """Open both sides on loopback."""
        proxy = cls(server, to_server, to_client, seed)
        proxy._inside, _ = await proxy._loop.create_datagram_endpoint(
            lambda: _Socket(proxy._from_client), local_addr=("127.0.0.1", 0)
        )
        await proxy.move()
        return proxy

    @property
    def address(self) -> Address:
        """Where the client finds the server."""
        name: Address = self._inside.get_extra_info("sockname")
        return name

    @property
    def now(self) -> float:
        """Seconds since the schedules began."""
        return self._loop.time() - self._began_s

    def begin(self, to_server: Schedule, to_client: Schedule, seed: int) -> None:
        """Begin new schedules now; what was on its way is lost."""
        self._began_s = self._loop.time()
        self.to_server = Link(to_server, seed)
        self.to_client = Link(to_client, seed + 1)
        for timer in self._timers.values():
            if timer is not None:
                timer.cancel()
        self._timers = {True: None, False: None}

    async def move(self, host: str = "127.0.0.1") -> None:
        """Give the client another address and port towards the server. The old ones answer nothing."""
        number = len(self._outside) + 1
        moved, _ = await self._loop.create_datagram_endpoint(
            lambda: _Socket(lambda data, _: self._from_server(number, data)), local_addr=(host, 0)
        )
        self._outside.append(moved)

    async def close(self) -> None:
        """Close every socket."""
        for timer in self._timers.values():
            if timer is not None:
                timer.cancel()
        for transport in (self._inside, *self._outside):
            transport.close()
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    def _from_client(self, datagram: bytes, address: Address) -> None:
        self._client = address
        self.to_server.send(datagram, self.now)
        self._deliver(True)

    def _from_server(self, number: int, datagram: bytes) -> None:
        if number == len(self._outside):
            self.to_client.send(datagram, self.now)
            self._deliver(False)

    def _deliver(self, to_server: bool) -> None:
        """Pass on what has arrived, and come again for the next."""
        link = self.to_server if to_server else self.to_client
        for datagram in link.due(self.now):
            if to_server:
                self._outside[-1].sendto(datagram, self._server)
            elif self._client is not None:
                self._inside.sendto(datagram, self._client)
        timer = self._timers[to_server]
        if timer is not None:
            timer.cancel()
        next_s = link.next_s()
        self._timers[to_server] = (
            None
            if next_s is None or next_s == float("inf")
            else self._loop.call_later(max(0.0, next_s - self.now), self._deliver, to_server)
        )
