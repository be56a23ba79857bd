"""One participant's secured transport: DTLS over the shared socket, then SRTP and SRTCP both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pylibsrtp

from media.aiortc_private import DtlsEnd, SrtpSession, WorkerCertificate
from media.interface import TransportState


class Transport:
    """Keys and state of one participant's connection. Its address is the ICE agent's business.

    send: hands a datagram to the socket. on_state: called at every change of `state`.
    """

    def __init__(
        self,
        certificate: WorkerCertificate,
        fingerprints: tuple[tuple[str, str], ...],
        send: Callable[[bytes], bool],
        on_state: Callable[[Transport], None],
        now: float,
    ) -> None:
        self.fingerprints = fingerprints
        self.state = TransportState.CONNECTING
        self.created_at_s = now
        self._send = send
        self._on_state = on_state
        self._dtls = DtlsEnd(certificate, "server", lambda datagram: void(send(datagram)))
        self._dtls.on_state(self._dtls_changed)
        self._handshake = asyncio.ensure_future(self._dtls.handshake(fingerprints))
        self._receiving: SrtpSession | None = None
        self._sending: SrtpSession | None = None

    @property
    def secured(self) -> bool:
        """Whether the DTLS handshake has given keys that are still in use."""
        return self._sending is not None

    def push_dtls(self, datagram: bytes) -> bool:
        """Take a datagram of the DTLS range from the validated address; False when one was dropped."""
        return self._dtls.push(datagram)

    def unprotect(self, datagram: bytes, is_rtcp: bool) -> bytes | None:
        """The plain packet, or None when it does not authenticate or was seen before."""
        session = self._receiving
        if session is None:
            return None
        try:
            return session.unprotect_rtcp(datagram) if is_rtcp else session.unprotect(datagram)
        except (pylibsrtp.Error, ValueError):
            return None

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send an RTP packet; False when it was dropped."""
        session = self._sending
        if session is None:
            return False
        try:
            return self._send(session.protect(packet))
        except (pylibsrtp.Error, ValueError):
            return False

    def send_rtcp(self, compound: bytes) -> bool:
        """Protect and send a compound RTCP packet; False when it was dropped."""
        session = self._sending
        if session is None:
            return False
        try:
            return self._send(session.protect_rtcp(compound))
        except (pylibsrtp.Error, ValueError):
            return False

    def set_silent(self, silent: bool) -> None:
        """Liveness has changed; only a connected transport can fall silent, and only a silent one return."""
        if silent and self.state is TransportState.CONNECTED:
            self._change(TransportState.SILENT)
        elif not silent and self.state is TransportState.SILENT:
            self._change(TransportState.CONNECTED)

    async def close(self) -> None:
        """Say goodbye by DTLS and drop the keys. No state is announced any more."""
        self.state = TransportState.CLOSED
        self._receiving = self._sending = None
        self._handshake.cancel()
        await asyncio.gather(self._handshake, return_exceptions=True)
        await self._dtls.close()

    def _dtls_changed(self, dtls_state: str) -> None:
        if self.state is TransportState.CLOSED:
            return
        if dtls_state == "connected":
            self._receiving, self._sending = self._dtls.srtp()
            self._change(TransportState.CONNECTED)
        elif dtls_state in ("failed", "closed"):
            self._receiving = self._sending = None
            self._change(TransportState.CLOSED)

    def _change(self, state: TransportState) -> None:
        self.state = state
        self._on_state(self)


def void(_: object) -> None:
    """Drop a value where a callable without one is wanted."""
