"""A relay on a real socket whose keys, random numbers and time are given, so that what it does can be told to
the byte. All of it is the worker's own code but for DTLS and the clock."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast
from unittest.mock import patch

from pylibsrtp import Policy, Session

from media import answer, stun
from media.aiortc_private import DtlsEnd, SrtpKeys, SrtpSession
from media.demultiplexer import Demultiplexer
from media.ice_lite import Address, Credentials
from media.interface import Kind, MediaEvent, PublicationAdded, Source, TransportState
from media.native.engine import NativePath
from media.packet_path import PacketPath
from media.participant import Participant
from media.rooms import Rooms
from media.sdp import parse
from media.transport import Transport
from media.udp import BUFFER_BYTES, UdpSocket

PROFILES = {
    16: ("SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM),
    32: ("SRTP_AEAD_AES_256_GCM", Policy.SRTP_PROFILE_AEAD_AES_256_GCM),
}
SALT = 12
MAX_PUBLICATION_BPS = 2_500_000
DRAIN_EVERY = 30
END = b"\xffall that was sent before has come"


def libsrtp(key: bytes, key_length: int, kind: int) -> SrtpSession:
    """As aiortc makes its sessions."""
    policy = Policy(key, kind, srtp_profile=PROFILES[key_length][1])
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return SrtpSession(Session(policy))


class KeyedEnd:
    """One end of a connection that has shaken hands; the other end has the same keys the other way round."""

    def __init__(self, key_length: int, receiving: bytes, sending: bytes) -> None:
        self._key_length, self._receiving, self._sending = key_length, receiving, sending

    def srtp(self) -> tuple[SrtpSession, SrtpSession]:
        """See DtlsEnd."""
        receiving = libsrtp(self._receiving, self._key_length, Policy.SSRC_ANY_INBOUND)
        return receiving, libsrtp(self._sending, self._key_length, Policy.SSRC_ANY_OUTBOUND)

    def srtp_keys(self) -> SrtpKeys:
        """See DtlsEnd."""
        return SrtpKeys(PROFILES[self._key_length][0], self._key_length, self._receiving, self._sending)

    def other(self) -> KeyedEnd:
        """The other end."""
        return KeyedEnd(self._key_length, self._sending, self._receiving)


def keyed_end(name: str, key_length: int) -> KeyedEnd:
    """The relay's end of the connection with a participant."""
    dice = random.Random(name)
    size = key_length + SALT
    return KeyedEnd(key_length, dice.randbytes(size), dice.randbytes(size))


class KeyedTransport(Transport):
    """Connected from the start."""

    def __init__(self, participant: Participant, end: KeyedEnd, incoming: Demultiplexer) -> None:
        self.state = TransportState.CONNECTED
        self._path = participant.path
        self._send = incoming.sender(participant)
        self._control_receiving, self._control_sending = end.srtp()
        self._receiving, self._sending = self._path.secure(cast(DtlsEnd, end))

    def push_dtls(self, datagram: bytes) -> bool:
        """There is no DTLS."""
        return True

    def end(self) -> None:
        """Drop the keys."""
        self._drop_keys()


