"""The packets' way through C: what the loop hands up goes to the code of media/ that handles everything.

Neither side is told anything: what both need lies in shared memory (shared.py). Only what is a table in
Python and pointers in C is kept twice, and changed here: addresses, routes, keys.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, finalize

from media.aiortc_private import MAX_PACKET, TAG_BYTES, DtlsEnd
from media.answer import ChosenCodec
from media.fanout import Fanout
from media.ice_lite import Address
from media.interface import PublicationInfo
from media.native import library
from media.native.key_derivation import RTP_ENCRYPTION, RTP_SALT, derive
from media.native.shared import SharedEncoding, SharedFanout, SharedPublication, SharedSubscription
from media.native.shared_peer import SharedPeer
from media.packet_path import PacketPath, PeerPath, Receiving, Sending
from media.publication import Publication
from media.subscription import Subscription
from media.udp import Ancillary, UdpSocket

if TYPE_CHECKING:
    from media.demultiplexer import Demultiplexer
    from media.participant import Participant, Route

MAX_RECEIVED_SSRCS = 128
MAX_SENT_SSRCS = 1024
MAX_ROUTES = 64
_AEAD_PROFILES = frozenset({"SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM"})
_SOCKADDR_IN = struct.Struct("=H2s4s8x")
_SOCKADDR_IN6 = struct.Struct("=H2s4s16sI")


class Session:
    """One direction of a participant's SRTP, where the loop holds the keys."""

    def __init__(self, master: bytes, key_length: int, *, sending: bool) -> None:
        """master: key and salt. Raises RuntimeError when libcrypto refuses."""
        self._lib, self._ffi = library()
        key, salt = master[:key_length], master[key_length:]
        session_key = derive(key, salt, RTP_ENCRYPTION, key_length)
        limit = MAX_SENT_SSRCS if sending else MAX_RECEIVED_SSRCS
        srtp = self._lib.srtp_new(session_key, key_length, derive(key, salt, RTP_SALT, 12), sending, limit)
        if not srtp:
            raise RuntimeError("libcrypto refuses AES-GCM")
        self.memory = srtp
        self._buffer = self._ffi.new("uint8_t[]", MAX_PACKET + TAG_BYTES)

    def unprotect(self, datagram: bytes) -> bytes:
        """See packet_path.Receiving."""
        return self._run(self._lib.srtp_unprotect, datagram, MAX_PACKET + TAG_BYTES)

    def protect(self, packet: bytes) -> bytes:
        """See packet_path.Sending."""
        return self._run(self._lib.srtp_protect, packet, MAX_PACKET)

    def _run(self, function: Any, data: bytes, limit: int) -> bytes:
        if self.memory is None or len(data) > limit:
            raise ValueError("no keys, or too long")
        self._ffi.memmove(self._buffer, data, len(data))
        size = function(self.memory, self._buffer, len(data))
        if size < 0:
            raise ValueError("not authentic, replayed or out of range")
        return bytes(self._ffi.buffer(self._buffer, size))


class Peer(SharedPeer):
    """One participant."""

    def __init__(self, identity: int, path: NativePath) -> None:
        super().__init__(identity)
        self._path = path
        self._sessions: tuple[Session, ...] = ()
        self._routed: tuple[Route, ...] = ()
        """What the loop points to must not go."""

    def secure(self, dtls: DtlsEnd) -> tuple[Receiving, Sending]:
        """The loop has the keys, unless they are for another cipher than AES-GCM."""
        keys = dtls.srtp_keys()
        if keys.profile not in _AEAD_PROFILES:
            return super().secure(dtls)
        receiving = Session(keys.receiving, keys.key_length, sending=False)
        sending = Session(keys.sending, keys.key_length, sending=True)
        with self._path.held():
            self._sessions = (receiving, sending)
            self.memory.receiving, self.memory.sending = receiving.memory, sending.memory
        return receiving, sending

    def locate(self, address: Address, source: Ancillary | None) -> None:
        """See PeerPath."""
        memory, packed = self.memory, pack_address(address, self._path.family)
        memory.address[0 : len(packed)] = packed
        memory.address_size = len(packed)
        memory.control_size = 0
        if source:
            memory.control_level, memory.control_type, data = source[0]
            memory.control[0 : len(data)] = data
            memory.control_size = len(data)

    def route(self, routes: Mapping[int, Route], transport_cc_extension: int) -> None:
        """See PeerPath."""
        memory, count = self.memory, 0
        for ssrc, route in routes.items():
            if not route.repairs and count < MAX_ROUTES:
                assert isinstance(route.encoding, SharedEncoding)
                memory.routes[count].ssrc, memory.routes[count].stream = ssrc, route.encoding.memory
                count += 1
        memory.route_count = count
        memory.transport_cc_extension = transport_cc_extension
        self._routed = tuple(routes.values())

    def close(self) -> None:
        """See PeerPath."""
        lib, ffi = library()
        with self._path.held():
            for session in self._sessions:
                session.memory = None
            lib.srtp_free(self.memory.receiving)
            lib.srtp_free(self.memory.sending)
            self.memory.receiving = self.memory.sending = ffi.NULL
            self._sessions = ()


