"""A peer of the load: one UDP socket that speaks ICE, DTLS and SRTP as a browser does, sends payloads that
are coded already, and accounts for what it receives without decoding it.

It answers what a browser answers: connectivity checks, NACK with RTX, transport-cc every 50 ms, RR and SR
every second. Arrival times are the kernel's, so that a busy generator does not add to what it measures. Of
what comes it decrypts one packet in SAMPLE, to see that it is what was sent and how long it took.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from collections.abc import Callable, Sequence

from pylibsrtp import Error as SrtpError

from bench.load import descriptions
from bench.load.descriptions import Identity
from bench.load.streams import StreamReceiver, StreamSender
from bench.load.trace import TAIL_BYTES
from media import rtcp, rtp, sdp, stun, vp8
from media.aiortc_private import DtlsEnd, SrtpSession, WorkerCertificate
from media.layers import KEYFRAME
from media.twcc import ArrivalRecorder

SAMPLE = 8
CHECK_S = 2.5
"""Between consent checks; Chromium's are as far apart when a pair has settled."""
FEEDBACK_S = 0.05
REPORT_S = 1.0
KEYFRAME_AGAIN_S = 0.5
"""A viewer that has had video, but no beginning of it, asks for a keyframe so often."""
CONNECT_S = 20.0
_BUFFER_BYTES = 4 << 20
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_BATCH = 64
_PRIORITY = (1_853_824_767).to_bytes(4, "big")
CERTIFICATE: WorkerCertificate = WorkerCertificate.generateCertificate()

OnSample = Callable[[bytes, int], None]
"""Takes the last bytes of a decrypted payload, and when it arrived, in nanoseconds of the wall clock."""


