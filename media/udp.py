"""The worker's UDP socket: dual stack, drained in batches, with the kernel's arrival times and with answers
sent from the address that was asked."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Callable

from media.ice_lite import Address

BATCH = 128
"""Datagrams taken before the loop gets its turn."""
BUFFER_BYTES = 4 << 20
MAX_DATAGRAM = 2048
MAX_CLOCK_ERROR_S = 1.0
DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
"""Nobody waits to send, also where the packet loop's thread waits for what comes."""

Ancillary = list[tuple[int, int, bytes]]
OnDatagram = Callable[[bytes, Address, Ancillary, float], None]

_EVERY_IPV4 = "0.0.0.0"  # noqa: S104 - a media port is meant for everybody
_LINUX = sys.platform == "linux"
_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; the socket module of Python 3.11 does not name it
_IP_PKTINFO = 8  # <linux/in.h>; likewise
_TIMESPEC = struct.Struct("@ll")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(20)


class UdpSocket:
    """A bound, non-blocking UDP socket on one event loop."""

    def __init__(self, bind_host: str, port: int) -> None:
        """Bind; "::" takes IPv4 too, and falls back to IPv4 alone on a host without IPv6. Raises OSError."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = _bind(bind_host, port)
        self.family = self._socket.family
        self.sendto = self._socket.sendto
        """The socket's own: raises OSError. For the many datagrams that need no source; with DONT_WAIT."""
        self.port: int = self._socket.getsockname()[1]

    @property
    def has_ipv6(self) -> bool:
        """Whether IPv6 reaches this socket."""
        return self.family == socket.AF_INET6

    def start(self, loop: asyncio.AbstractEventLoop, on_datagram: OnDatagram) -> None:
        """Call on_datagram(datagram, sender, ancillary, arrived_s) for everything that comes."""
        self._loop = loop
        self._on_datagram = on_datagram
        loop.add_reader(self._socket.fileno(), self._drain)

    def fileno(self) -> int:
        """The system's number of the socket."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop reading and close."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def send(self, datagram: bytes, address: Address, source: Ancillary | None = None) -> bool:
        """Send; False when the system would not take it. source: from `source_of`, or None for any."""
        try:
            if source is None:
                self._socket.sendto(datagram, DONT_WAIT, address)
            else:
                self._socket.sendmsg([datagram], source, DONT_WAIT, address)
        except OSError:
            return False
        return True

    def source_of(self, ancillary: Ancillary) -> Ancillary | None:
        """What makes `send` use the local address that a received datagram was sent to."""
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                return [(level, kind, data[:16] + bytes(4))]
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                return [(level, kind, bytes(4) + data[8:12] + bytes(4))]
        return None

    def needs_source(self, address: Address, source: Ancillary | None) -> bool:
        """Whether the system, left alone, would answer this address from another one than `source`."""
        if source is None:
            return False
        with socket.socket(self.family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(address)
                chosen = socket.inet_pton(self.family, probe.getsockname()[0].partition("%")[0])
            except OSError:
                return True
        return chosen not in (source[0][2][:16], source[0][2][4:8])

    def _drain(self) -> None:
        receive, handle = self._socket.recvmsg, self._on_datagram
        now = time.monotonic()
        wall_to_monotonic_s = now - time.time()
        for _ in range(BATCH):
            try:
                datagram, ancillary, _flags, address = receive(MAX_DATAGRAM, _ANCILLARY_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # An ICMP error about an earlier datagram; it says nothing of this socket.
                continue
            arrived_s = now
            for level, kind, data in ancillary:
                if kind == _SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
                    seconds, nanoseconds = _TIMESPEC.unpack(data)
                    arrived_s = seconds + nanoseconds * 1e-9 + wall_to_monotonic_s
                    if not -MAX_CLOCK_ERROR_S < arrived_s - now < MAX_CLOCK_ERROR_S:
                        arrived_s = now  # the wall clock was set
                    break
            handle(datagram, address, ancillary, arrived_s)
            if self._loop is None:
                return


def _bind(bind_host: str, port: int) -> socket.socket:
    if bind_host == "::":
        try:
            return _bind_family(socket.AF_INET6, bind_host, port)
        except OSError:
            if port and _in_use(port):
                raise
            return _bind_family(socket.AF_INET, _EVERY_IPV4, port)
    return _bind_family(socket.AF_INET6 if ":" in bind_host else socket.AF_INET, bind_host, port)


def _in_use(port: int) -> bool:
    """Whether binding IPv4 alone would only hide that the port is taken."""
    try:
        _bind_family(socket.AF_INET, _EVERY_IPV4, port).close()
    except OSError:
        return True
    return False


def _bind_family(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif _LINUX:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        if _LINUX:
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