class NativePath(PacketPath):
    """A worker's packets, through C."""

    def __init__(self, udp: UdpSocket, *, threaded: bool = True) -> None:
        """threaded: the loop has a thread that reads the socket; else only `datagram` is heard."""
        self._lib, self._ffi = library()
        loop = self._lib.loop_new(udp.fileno())
        if not loop:
            raise MemoryError
        self._memory = self._ffi.gc(loop, self._lib.loop_free)
        self._lock = Lock(self._memory, self._take_up)
        self._threaded = threaded
        self.family = int(udp.family)
        self._loop: asyncio.AbstractEventLoop
        self._identities = itertools.count(1)
        self._fanouts: WeakValueDictionary[int, SharedFanout] = WeakValueDictionary()
        self._participants: WeakValueDictionary[int, Participant] = WeakValueDictionary()
        self._incoming: Demultiplexer

    def addresses(self) -> Addresses:
        """See PacketPath."""
        return Addresses(self)

    def map(self, address: Address, participant: Participant | None) -> None:
        """Keep the loop's table level with ICE's."""
        peer = self._ffi.NULL
        if participant is not None:
            assert isinstance(participant.path, Peer)
            peer = participant.path.memory
            self._participants[peer.id] = participant
        packed = pack_address(address, self.family)
        with self.held():
            if not self._lib.loop_map(self._memory, packed, len(packed), peer):
                raise MemoryError

    def peer(self) -> PeerPath:
        """See PacketPath."""
        return Peer(next(self._identities), self)

    def fanout(
        self, info: PublicationInfo, codec: ChosenCodec, feedback_ssrc: int, rids: tuple[str, ...]
    ) -> Fanout:
        """See PacketPath."""
        fanout = SharedFanout(SharedPublication(self._identities, info, codec, feedback_ssrc, rids))
        for encoding in fanout.encodings:
            self._fanouts[encoding.memory.id] = fanout
        return fanout

    def subscription(
        self, viewer: PeerPath, publication: Publication, codec: ChosenCodec, *rest: Any, **named: Any
    ) -> Subscription:
        """See PacketPath."""
        assert isinstance(viewer, SharedPeer)
        return SharedSubscription(viewer, publication, codec, *rest, **named)

    def start(self, loop: asyncio.AbstractEventLoop, udp: UdpSocket, incoming: Demultiplexer) -> None:
        """See PacketPath. Raises RuntimeError when there is no thread to be had."""
        self._incoming = incoming
        self._loop = loop
        if not self._threaded:
            return
        loop.add_reader(self._memory.wake_fd, self._look)
        if not self._lib.loop_start(self._memory):
            raise RuntimeError("no thread for the packet loop")
        # Before what it uses goes, also where nobody closes, at the end of the interpreter.
        self._ends = finalize(self, self._lib.loop_stop, self._memory)

    def close(self) -> None:
        """See PacketPath."""
        if self._threaded:
            self._loop.remove_reader(self._memory.wake_fd)
            self._ends()
            self._look()

    def held(self) -> AbstractContextManager[None]:
        """See PacketPath. First everything is done that waits for Python: what is inside comes after it."""
        return self._lock

    def datagram(self, datagram: bytes, address: Address, _ancillary: Ancillary, arrived_s: float) -> None:
        """Take one datagram that did not come by the socket, as Demultiplexer.datagram does."""
        data, packed = bytearray(datagram), bytearray(pack_address(address, self.family))
        buffers = self._ffi.from_buffer(data), self._ffi.from_buffer(packed)
        with self.held():
            self._lib.loop_datagram(self._memory, buffers[0], len(data), buffers[1], len(packed), arrived_s)
            self._take_up()

    def _look(self) -> None:
        with self.held():
            pass

    def _take_up(self) -> None:
        """Do what waits for Python."""
        lib, memory = self._lib, self._memory
        while (kind := lib.loop_take(memory)) != lib.UP_NOTHING:
            try:
                self._handle(kind)
            except Exception as fault:  # nothing that is sent may keep others from what they do
                self._loop.call_exception_handler({"message": "a packet was not handled", "exception": fault})
        if memory.datagrams:
            self._incoming.received += memory.datagrams
            memory.datagrams = 0
        if memory.not_authenticated:
            self._incoming.dropped["not_authenticated"] += memory.not_authenticated
            memory.not_authenticated = 0
        if memory.overflowed:
            self._incoming.dropped["queue_full"] += memory.overflowed
            memory.overflowed = 0

    def _handle(self, kind: int) -> None:
        lib, up, buffer = self._lib, self._memory.up, self._ffi.buffer
        if kind == lib.UP_DELIVER:
            fanout = self._fanouts.get(up.stream)
            if fanout is not None:
                fanout.deliver_rest(up.stream, up.sequence, up.unserved, up.arrived_s)
        elif kind == lib.UP_RTP:
            participant = self._participants.get(up.peer)
            if participant is not None:
                self._incoming.packet(participant, bytes(buffer(up.data, up.size)), up.arrived_s)
        else:
            ancillary: Ancillary = []
            if up.control_size:
                data = bytes(buffer(up.control, up.control_size))
                ancillary = [(up.control_level, up.control_type, data)]
            address = unpack_address(bytes(buffer(up.address, up.address_size)))
            self._incoming.handle(bytes(buffer(up.data, up.size)), address, ancillary, up.arrived_s)