class KeyedRelay:
    """One room. `now` is the caller's, in seconds."""

    def __init__(self, *, native: bool, key_length: int = 32, seed: int = 0, threaded: bool = False) -> None:
        """threaded: what comes to the port is taken too, as far as the loop in C does it alone."""
        self.now = 1000.0
        self.events: list[MediaEvent] = []
        self.udp = UdpSocket("127.0.0.1", 0)
        self.path = path = NativePath(self.udp, threaded=threaded) if native else PacketPath()
        self.rooms = Rooms(self.events.append, path)
        self.incoming = Demultiplexer(self.udp, self.rooms.participants, self._deliver, path.addresses())
        self.take = path.datagram if isinstance(path, NativePath) else self.incoming.datagram
        self.sockets: dict[str, socket.socket] = {}
        self._addresses: dict[str, Address] = {}
        self._came: dict[str, list[bytes]] = {}
        self._received = 0
        self._left: list[socket.socket] = []
        """They stay open, so that no port is given to somebody else by chance."""
        self._key_length = key_length
        self._dice = random.Random(seed)
        self._loop = asyncio.new_event_loop()  # which never runs
        path.start(self._loop, self.udp, self.incoming)

    def negotiate(
        self, name: str, offer: str, sources: Mapping[str, Source], wanted: Mapping[str, str]
    ) -> answer.Plan:
        """As MediaWorker.negotiate; the participant is connected at once, from a socket of its own."""
        fanouts = {mid: self.rooms.find("r", publication_id) for mid, publication_id in wanted.items()}
        kinds = {m: Kind.AUDIO if s is Source.MICROPHONE else Kind.VIDEO for m, s in sources.items()}
        codecs = {mid: fanout.publication.codec for mid, fanout in fanouts.items()}
        plan = answer.plan(parse(offer), kinds, codecs)
        with self._seeded():
            participant = self.participant(name) if name in self.sockets else self._connect(name)
            self.rooms.publish(participant, plan, sources, {})
            self.rooms.subscribe(participant, plan, fanouts)
        participant.path.reduced_size = plan.rtcp_reduced_size
        participant.route(plan)
        participant.follow_transport(self.now)
        return plan

    def participant(self, name: str) -> Participant:
        """Who is connected."""
        return self.rooms.participants["r", name]

    def address(self, name: str) -> Address:
        """Where a participant is."""
        return self._addresses[name]

    def receive(self, name: str, datagram: bytes) -> None:
        """A datagram comes from a participant's socket."""
        self.take(datagram, self._addresses[name], [], self.now)
        self._received += 1
        if self._received % DRAIN_EVERY == 0:
            self._drain()

    def move(self, name: str, datagram: bytes) -> None:
        """A datagram comes from another socket of a participant, to which everything goes from now on."""
        self._drain()
        self._left.append(self.sockets.pop(name))
        self._open(name)
        self.receive(name, datagram)

    def tick(self) -> None:
        """As MediaWorker's ticks."""
        self.incoming.pass_time(self.now, 0.02)
        for participant in list(self.rooms.participants.values()):
            if participant.viewer.path.is_due(self.now):
                self.incoming.read_held(participant)
            participant.tick(self.now)

    def sent(self) -> dict[str, list[bytes]]:
        """What has come to each socket since the last call, in order."""
        self._drain()
        came, self._came = self._came, {name: [] for name in self.sockets}
        return came

    def leave(self, name: str) -> None:
        """A participant goes."""
        participant = self.participant(name)
        self.incoming.ice.remove(participant)
        self.rooms.remove(participant)
        cast(KeyedTransport, participant.transport).end()
        self._left.append(self.sockets.pop(name))

    def close(self) -> None:
        """Everybody goes."""
        for _, name in list(self.rooms.participants):
            self.leave(name)
        for sock in self._left:
            sock.close()
        self.path.close()
        self.udp.close()
        self._loop.close()

    def _drain(self) -> None:
        """Read what has come before a socket's buffer is full."""
        for name, sock in self.sockets.items():
            self.udp.sendto(END, self._addresses[name])
            while (datagram := sock.recv(4096)) != END:
                self._came[name].append(datagram)

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """What is drawn by lot is drawn from the seed."""
        dice = SimpleNamespace(
            randbits=self._dice.getrandbits, token_urlsafe=lambda size: self._dice.randbytes(size).hex()
        )
        with patch("media.rooms.secrets", dice), patch("media.participant.secrets", dice):
            yield

    def _connect(self, name: str) -> Participant:
        participant = Participant(
            "r", name, MAX_PUBLICATION_BPS, clock=lambda: self.now, path=self.path.peer()
        )
        self.rooms.participants["r", name] = participant
        participant.transport = KeyedTransport(participant, keyed_end(name, self._key_length), self.incoming)
        self._came[name] = []
        sock = self._open(name)
        self.incoming.ice.add(participant, Credentials(name, "password"), self.now)
        username = (stun.USERNAME, f"{name}:there".encode())
        request = stun.build(stun.BINDING_REQUEST, bytes(12), [username], b"password")
        self.take(request, self._addresses[name], [], self.now)
        assert stun.parse(sock.recv(4096)).message_type == stun.BINDING_SUCCESS
        return participant

    def _open(self, name: str) -> socket.socket:
        sock = self.sockets[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        self._addresses[name] = sock.getsockname()
        return sock

    def _deliver(self, participant: Participant, plain: bytes, control: bool, arrived_s: float) -> str | None:
        if control:
            return participant.receive_rtcp(plain, arrived_s)
        result = participant.receive_rtp(plain, arrived_s)
        if isinstance(result, list):
            self.events += [PublicationAdded(fanout.publication.info) for fanout in result]
            return None
        return result
