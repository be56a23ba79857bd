"""Loss on both sides of a whole relay, by both ways of a packet, on a seeded network in memory: NACK and RTX
bring every packet to the viewer, through encryption, history and the tables of the port."""

from __future__ import annotations

import itertools

import pytest
from pylibsrtp import Error

from media import rtcp, rtp
from media.interface import Source
from media.nack import MissingPackets
from tests.media.conftest import WAYS
from tests.media.keyed_relay import KeyedRelay, keyed_end
from tests.media.test_recovery import Network
from tests.media.two_relays import KEYFRAMES, VIDEO, VIDEO_RTX, offer

PACKETS, SETTLED = 900, 700
TICK_STEPS = 4
INTERFRAME = b"\x10\x01"


class RelayedCall:
    """A camera and a viewer, each behind a network that loses and reorders."""

    def __init__(self, way: str, seed: int, loss: float) -> None:
        self.network = Network(seed, loss)
        self.relay = KeyedRelay(native=way == "native", seed=seed)
        self._began_s = self.relay.now
        self.sent: dict[int, bytes] = {}
        self.received: dict[int, bytes] = {}
        self.keyframe_wanted = True
        self._steps = itertools.count()
        self._rtx = itertools.count(1)
        self._publisher = keyed_end("publisher", 32).other().srtp()
        self._viewer = keyed_end("numbered", 32).other().srtp()
        self.relay.negotiate("publisher", offer("publisher", "VP8", "sendonly"), {"0": Source.CAMERA}, {})
        (publication,) = self.relay.rooms.fanouts
        self.relay.negotiate("numbered", offer("numbered", "VP8", "recvonly"), {}, {"0": publication})
        (receiving,) = self.relay.participant("numbered").receiving.values()
        self.subscription = receiving.subscription
        self._unwrapper = rtp.SequenceUnwrapper()
        self._missing = MissingPackets()
        first = self.subscription._next_sequence
        # The viewer knows where its stream begins, so that it can miss the first packet too.
        self._missing.received(self._unwrapper.unwrap(first - 1 & 0xFFFF), 0.0)

    # The publisher.

    def publish(self, number: int) -> None:
        key, self.keyframe_wanted = self.keyframe_wanted, False
        self.sent[number] = (KEYFRAMES["VP8"] if key else INTERFRAME) + number.to_bytes(4, "big")
        packet = rtp.header(96, number, 3000 * number, VIDEO, True) + self.sent[number]
        protected = self._publisher[1].protect(packet)
        if number == 1:
            # Of what lies before the first packet that comes, the relay knows nothing.
            self._from_publisher(protected)
        else:
            self.network.send(self._from_publisher, protected)

    def _at_publisher(self, datagram: bytes) -> None:
        for packet in rtcp.parse(self._publisher[0].unprotect_rtcp(datagram)):
            if isinstance(packet, rtcp.PictureLoss):
                self.keyframe_wanted = True
            elif isinstance(packet, rtcp.Nack):
                for number in packet.sequences:
                    head = rtp.header(97, next(self._rtx), 3000 * number, VIDEO_RTX, True)
                    again = head + number.to_bytes(2, "big") + self.sent[number]
                    self.network.send(self._from_publisher, self._publisher[1].protect(again))

    def _from_publisher(self, datagram: bytes) -> None:
        self.relay.receive("publisher", datagram)

    # The viewer.

    def _at_viewer(self, datagram: bytes) -> None:
        if rtp.is_rtcp(datagram):
            return
        packet = self._viewer[0].unprotect(datagram)
        start, end = rtp.payload_bounds(packet)
        again = int.from_bytes(packet[8:12], "big") == self.subscription.rtx_ssrc
        number = int.from_bytes(packet[start : start + 2] if again else packet[2:4], "big")
        payload = packet[start + 2 if again else start : end]
        sequence = self._unwrapper.unwrap(number)
        self._missing.received(sequence, self.network.now)
        assert self.received.setdefault(sequence, payload) == payload

    def _from_viewer(self, datagram: bytes) -> None:
        self.relay.receive("numbered", datagram)

    # All of it.

    def step(self) -> None:
        self.network.step()
        self.relay.now = self._began_s + self.network.now
        if next(self._steps) % TICK_STEPS == 0:
            self.relay.tick()
        due = self._missing.due(self.network.now)
        if due:
            message = rtcp.nack(1, self.subscription.ssrc, [sequence & 0xFFFF for sequence in due])
            self.network.send(self._from_viewer, self._viewer[1].protect_rtcp(message))
        came = self.relay.sent()
        for datagram in came["publisher"]:
            self.network.send(self._at_publisher, datagram)
        for datagram in came["numbered"]:
            self.network.send(self._at_viewer, datagram)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
def test_every_packet_arrives(way: str, seed: int, loss: float) -> None:
    call = RelayedCall(way, seed, loss)
    try:
        for number in range(1, PACKETS):
            call.publish(number)
            call.step()
    finally:
        call.relay.close()
    received = [call.received[sequence] for sequence in sorted(call.received)]
    started = next(number for number in call.sent if call.sent[number] == received[0])
    # The last ones may still be on their way.
    assert received[: SETTLED - started] == [call.sent[number] for number in range(started, SETTLED)]


def test_a_packet_that_was_sent_is_refused_the_second_time() -> None:
    """What the network brings twice is decrypted once: here and at the relay alike."""
    call = RelayedCall(WAYS[0], 1, 0.0)
    try:
        call.publish(1)
        for _ in range(20):
            call.step()
        assert call.received
        protected = call._publisher[1].protect(rtp.header(96, 2, 0, VIDEO, True) + INTERFRAME)
        for _ in range(2):
            call._from_publisher(protected)
        assert call.relay.incoming.dropped["not_authenticated"] == 1
        (datagram,) = call.relay.sent()["numbered"]
        call._viewer[0].unprotect(datagram)
        with pytest.raises(Error):
            call._viewer[0].unprotect(datagram)
    finally:
        call.relay.close()
