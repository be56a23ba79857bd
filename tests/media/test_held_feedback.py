"""Feedback that is held back until the path is looked at, by Python and by the packet loop alike."""

from __future__ import annotations

import asyncio
import socket

from media import native, rtcp
from media.native.engine import NativePath, Peer
from media.packet_path import MAX_HELD, PeerPath
from media.participant import Participant
from media.udp import UdpSocket

TRAILER = bytes(20)


def feedback(number: int, size: int = 8) -> bytes:
    """An SRTCP datagram of transport-cc feedback alone, as far as its first header says."""
    return rtcp.transport_feedback(1, number, bytes(size)) + TRAILER


OTHERS = (
    rtcp.nack(1, 2, [3]) + TRAILER,
    rtcp.transport_feedback(1, 2, b"body") + rtcp.nack(1, 2, [3]) + TRAILER,
    rtcp.receiver_report(1, ()) + rtcp.transport_feedback(1, 2, b"body") + TRAILER,
)


def test_it_is_held_while_nothing_is_urgent() -> None:
    path = PeerPath()
    assert not path.hold(feedback(0), 1.0)
    path.viewer.unhurried = True
    for other in OTHERS:
        assert not path.hold(other, 1.0)
    kept = [(feedback(number), 1.0 + number) for number in range(MAX_HELD)]
    assert all(path.hold(*each) for each in kept)
    assert not path.hold(feedback(99), 9.0)
    assert path.held() == kept
    assert path.held() == []
    path.viewer.unhurried = False
    assert not path.hold(feedback(0), 1.0)


async def test_the_loop_holds_what_python_would() -> None:
    lib, _ = native.library()
    udp, sender = UdpSocket("127.0.0.1", 0), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.bind(("127.0.0.1", 0))
        path = NativePath(udp, threaded=False)
        peer = path.peer()
        assert isinstance(peer, Peer)
        path.map(sender.getsockname(), Participant("r", "a", 1_000_000, path=peer))

        async def passed_up(datagram: bytes) -> bool:
            sender.sendto(datagram, ("127.0.0.1", udp.port))
            readable = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(udp.fileno(), readable.set)
            await readable.wait()
            loop.remove_reader(udp.fileno())
            assert lib.loop_step(path._memory) == 1
            kind = lib.loop_take(path._memory)
            path._memory.datagrams = 0
            assert kind in (lib.UP_NOTHING, lib.UP_DATAGRAM)
            return bool(kind == lib.UP_DATAGRAM)

        assert await passed_up(feedback(0))
        peer.viewer.unhurried = True
        for other in (*OTHERS, feedback(0, 600), feedback(0)[:13]):
            assert await passed_up(other)
        kept = [feedback(number) for number in range(MAX_HELD)]
        for datagram in kept:
            assert not await passed_up(datagram)
        assert await passed_up(feedback(99))
        held = peer.held()
        assert [datagram for datagram, _ in held] == kept
        assert [arrived_s for _, arrived_s in held] == sorted(arrived_s for _, arrived_s in held)
        assert peer.held() == []
        assert not await passed_up(feedback(0))
    finally:
        sender.close()
        udp.close()