class Lock:
    """Keeps the loop's thread out, for one thread of Python, which may enter again."""

    def __init__(self, memory: Any, take_up: Callable[[], None]) -> None:
        """take_up: called each time the thread has been kept out."""
        self._lib, _ = library()
        self._memory = memory
        self._take_up = take_up
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._lib.loop_lock(self._memory)
            try:
                self._take_up()
            except BaseException:
                self.__exit__()
                raise

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._lib.loop_unlock(self._memory)


class Addresses(dict[Address, "Participant"]):
    """Validated addresses; every change reaches the loop."""

    def __init__(self, path: NativePath) -> None:
        super().__init__()
        self._path = path

    def __setitem__(self, address: Address, participant: Participant) -> None:
        super().__setitem__(address, participant)
        self._path.map(address, participant)

    def __delitem__(self, address: Address) -> None:
        super().__delitem__(address)
        self._path.map(address, None)

    def pop(self, address: Address, *default: Any) -> Any:
        """Forget an address."""
        found = super().pop(address, *default)
        self._path.map(address, None)
        return found


@functools.lru_cache(maxsize=1024)
def unpack_address(packed: bytes) -> Address:
    """A sockaddr_in or sockaddr_in6 as the socket module gives it."""
    family = int.from_bytes(packed[:2], "little" if struct.pack("=H", 1)[0] else "big")
    port = int.from_bytes(packed[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntop(family, packed[4:8]), port
    _, _, flow, ip, scope = _SOCKADDR_IN6.unpack(packed[: _SOCKADDR_IN6.size])
    return socket.inet_ntop(family, ip), port, int.from_bytes(flow, "big"), scope


def pack_address(address: Address, family: int) -> bytes:
    """The sockaddr of an address that a socket of this family gave."""
    host, port = address[0].partition("%")[0], address[1].to_bytes(2, "big")
    if family == socket.AF_INET:
        return _SOCKADDR_IN.pack(family, port, socket.inet_pton(family, host))
    flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
    return _SOCKADDR_IN6.pack(family, port, flow.to_bytes(4, "big"), socket.inet_pton(family, host), scope)