class Peer:
    """One participant of a room."""

    def __init__(self, host: str, on_sample: OnSample | None = None) -> None:
        self.senders: dict[str, StreamSender] = {}
        """By kind, "audio" or "video"."""
        self.receivers: dict[int, StreamReceiver] = {}
        self.keyframe_asked = 0
        self.received = 0
        """RTP packets of the media that came, without retransmissions."""
        self.retransmitted = 0
        self.sent = 0
        self.refused = 0
        """Packets that could not be decrypted, or that the system did not take."""
        self.dropped = 0
        """Packets that came and were treated as lost, as `lose_one_in` says."""
        self.saw_keyframe = False
        self._loses_one_in = 0
        self._on_sample = on_sample
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((host, 0))
        self.identity = Identity(
            secrets.token_hex(4),
            secrets.token_hex(12),
            CERTIFICATE.sha256,
            host,
            self._socket.getsockname()[1],
        )
        self._remote = ("", "")
        self._fingerprints: Sequence[tuple[str, str]] = ()
        self._controlling = True
        self._connected_socket = False
        self._checked = asyncio.Event()
        self._dtls: DtlsEnd | None = None
        self._receiving: SrtpSession | None = None
        self._sending: SrtpSession | None = None
        self._transport_sequence = 0
        self._transport_cc = 0
        self._media_types: dict[int, bool] = {}
        self._rtx_types: set[int] = set()
        self._arrivals = ArrivalRecorder()
        self._ssrc = secrets.randbits(32)
        self._check_at_s = self._feedback_at_s = self._report_at_s = self._wanted_at_s = 0.0
        self._loop.add_reader(self._socket.fileno(), self.drain)

    # --- negotiation ---------------------------------------------------------------------------------

    def offer_to_publish(self) -> str:
        """An offer that sends audio (mid 0) and video (mid 1)."""
        audio = StreamSender(descriptions.AUDIO_TYPE, 48_000, secrets.randbits(32), secrets.randbits(15))
        video = StreamSender(descriptions.VIDEO_TYPE, 90_000, secrets.randbits(32), secrets.randbits(15))
        video.rtx = (secrets.randbits(32), descriptions.RTX_TYPE)
        self.senders = {"audio": audio, "video": video}
        ssrcs = [(audio.ssrc,), (video.ssrc, video.rtx[0])]
        return descriptions.offer(self.identity, ("audio", "video"), "sendonly", ssrcs)

    def offer_to_receive(self) -> str:
        """An offer that receives audio (mid 0) and video (mid 1)."""
        return descriptions.offer(self.identity, ("audio", "video"), "recvonly", ((), ()))

    def accept(self, answer: str) -> None:
        """Take the relay's answer to the offer."""
        described = sdp.parse(answer)
        live = [s for s in described.sections if s.kind in ("audio", "video") and s.direction != "inactive"]
        if len(live) != 2:
            raise ConnectionError(f"the relay did not accept both m-lines:\n{answer}")
        for section in live:
            sender = self.senders.get(section.kind)
            if sender is None:
                self._expect(section)
                continue
            transport_cc = section.extensions.get(rtp.TRANSPORT_CC_URI, 0)
            sender.use_extensions(transport_cc, section.extensions.get(rtp.MID_URI, 0), section.mid)
            if not any(codec.name.lower() == "rtx" for codec in section.codecs.values()):
                sender.rtx = None
        self._take_remote(answer, live[0], "server" if live[0].setup == "active" else "client")

    def answer(self, offer: str) -> str:
        """Receive what the relay offers; the answer's text."""
        described = sdp.parse(offer)
        self._controlling = "a=ice-lite" in offer
        for section in described.sections:
            if section.kind in ("audio", "video"):
                self._expect(section)
        if self._dtls is None:
            self._take_remote(offer, described.sections[0], "client")
        return descriptions.answer(self.identity, described)

    def add_candidate(self, line: str) -> None:
        """A candidate of the relay came by itself."""
        if self._connected_socket:
            return
        for host, port in descriptions.candidates(line):
            if host == self.identity.host:
                self._socket.connect((host, port))
                self._connected_socket = True
                break

    def _expect(self, section: sdp.Section) -> None:
        media, *rtx = descriptions.received_codecs(section)
        self._media_types[media.payload_type] = section.kind == "video"
        self._rtx_types.update(codec.payload_type for codec in rtx)
        self._transport_cc = section.extensions.get(rtp.TRANSPORT_CC_URI, 0) or self._transport_cc

    def _take_remote(self, text: str, section: sdp.Section, role: str) -> None:
        self._remote = (section.ufrag, section.password)
        self._fingerprints = section.fingerprints
        self._dtls = DtlsEnd(CERTIFICATE, "server" if role == "server" else "client", self._send)
        self.add_candidate(text)

    async def connect(self) -> None:
        """Check the path, and shake hands. Raises ConnectionError when the relay does not answer."""
        assert self._dtls is not None
        try:
            async with asyncio.timeout(CONNECT_S):
                while not self._checked.is_set():
                    if self._connected_socket:
                        self._check()
                    try:
                        await asyncio.wait_for(self._checked.wait(), 0.05)
                    except TimeoutError:
                        continue
                await self._dtls.handshake(self._fingerprints)
        except TimeoutError as error:
            raise ConnectionError("the relay did not answer in time") from error
        self._receiving, self._sending = self._dtls.srtp()

    async def close(self) -> None:
        """Say goodbye."""
        if self._dtls is not None:
            await self._dtls.close()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    # --- sending -------------------------------------------------------------------------------------

    def send_payload(self, kind: str, payload: bytes, marker: bool, timestamp: int) -> int:
        """Pack, protect and send a payload; when, in nanoseconds of the wall clock, it was given away."""
        assert self._sending is not None
        self._transport_sequence += 1
        packet = self.senders[kind].pack(payload, marker, timestamp, self._transport_sequence)
        protected = self._sending.protect(packet)
        at_ns = time.time_ns()
        self._send(protected)
        self.sent += 1
        return at_ns

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError:
            self.refused += 1

    def _send_rtcp(self, compound: bytes) -> None:
        if self._sending is not None:
            self._send(self._sending.protect_rtcp(compound))

    def tick(self, now: float) -> None:
        """Send what is due: checks, reports, NACK and transport-cc. To be called every 20 ms or so."""
        if self._sending is None:
            return
        if now - self._check_at_s >= CHECK_S:
            self._check_at_s = now
            self._check()
        for receiver in self.receivers.values():
            due = receiver.missing.due(now) if receiver.video else []
            if due:
                self._send_rtcp(rtcp.nack(self._ssrc, receiver.ssrc, [number & 0xFFFF for number in due]))
        if self._transport_cc and now - self._feedback_at_s >= FEEDBACK_S and len(self._arrivals):
            self._feedback_at_s = now
            ssrc = next(iter(self.receivers), 0)
            for message in self._arrivals.feedback(self._ssrc, ssrc):
                self._send_rtcp(message)
        if not self.saw_keyframe and now - self._wanted_at_s >= KEYFRAME_AGAIN_S:
            self._wanted_at_s = now
            self.want_keyframe()
        if now - self._report_at_s >= REPORT_S:
            self._report_at_s = now
            self._report(now)

    def _report(self, now: float) -> None:
        wall_s = time.time()
        compound = b"".join(sender.report(wall_s) for sender in self.senders.values() if sender.packets)
        blocks = [block for receiver in self.receivers.values() if (block := receiver.block(now)) is not None]
        if blocks:
            compound += rtcp.receiver_report(self._ssrc, tuple(blocks))
        if compound:
            self._send_rtcp(compound)

    def want_keyframe(self) -> None:
        """Ask for a keyframe of every video that is received."""
        for receiver in self.receivers.values():
            if receiver.video:
                self._send_rtcp(rtcp.picture_loss(self._ssrc, receiver.ssrc))

    def lose_one_in(self, packets: int) -> None:
        """From now on treat one video packet in so many as lost on the way."""
        self._loses_one_in = packets

    @property
    def recovered(self) -> int:
        """Packets that came again after they were missed."""
        return sum(receiver.recovered for receiver in self.receivers.values())

    def read_by_timer(self) -> None:
        """From now on `drain` is called, and nothing wakes this process for a packet."""
        self._loop.remove_reader(self._socket.fileno())

    # --- receiving -----------------------------------------------------------------------------------

    def drain(self) -> None:
        """Take what has come."""
        receive = self._socket.recvmsg
        for _ in range(_BATCH):
            try:
                datagram, ancillary, _, address = receive(2048, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error about an earlier datagram
            first = datagram[0]
            if first > 127:
                seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
                arrived_ns = seconds * 1_000_000_000 + nanoseconds
                if 192 <= datagram[1] <= 223:
                    self._rtcp(datagram, arrived_ns)
                else:
                    self._rtp(datagram, arrived_ns)
            elif first < 4:
                self._stun(datagram, address)
            elif self._dtls is not None:
                self._dtls.push(datagram)

    def _rtp(self, datagram: bytes, arrived_ns: int) -> None:
        payload_type = datagram[1] & 0x7F
        arrived_s = arrived_ns * 1e-9
        if self._transport_cc:
            value = rtp.extension(datagram, self._transport_cc)
            if value is not None:
                self._arrivals.received(value[0] << 8 | value[1], arrived_ns // 1000)
        video = self._media_types.get(payload_type)
        if video is None:
            if payload_type in self._rtx_types:
                self._retransmission(datagram)
            return
        ssrc = int.from_bytes(datagram[8:12], "big")
        receiver = self.receivers.get(ssrc)
        lose = self._loses_one_in
        if lose and self.saw_keyframe and video and self.received % lose == lose - 1:
            self.received += 1
            self.dropped += 1
            return
        if receiver is None:
            receiver = self.receivers[ssrc] = StreamReceiver(ssrc, video=video)
        receiver.received(datagram[2] << 8 | datagram[3], arrived_s)
        self.received += 1
        if self.received % SAMPLE == 0 or (video and not self.saw_keyframe):
            self._look_into(datagram, arrived_ns, video=video)

    def _look_into(self, datagram: bytes, arrived_ns: int, *, video: bool) -> None:
        if self._receiving is None:
            return
        try:
            plain = self._receiving.unprotect(datagram)
            start, end = rtp.payload_bounds(plain)
        except (SrtpError, rtp.MalformedRtp):
            self.refused += 1
            return
        if video and vp8.describe(plain, start, end) & KEYFRAME:
            self.saw_keyframe = True
        if self._on_sample is not None:
            self._on_sample(plain[-TAIL_BYTES:], arrived_ns)

    def _retransmission(self, datagram: bytes) -> None:
        """An RTX packet: its original counts as come."""
        self.retransmitted += 1
        if self._receiving is None:
            return
        try:
            plain = self._receiving.unprotect(datagram)
            start, end = rtp.payload_bounds(plain)
        except (SrtpError, rtp.MalformedRtp):
            self.refused += 1
            return
        video = next((r for r in self.receivers.values() if r.video), None)
        if end - start >= 2 and video is not None:
            video.recover(plain[start] << 8 | plain[start + 1], time.time())

    def _rtcp(self, datagram: bytes, arrived_ns: int) -> None:
        if self._receiving is None:
            return
        try:
            packets = rtcp.parse(self._receiving.unprotect_rtcp(datagram))
        except (SrtpError, rtcp.MalformedRtcp):
            self.refused += 1
            return
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                receiver = self.receivers.get(packet.ssrc)
                if receiver is not None:
                    receiver.report = (packet.ntp >> 16 & 0xFFFFFFFF, arrived_ns * 1e-9)
            elif isinstance(packet, rtcp.PictureLoss):
                self.keyframe_asked += 1
            elif isinstance(packet, rtcp.Nack):
                self._resend(packet)

    def _resend(self, asked: rtcp.Nack) -> None:
        sender = next((s for s in self.senders.values() if s.ssrc == asked.media_ssrc), None)
        if sender is None or self._sending is None:
            return
        for sequence in asked.sequences:
            self._transport_sequence += 1
            again = sender.again(sequence, self._transport_sequence)
            if again is not None:
                self._send(self._sending.protect(again))

    # --- ICE -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        ufrag, password = self._remote
        role = stun.ICE_CONTROLLING if self._controlling else stun.ICE_CONTROLLED
        attributes = [
            (stun.USERNAME, f"{ufrag}:{self.identity.ufrag}".encode()),
            (stun.PRIORITY, _PRIORITY),
            (role, self._ssrc.to_bytes(8, "big")),
        ]
        if self._controlling:
            attributes.append((stun.USE_CANDIDATE, b""))
        transaction = secrets.token_bytes(12)
        self._send(stun.build(stun.BINDING_REQUEST, transaction, attributes, password.encode()))

    def _stun(self, datagram: bytes, address: tuple[str, int]) -> None:
        try:
            message = stun.parse(datagram)
        except stun.MalformedStun:
            return
        if message.message_type == stun.BINDING_SUCCESS:
            if self._controlling:
                self._checked.set()
        elif message.message_type == stun.BINDING_REQUEST:
            password = self.identity.password.encode()
            if not message.has_integrity(password):
                return
            mapped = stun.xor_address(address[0], address[1], message.transaction_id)
            self._send(
                stun.build(
                    stun.BINDING_SUCCESS,
                    message.transaction_id,
                    [(stun.XOR_MAPPED_ADDRESS, mapped)],
                    password,
                )
            )
            if stun.USE_CANDIDATE in message.attributes:
                self._checked.set()
