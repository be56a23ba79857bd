"""A peer of the relay for tests that sends exactly the bytes it is told: a UDP socket on loopback, STUN, DTLS
and SRTP, and nothing that would repair, reorder or refuse."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from media import sdp, stun
from media.aiortc_private import DtlsEnd, SrtpSession, WorkerCertificate
from media.interface import ChromaEmphasis, Negotiation, Source
from media.rtp import is_rtcp
from media.worker import MediaWorker

Address = tuple[str, int]
CERTIFICATE: WorkerCertificate = WorkerCertificate.generateCertificate()

VIDEO_LINES = """a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"""
AUDIO_LINES = """a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"""


class RawPeer(asyncio.DatagramProtocol):
    """One participant. Plain RTP and RTCP from the relay lie in `rtp` and `rtcp`."""

    def __init__(self, worker: MediaWorker, participant_id: str, room_id: str = "r") -> None:
        self.worker = worker
        self.room_id = room_id
        self.participant_id = participant_id
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.lines: list[str] = []
        self.kinds: list[str] = []
        self.publications: dict[str, Source] = {}
        self.subscriptions: dict[str, str] = {}
        self.emphasis: dict[str, ChromaEmphasis] = {}
        self.rtp: asyncio.Queue[bytes] = asyncio.Queue()
        self.rtcp: asyncio.Queue[bytes] = asyncio.Queue()
        self.stun: asyncio.Queue[bytes] = asyncio.Queue()
        self.receiving: SrtpSession | None = None
        self.sending: SrtpSession
        self.answer: sdp.Description
        self.sockets: list[asyncio.DatagramTransport] = []
        self.dtls = DtlsEnd(CERTIFICATE, "client", self.send_datagram)

    def publish(self, source: Source, ssrc: int | None = None, rtx_ssrc: int | None = None) -> str:
        """Add a sendonly m-line; its mid. Without ssrc the offer names none."""
        mid = self._section("audio" if source is Source.MICROPHONE else "video", "sendonly")
        self.publications[mid] = source
        if rtx_ssrc is not None:
            self.lines[-1] += f"\na=ssrc-group:FID {ssrc} {rtx_ssrc}"
        for named in (ssrc, rtx_ssrc):
            if named is not None:
                self.lines[-1] += f"\na=ssrc:{named} cname:test"
        return mid

    def subscribe(self, publication_id: str, kind: str = "video") -> str:
        """Add a recvonly m-line; its mid."""
        mid = self._section(kind, "recvonly")
        self.subscriptions[mid] = publication_id
        return mid

    def _section(self, kind: str, direction: str) -> str:
        mid = str(len(self.lines))
        formats, codec = ("96 97", VIDEO_LINES) if kind == "video" else ("111", AUDIO_LINES)
        self.lines.append(
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\nc=IN IP4 0.0.0.0\na=mid:{mid}\na={direction}\n{codec}"
        )
        return mid

    def offer(self) -> str:
        """The offer's text."""
        fingerprint = CERTIFICATE.sha256
        common = (
            f"\na=ice-ufrag:{self.ufrag}\na=ice-pwd:{self.password}\na=fingerprint:sha-256 {fingerprint}"
            "\na=setup:actpass\na=rtcp-mux\na=rtcp-rsize\n"
        )
        mids = " ".join(str(index) for index in range(len(self.lines)))
        head = f"v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE {mids}\n"
        return (head + "".join(line + common for line in self.lines)).replace("\n", "\r\n")

    async def negotiate(self) -> Negotiation:
        """Offer what was added."""
        negotiation = await self.worker.negotiate(
            self.room_id,
            self.participant_id,
            self.offer(),
            self.publications,
            self.subscriptions,
            emphasis=self.emphasis,
        )
        self.answer = sdp.parse(negotiation.sdp)
        return negotiation

    @property
    def local(self) -> tuple[str, str]:
        """The relay's ufrag and password."""
        return self.answer.sections[0].ufrag, self.answer.sections[0].password

    async def connect(self) -> None:
        """Open a socket, validate it, and shake hands."""
        await self.move()
        await self.dtls.handshake(self.answer.sections[0].fingerprints)
        self.receiving, self.sending = self.dtls.srtp()

    async def move(self, *, validate: bool = True) -> None:
        """Send from a new socket from now on, as after a change of network."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.sockets.append(transport)
        if validate:
            await self.check()

    async def check(self, attributes: list[tuple[int, bytes]] | None = None) -> stun.StunMessage:
        """Send one connectivity check, and give the reply."""
        ufrag, password = self.local
        self.send_datagram(self.binding(ufrag, password, attributes))
        return stun.parse(await asyncio.wait_for(self.stun.get(), 20))

    async def handled(self) -> None:
        """Wait until the relay has handled everything sent before: it answers STUN in order of arrival."""
        self.send_datagram(stun.build(stun.BINDING_REQUEST, secrets.token_bytes(12), []))
        assert stun.parse(await asyncio.wait_for(self.stun.get(), 20)).message_type == stun.BINDING_SUCCESS

    def binding(self, ufrag: str, password: str, attributes: list[tuple[int, bytes]] | None = None) -> bytes:
        """A binding request with USE-CANDIDATE, or with other attributes."""
        username = (stun.USERNAME, f"{ufrag}:{self.ufrag}".encode())
        extra = [(stun.USE_CANDIDATE, b"")] if attributes is None else attributes
        return stun.build(
            stun.BINDING_REQUEST, secrets.token_bytes(12), [username, *extra], password.encode()
        )

    def send_datagram(self, datagram: bytes) -> None:
        """Send bytes as they are."""
        self.sockets[-1].sendto(datagram, ("127.0.0.1", self.worker.port))

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send."""
        self.send_datagram(self.sending.protect(packet))

    def send_rtcp(self, compound: bytes) -> None:
        """Protect and send."""
        self.send_datagram(self.sending.protect_rtcp(compound))

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Sort what the relay sent."""
        if data[0] < 4:
            self.stun.put_nowait(data)
        elif data[0] < 64:
            self.dtls.push(data)
        elif self.receiving is None:
            pass  # the relay has its keys a moment before
        elif is_rtcp(data):
            self.rtcp.put_nowait(self.receiving.unprotect_rtcp(data))
        else:
            self.rtp.put_nowait(self.receiving.unprotect(data))

    async def next_rtp(self) -> bytes:
        """The next plain RTP packet."""
        return await asyncio.wait_for(self.rtp.get(), 20)

    async def close(self) -> None:
        """Say goodbye and close the sockets."""
        await self.dtls.close()
        for transport in self.sockets:
            transport.close()


@asynccontextmanager
async def raw_peers(worker: MediaWorker, *names: str) -> AsyncIterator[list[RawPeer]]:
    """Peers that are closed in the end."""
    peers = [RawPeer(worker, name) for name in names]
    try:
        yield peers
    finally:
        for peer in peers:
            await peer.close()
