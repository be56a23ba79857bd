"""One participant's secured transport: DTLS over the shared socket, then SRTP and SRTCP both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pylibsrtp

from media.aiortc_private import DtlsEnd, SrtpSession, WorkerCertificate
from media.interface import TransportState
from media.packet_path import PeerPath, Receiving, Sending


class Transport:
    """Keys and state of one participant's connection. Its address is the ICE agent's business.

    path: protects RTP. send: hands a datagram to the socket. on_state: called at every change of `state`.
    """

    def __init__(
        self,
        certificate: WorkerCertificate,
        fingerprints: tuple[tuple[str, str], ...],
        path: PeerPath,
        send: Callable[[bytes], bool],
        on_state: Callable[[Transport], None],
        now: float,
    ) -> None:
        self.fingerprints = fingerprints
        self.state = TransportState.CONNECTING
        self.created_at_s = now
        self._path = path
        self._send = send
        self._on_state = on_state
        self._dtls = DtlsEnd(certificate, "server", lambda datagram: void(send(datagram)))
        self._dtls.on_state(self._dtls_changed)
        self._handshake = asyncio.ensure_future(self._dtls.handshake(fingerprints))
        self._control_receiving: SrtpSession | None = None
        self._control_sending: SrtpSession | None = None
        self._receiving: Receiving | None = None
        self._sending: Sending | None = None

    @property
    def secured(self) -> bool:
        """Whether the DTLS handshake has given keys that are still in use."""
        return self._sending is not None

    def push_dtls(self, datagram: bytes) -> bool:
        """Take a datagram of the DTLS range from the validated address; False when one was dropped."""
        return self._dtls.push(datagram)

    def unprotect(self, datagram: bytes, is_rtcp: bool) -> bytes | None:
        """The plain packet, or None when it does not authenticate or was seen before."""
        control, media = self._control_receiving, self._receiving
        if control is None or media is None:
            return None
        try:
            return control.unprotect_rtcp(datagram) if is_rtcp else media.unprotect(datagram)
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
        session = self._control_sending
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
        """Say goodbye by DTLS and drop the keys. No state is announced any more. Who owned it is let go:
        a participant's tables go at once, not at some later garbage collection."""
        self.state = TransportState.CLOSED
        self._drop_keys()
        self._handshake.cancel()
        await asyncio.gather(self._handshake, return_exceptions=True)
        await self._dtls.close()
        self._dtls.release()
        self._send = _refuse
        self._on_state = void

    def _dtls_changed(self, dtls_state: str) -> None:
        if self.state is TransportState.CLOSED:
            return
        if dtls_state == "connected":
            self._control_receiving, self._control_sending = self._dtls.srtp()
            self._receiving, self._sending = self._path.secure(self._dtls)
            self._change(TransportState.CONNECTED)
        elif dtls_state in ("failed", "closed"):
            self._drop_keys()
            self._change(TransportState.CLOSED)

    def _drop_keys(self) -> None:
        self._control_receiving = self._control_sending = None
        self._receiving = self._sending = None
        self._path.close()

    def _change(self, state: TransportState) -> None:
        self.state = state
        self._on_state(self)


def void(_: object) -> None:
    """Drop a value where a callable without one is wanted."""


def _refuse(_: bytes) -> bool:
    return False
