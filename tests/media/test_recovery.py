"""Loss on both sides of the relay, on a seeded network in memory with a clock of its own: NACK and RTX bring
every packet to the viewer, and a viewer that lost hope gets a keyframe."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable

import pytest

from media import rtcp, rtp
from media.fanout import Fanout
from media.layers import LayerTarget
from media.nack import MissingPackets
from media.publication import Publication
from media.subscription import Subscription
from tests.media import streams
from tests.media.streams import publication, subscription

STEP_S = 0.005


class Network:
    """Delivers what is sent after a delay, loses some of it, and keeps the time."""

    def __init__(self, seed: int, loss: float) -> None:
        self.now = 0.0
        self._random = random.Random(seed)
        self._loss = loss
        self._flying: list[tuple[float, int, Callable[[bytes], None], bytes]] = []
        self._count = itertools.count()

    def send(self, receiver: Callable[[bytes], None], data: bytes) -> None:
        """Send one datagram; some are lost, some overtake others."""
        if self._random.random() >= self._loss:
            delay_s = self._random.uniform(0.015, 0.04)
            heapq.heappush(self._flying, (self.now + delay_s, next(self._count), receiver, data))

    def step(self) -> None:
        """Let a little time pass."""
        self.now += STEP_S
        while self._flying and self._flying[0][0] <= self.now:
            _, _, receiver, data = heapq.heappop(self._flying)
            receiver(data)


class Call:
    """A publisher, the relay's cores and a viewer."""

    def __init__(self, seed: int, loss: float) -> None:
        self.network = Network(seed, loss)
        self.source: Publication = publication()
        self.subscription: Subscription = subscription(self.source)
        self.fanout = Fanout(self.source)
        self.fanout.add(self.subscription, self._to_viewer, lambda _: True)
        self.sent: dict[int, bytes] = {}
        self.received: dict[int, bytes] = {}
        self.keyframe_wanted = True
        self.temporal_ids: tuple[int, ...] = (0,)
        self._rtx_count = itertools.count(1)
        self._unwrapper = rtp.SequenceUnwrapper()
        self._missing = MissingPackets()
        # The viewer knows where its stream begins, so that it can miss the first packet too.
        self._missing.received(self._unwrapper.unwrap(999), 0.0)

    # The publisher.

    def publish(self, number: int) -> None:
        temporal = self.temporal_ids[number % len(self.temporal_ids)]
        packet = streams.vp8(number, number, key=self.keyframe_wanted and not temporal, temporal=temporal)
        self.keyframe_wanted = self.keyframe_wanted and temporal > 0
        self.sent[number] = packet
        self.network.send(self._at_relay, packet)

    def _at_publisher(self, data: bytes) -> None:
        for packet in rtcp.parse(data):
            if isinstance(packet, rtcp.Nack):
                for number in packet.sequences:
                    again = streams.rtx(next(self._rtx_count), self.sent[number])
                    self.network.send(self._at_relay_rtx, again)
            elif isinstance(packet, rtcp.PictureLoss):
                self.keyframe_wanted = True

    # The relay.

    def _at_relay(self, data: bytes) -> None:
        self._forward(self.source.encodings[0].receive(data, self.network.now))

    def _at_relay_rtx(self, data: bytes) -> None:
        self._forward(self.source.encodings[0].receive_rtx(data, self.network.now))

    def _forward(self, packet: rtp.Packet | None) -> None:
        if packet is not None:
            self.fanout.deliver(packet, self.network.now)

    def _to_viewer(self, outgoing: bytes) -> bool:
        self.network.send(self._at_viewer, outgoing)
        return True

    def _relay_hears(self, data: bytes) -> None:
        for packet in rtcp.parse(data):
            assert isinstance(packet, rtcp.Nack)
            for again in self.subscription.retransmit(packet.sequences, self.network.now):
                self.network.send(self._at_viewer, again)

    # The viewer.

    def _at_viewer(self, data: bytes) -> None:
        start, end = rtp.payload_bounds(data)
        ssrc = int.from_bytes(data[8:12], "big")
        number = int.from_bytes(data[2:4] if ssrc == 500 else data[start : start + 2], "big")
        payload = data[start:end] if ssrc == 500 else data[start + 2 : end]
        sequence = self._unwrapper.unwrap(number)
        self._missing.received(sequence, self.network.now)
        assert self.received.setdefault(sequence, payload) == payload

    def run(self, steps: int) -> None:
        for _ in range(steps):
            for message in self.source.feedback(self.network.now):
                self.network.send(self._at_publisher, message)
            due = self._missing.due(self.network.now)
            if due:
                message = rtcp.nack(1, 500, [sequence & 0xFFFF for sequence in due])
                self.network.send(self._relay_hears, message)
            self.network.step()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
def test_every_packet_arrives(seed: int, loss: float) -> None:
    call = Call(seed, loss)
    for number in range(1, 1700):
        call.publish(number)
        call.run(1)
    received = [call.received[sequence] for sequence in sorted(call.received)]
    started = next(n for n in range(1, 1700) if call.sent[n][12:] == received[0])
    # The last ones may still be on their way.
    assert received[: 1500 - started] == [call.sent[n][12:] for n in range(started, 1500)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
def test_every_packet_of_the_base_layer_arrives_without_the_others(seed: int, loss: float) -> None:
    call = Call(seed, loss)
    call.temporal_ids = (0, 2, 1, 2)
    call.subscription.set_layer(LayerTarget(0, 0, paused=False))
    for number in range(1, 1700):
        call.publish(number)
        call.run(1)
    numbers = sorted(call.received)
    # No number is missing, but for those that may still be on their way.
    assert numbers[: 1500 // 4] == list(range(numbers[0], numbers[0] + 1500 // 4))
    received = [call.received[sequence] for sequence in numbers]
    base = [call.sent[n][12:] for n in range(4, 1500, 4)]
    pictures = [payload[-4:] for payload in received if payload]
    assert pictures == sorted(pictures)
    wanted = base[next(n for n, payload in enumerate(base) if payload[-4:] == received[0][-4:]) :]
    assert {payload[-4:] for payload in wanted} <= set(pictures)
    assert all(int.from_bytes(picture, "big") % 4 == 0 for picture in pictures)


@pytest.mark.parametrize("seed", range(3))
def test_a_keyframe_request_that_is_lost_is_repeated(seed: int) -> None:
    call = Call(seed, 0.6)
    call.keyframe_wanted = False
    for number in range(1, 1000):
        call.publish(number)
        call.run(1)
        if call.subscription.started:
            return
    pytest.fail("no keyframe came")
