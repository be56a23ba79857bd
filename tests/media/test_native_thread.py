"""The packet loop's own thread: it carries packets while Python does something else, wakes it when it must,
and ends with the worker. Nothing here waits for a time: what is waited for comes, or the test fails."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from media import native, rtp
from media.aiortc_private import SrtpSession
from media.interface import Source
from media.native.engine import NativePath
from tests.media.keyed_relay import KeyedRelay, keyed_end
from tests.media.two_relays import KEYFRAMES, VIDEO, offer

pytestmark = pytest.mark.skipif(native.why_not() is not None, reason=f"the loop in C: {native.why_not()}")

MAX_WAITING = 512
PATIENCE_S = 20


def threads() -> int:
    """How many packet loops run in this process."""
    names = [(task / "comm").read_text("utf-8").strip() for task in Path("/proc/self/task").iterdir()]
    return names.count("packets")


class Call:
    """A camera and a viewer, on a relay whose port is open."""

    def __init__(self, relay: KeyedRelay) -> None:
        self.relay = relay
        assert isinstance(relay.path, NativePath)
        self.path = relay.path
        self.sequence = 0
        self.sending: SrtpSession
        _, self.sending = keyed_end("publisher", 32).other().srtp()
        self.receiving, _ = keyed_end("plain", 32).other().srtp()
        relay.negotiate("publisher", offer("publisher", "VP8", "sendonly"), {"0": Source.CAMERA}, {})
        (publication,) = relay.rooms.fanouts
        relay.negotiate("plain", offer("plain", "VP8", "recvonly"), {}, {"0": publication})

    def send(self, payload: bytes) -> bytes:
        """The next packet, to the port; what it holds."""
        self.sequence += 1
        packet = rtp.header(96, self.sequence, 3000 * self.sequence, VIDEO, True) + payload
        self.to_port("publisher", self.sending.protect(packet))
        return payload

    def to_port(self, name: str, datagram: bytes) -> None:
        self.relay.sockets[name].sendto(datagram, ("127.0.0.1", self.relay.udp.port))

    def look(self) -> None:
        """Wait until Python is called, and do what it then does."""
        readable, _, _ = select.select([self.path._memory.wake_fd], [], [], PATIENCE_S)
        assert readable
        with self.path.held():
            pass

    def begin(self) -> None:
        """The picture has begun."""
        while not self.relay.rooms.packets()[0]:
            self.send(KEYFRAMES["VP8"])
            self.look()
        self.received()

    def received(self) -> bytes:
        """The payload of the next packet that comes to the viewer."""
        packet = self.receiving.unprotect(self.relay.sockets["plain"].recv(4096))
        start, end = rtp.payload_bounds(packet)
        return packet[start:end]


@contextmanager
def calling() -> Iterator[Call]:
    relay = KeyedRelay(native=True, threaded=True)
    try:
        yield Call(relay)
    finally:
        relay.close()


def test_packets_go_on_while_python_does_not_look() -> None:
    with calling() as call:
        call.begin()
        sent = [call.send(b"\x10\x01" + bytes([number])) for number in range(200)]
        assert [call.received() for _ in sent] == sent
        with call.path.held():
            assert call.relay.rooms.packets()[0] == 201


def test_what_is_python_s_wakes_it_and_comes_in_order() -> None:
    with calling() as call:
        call.begin()
        call.sequence += 3  # so many are lost
        sent = [call.send(b"\x10\x01" + bytes([number])) for number in range(20)]
        came: list[bytes] = []
        wake, viewer = call.path._memory.wake_fd, call.relay.sockets["plain"]
        while len(came) < len(sent):
            readable, _, _ = select.select([wake, viewer], [], [], PATIENCE_S)
            assert readable
            if wake in readable:
                call.look()
            if viewer in readable:
                came.append(call.received())
        assert came == sent


def test_a_flood_of_what_is_python_s_is_bounded_and_media_goes_on() -> None:
    with calling() as call:
        call.begin()
        for _ in range(2 * MAX_WAITING):
            call.to_port("plain", b"\x01" + bytes(30))
        sent = call.send(b"\x10\x01media")
        assert call.received() == sent
        call.look()
        assert call.relay.incoming.dropped["queue_full"] >= MAX_WAITING
        sent = call.send(b"\x10\x01more")
        assert call.received() == sent


def test_whoever_is_inside_keeps_packets_out() -> None:
    with calling() as call:
        call.begin()
        with call.path.held():
            before = call.relay.rooms.packets()
            call.send(b"\x10\x01")
            with call.path.held():  # as a listener does that asks in its turn
                assert call.relay.rooms.packets() == before
            assert not select.select([call.relay.sockets["plain"]], [], [], 0)[0]
        assert call.received() == b"\x10\x01"


def test_a_packet_that_cannot_be_handled_keeps_nobody_from_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[object] = []
    with calling() as call:
        call.begin()
        monkeypatch.setattr(call.path._loop, "call_exception_handler", faults.append)
        monkeypatch.setattr(call.relay.incoming, "handle", lambda *_: 1 / 0)
        call.to_port("plain", b"\x01" + bytes(30))
        call.look()
        assert len(faults) == 1
        sent = call.send(b"\x10\x01")
        assert call.received() == sent


def test_an_interrupt_while_python_takes_up_lets_go_of_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with calling() as call:
        call.begin()
        with monkeypatch.context() as patched:
            patched.setattr(call.relay.incoming, "handle", interrupt)
            call.to_port("plain", b"\x01" + bytes(30))
            with pytest.raises(KeyboardInterrupt):
                call.look()
        sent = call.send(b"\x10\x01")
        assert call.received() == sent


def test_an_interpreter_that_ends_takes_the_thread_along() -> None:
    """Nobody has closed the port, and packets come until the end."""
    script = (
        "from tests.media.test_native_thread import Call, KeyedRelay\n"
        "call = Call(KeyedRelay(native=True, threaded=True))\n"
        "call.begin()\n"
        "for number in range(2000): call.send(bytes(2))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_thread_ends_with_the_worker() -> None:
    before = threads()
    with calling() as call:
        assert threads() == before + 1
        call.begin()
        call.send(b"\x10\x01")
    assert threads() == before
