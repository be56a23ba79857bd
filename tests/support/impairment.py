"""A seeded UDP proxy: what passes between a client and a server meets the conditions of netem.Path, each
direction its own; the client can be moved to another address.

`Link` is pure: datagrams and times go in, datagrams that are due come out. `UdpProxy` is its shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.netem import Conditions, Path

UDP_HEADERS = 20 + 8
"""IPv4 and UDP, which a path carries with every datagram."""
MAX_DATAGRAM = 2048
Address = tuple[str, int]
NOBODY: Address = ("", 0)
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
        self._flying: list[tuple[float, int, bytes, Address]] = []
        self._count = 0

    def send(self, datagram: bytes, now: float, client: Address = NOBODY) -> None:
        """A datagram of, or for, a client's socket comes to the bottleneck."""
        delivery = self.path.send(len(datagram) + UDP_HEADERS, now)
        if delivery is None:
            self.passed.append(Passed(now, datagram, None, None))
            return
        self.passed.append(Passed(now, datagram, delivery.waited_s, delivery.arrived_s))
        if delivery.arrived_s is not None:
            self._count += 1
            heapq.heappush(self._flying, (delivery.arrived_s, self._count, datagram, client))

    def due(self, now: float) -> list[tuple[bytes, Address]]:
        """What has arrived by now and was not given before, in the order of arrival; each with its client."""
        arrived = []
        while self._flying and self._flying[0][0] <= now:
            arrived.append(heapq.heappop(self._flying)[2:])
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
    """Between a client and a server. The client sends to `address`, from any number of sockets; the server
    sees another address for each, as behind a NAT. `move` changes them all, as a change of network does: what
    comes to the old ones is lost. The schedules begin with `begin`, at first with `start`; times are seconds
    since then.
    """

    def __init__(self, server: Address, to_server: Schedule, to_client: Schedule, seed: int) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._inside: asyncio.DatagramTransport
        self._outside: dict[Address, socket.socket] = {}
        self._left: list[socket.socket] = []
        self._host = "127.0.0.1"
        self._timers: dict[bool, asyncio.TimerHandle | None] = {True: None, False: None}
        self.begin(to_server, to_client, seed)

    @classmethod
    async def start(cls, server: Address, to_server: Schedule, to_client: Schedule, seed: int) -> UdpProxy:
        """Open the client's side on loopback."""
        proxy = cls(server, to_server, to_client, seed)
        proxy._inside, _ = await proxy._loop.create_datagram_endpoint(
            lambda: _Socket(proxy._from_client), local_addr=("127.0.0.1", 0)
        )
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

    def move(self, host: str = "127.0.0.1") -> None:
        """Give the client other addresses and ports towards the server. The old ones answer nothing."""
        self._host = host
        for left in self._outside.values():
            self._loop.remove_reader(left)
            self._left.append(left)
        self._outside.clear()

    async def close(self) -> None:
        """Close every socket."""
        self.move()
        for timer in self._timers.values():
            if timer is not None:
                timer.cancel()
        for left in self._left:
            left.close()
        self._inside.close()
        await asyncio.sleep(0)  # a transport closes in the loop's next turn

    def _open(self, client: Address) -> socket.socket:
        """The socket through which the server sees one of the client's."""
        outside = self._outside[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside.setblocking(False)
        outside.bind((self._host, 0))
        self._loop.add_reader(outside, self._from_server, outside, client)
        return outside

    def _from_client(self, datagram: bytes, client: Address) -> None:
        self.to_server.send(datagram, self.now, client)
        self._deliver(True)

    def _from_server(self, outside: socket.socket, client: Address) -> None:
        try:
            while True:
                self.to_client.send(outside.recv(MAX_DATAGRAM), self.now, client)
        except OSError:
            pass  # empty, or an ICMP error: on a path that loses packets, one more that is lost
        self._deliver(False)

    def _deliver(self, to_server: bool) -> None:
        """Pass on what has arrived, and come again for the next."""
        link = self.to_server if to_server else self.to_client
        for datagram, client in link.due(self.now):
            if to_server:
                outside = self._outside.get(client) or self._open(client)
                with contextlib.suppress(OSError):
                    outside.sendto(datagram, self._server)
            else:
                self._inside.sendto(datagram, client)
        timer = self._timers[to_server]
        if timer is not None:
            timer.cancel()
        next_s = link.next_s()
        self._timers[to_server] = (
            None
            if next_s is None or next_s == float("inf")
            else self._loop.call_later(max(0.0, next_s - self.now), self._deliver, to_server)
        )
