"""Every use of aiortc's and aioice's private parts, in one place; tests/media/test_aiortc_private.py is the
contract that fails when a new version changes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import aioice.ice
from aiortc import RTCCertificate, RTCDtlsTransport, RTCRtpReceiver
from aiortc.codecs import vpx
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, SRTPProtectionProfile
from aiortc.rtp import RtpPacket
from OpenSSL import SSL
from pylibsrtp import Error, Session
from pylibsrtp._binding import ffi, lib

MAX_QUEUED_DATAGRAMS = 32
MAX_PACKET = 1500
"""The longest RTP or RTCP packet, in the clear; no usual path carries more in one datagram."""
TAG_BYTES = 16
_TRAILER = 256
"""More than any tag, master key index and SRTCP index add."""
_packet = ffi.new("char[]", MAX_PACKET + _TRAILER)
_packet_bytes = ffi.buffer(_packet)
_length = ffi.new("int *")


class WorkerCertificate(RTCCertificate):
    """A certificate with one SSL context for every connection: set-up takes a third less CPU."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
        return self._context

    @property
    def sha256(self) -> str:
        """The SHA-256 fingerprint as SDP writes it."""
        return next(f.value for f in self.getFingerprints() if f.algorithm == "sha-256")


def _discard(_: bytes) -> None:
    pass


class _DatagramQueue:
    """Stands where RTCDtlsTransport expects an RTCIceTransport: a bounded queue in, a callable out."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._queue: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._ended = False

    def push(self, datagram: bytes) -> bool:
        """Queue a datagram; False when the oldest had to go for it."""
        full = len(self._queue) >= MAX_QUEUED_DATAGRAMS
        if full:
            self._queue.popleft()
        self._queue.append(datagram)
        self._arrived.set()
        return not full

    def end(self) -> None:
        """Let the reader see the end of the connection. Nothing is sent any more."""
        self._ended = True
        self._send_datagram = _discard
        self._arrived.set()

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._ended:
                raise ConnectionError("the transport has ended")
            self._arrived.clear()
            await self._arrived.wait()
        return self._queue.popleft()

    async def _send(self, datagram: bytes) -> None:
        self._send_datagram(datagram)


class SrtpSession:
    """A pylibsrtp session whose packets all go through one buffer: a third less time a packet, and no memory
    of its own to keep warm. For one thread: libsrtp is called without the interpreter's lock.
    """

    def __init__(self, session: Session) -> None:
        self._session = session  # which ends the libsrtp session when it goes
        self._srtp = session._srtp[0]

    def protect(self, packet: bytes) -> bytes:
        """SRTP of an RTP packet. Raises pylibsrtp.Error, ValueError for one too long."""
        return self._process(packet, lib.srtp_protect, MAX_PACKET)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """SRTCP of a compound. Raises pylibsrtp.Error, ValueError for one too long."""
        return self._process(packet, lib.srtp_protect_rtcp, MAX_PACKET)

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet. Raises pylibsrtp.Error when it does not authenticate or was seen before, ValueError
        when it is too long."""
        return self._process(packet, lib.srtp_unprotect, MAX_PACKET + TAG_BYTES)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP compound. Raises pylibsrtp.Error when it does not authenticate or was seen before,
        ValueError when it is too long."""
        return self._process(packet, lib.srtp_unprotect_rtcp, MAX_PACKET + TAG_BYTES)

    def _process(self, packet: bytes, operation: Callable[[Any, Any, Any], int], limit: int) -> bytes:
        size = len(packet)
        if size > limit:
            raise ValueError("packet is too long")
        _packet_bytes[:size] = packet
        _length[0] = size
        status = operation(self._srtp, _packet, _length)
        if status:
            raise Error(status)
        return bytes(_packet_bytes[: _length[0]])


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master keys of one connection, each followed by its salt. profile: OpenSSL's name of it."""

    profile: str
    key_length: int
    receiving: bytes = field(repr=False)
    sending: bytes = field(repr=False)


class DtlsEnd:
    """One end of a DTLS connection, over datagrams that its owner receives and sends."""

    def __init__(
        self, certificate: WorkerCertificate, role: Literal["server", "client"], send: Callable[[bytes], None]
    ) -> None:
        self._queue = _DatagramQueue(send)
        self._transport = RTCDtlsTransport(cast(Any, self._queue), [certificate])
        self._transport._set_role(role)

    def on_state(self, listener: Callable[[str], None]) -> None:
        """Call listener with "connecting", "connected", "failed" or "closed" at every change."""
        self._transport.on("statechange", lambda: listener(self._transport.state))

    def push(self, datagram: bytes) -> bool:
        """A datagram of the DTLS range came; False when a queued one had to be dropped for it."""
        return self._queue.push(datagram)

    async def handshake(self, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Shake hands; the peer must show a certificate with these fingerprints (algorithm, value)."""
        wanted = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints]
        await self._transport.start(RTCDtlsParameters(fingerprints=wanted))

    def srtp(self) -> tuple[SrtpSession, SrtpSession]:
        """Sessions for (receiving, sending), once connected."""
        return SrtpSession(self._transport._rx_srtp), SrtpSession(self._transport._tx_srtp)

    def srtp_keys(self) -> SrtpKeys:
        """What those sessions were made of, once connected."""
        connection = self._transport._ssl
        assert connection is not None
        selected = connection.get_selected_srtp_profile()
        profile = next(p for p in self._transport._srtp_profiles if p.openssl_profile == selected)
        size = 2 * (profile.key_length + profile.salt_length)
        exported = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
        client, server = (profile.get_key_and_salt(exported, index) for index in (0, 1))
        receiving, sending = (client, server) if self._transport._role == "server" else (server, client)
        return SrtpKeys(selected.decode(), profile.key_length, receiving, sending)

    async def close(self) -> None:
        """Say close_notify and end the reading task."""
        await self._transport.stop()
        self._queue.end()
        task = self._transport._task
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def release(self) -> None:
        """Let go of who was listening: nothing is told any more."""
        self._transport.remove_all_listeners()


@contextlib.contextmanager
def gathering_loopback() -> Iterator[None]:
    """Within it, aioice gathers 127.0.0.1 and nothing else: for clients on a host without a network."""
    original = aioice.ice.get_host_addresses

    def loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return ["127.0.0.1"] if use_ipv4 else []

    aioice.ice.get_host_addresses = loopback
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = original


@contextlib.contextmanager
def allow_loopback_candidates() -> Iterator[None]:
    """Within it, aioice gathers 127.0.0.1 beside the network's addresses, which it never does by itself."""
    original = aioice.ice.get_host_addresses

    def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        found = original(use_ipv4, use_ipv6)
        return [*found, "127.0.0.1"] if use_ipv4 and "127.0.0.1" not in found else found

    aioice.ice.get_host_addresses = with_loopback
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = original


def set_vp8_bitrates(start_bps: int, max_bps: int) -> None:
    """Let every VP8 encoder of this process begin with start_bps, and follow REMB up to max_bps.

    aiortc's own 0.5 and 1.5 Mbit/s make a blur of skin at 720p.
    """
    vpx.DEFAULT_BITRATE = start_bps
    vpx.MAX_BITRATE = max_bps


def count_instead_of_decoding(receiver: RTCRtpReceiver, received: Callable[[int], None]) -> None:
    """Call received with each packet's payload size in bytes; nothing is kept, decoded or acknowledged."""

    async def count(packet: RtpPacket, arrival_time_ms: int) -> None:
        received(len(packet.payload))

    receiver._handle_rtp_packet = count  # type: ignore[method-assign]
