"""A call in simulated time: an encoder that follows the estimate, pacer and estimator, an emulated path, and
a viewer whose feedback is written by media/twcc.py."""

from __future__ import annotations

import functools
import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from media import rtcp
from media.congestion.estimator import Estimate, SendEstimator
from media.congestion.pacer import Pacer, Priority
from media.twcc import ArrivalRecorder
from tests.support.netem import Conditions, Path

HEADERS = 20 + 8 + 12 + 12 + 16
"""IPv4, UDP, RTP, its extensions, SRTP's tag."""
MAX_PAYLOAD = 1100
TICK_S = 0.02
FEEDBACK_S = 0.05
AUDIO_BYTES = 80 + HEADERS
WAKE_S = 0.001
"""An event loop's timer is no finer."""


@dataclass(frozen=True, slots=True)
class Video:
    """The publisher's encoder. reaction_s: until it knows of an estimate. keyframe_s: 0 for none."""

    frames_per_s: float = 30.0
    max_bps: float = 4_000_000
    reaction_s: float = 0.15
    noise: float = 0.15
    keyframe_s: float = 0.0
    keyframe_size: float = 6.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet of the call on the path."""

    at_s: float
    size: int
    audio: bool
    padding: bool
    paced_s: float
    waited_s: float
    arrived_s: float | None


class Simulation:
    """Events in the order of time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, event))

    def every(self, interval_s: float, event: Callable[[], None], begin_s: float = 0.0) -> None:
        def again() -> None:
            event()
            self.at(self.now + interval_s, again)

        self.at(begin_s, again)

    def run(self, until_s: float) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = until_s


class Call:
    """One viewer's call. `schedule`: the path towards it; `back`: of its feedback."""

    def __init__(
        self,
        schedule: Sequence[tuple[float, Conditions]],
        *,
        seed: int,
        back: Conditions | None = None,
        video: Video | None = None,
        estimator: SendEstimator | None = None,
        clock: Callable[[float], float] = lambda at_s: at_s + 1000.0,
        garble: Callable[[bytes], bytes] | None = None,
        feedback_s: float = FEEDBACK_S,
    ) -> None:
        self.simulation = Simulation()
        self.path = Path(schedule, seed)
        self.back = Path([(0.0, back or Conditions(delay_s=schedule[0][1].delay_s))], seed + 1)
        self.video = video or Video()
        self.estimator = estimator or SendEstimator(start_bps=300_000)
        self.estimator.demand(self.video.max_bps)
        self.pacer: Pacer[tuple[int, bool, float]] = Pacer(300_000)
        self.sent: list[Sent] = []
        self.estimates: list[tuple[float, Estimate]] = []
        self.dropped = 0
        self.refused = 0
        self.clusters: list[tuple[float, float]] = []
        self._random = random.Random(seed + 2)
        self._recorder = ArrivalRecorder()
        self._clock = clock
        self._garble = garble
        self._sequence = 65_000
        self._wake_s = float("inf")
        self._encoder_bps = 300_000.0
        self._keyframe_at_s = 0.0
        self._since_keyframe = 0.0
        run = self.simulation
        run.every(TICK_S, self._tick)
        run.every(0.02, self._speak)
        run.every(1 / self.video.frames_per_s, self._frame, 0.003)
        run.every(feedback_s, self._report, 0.011)

    def run(self, until_s: float) -> Call:
        self.simulation.run(until_s)
        return self

    # What the relay does.

    def _tick(self) -> None:
        now = self.simulation.now
        estimate = self.estimator.estimate(now)
        self.estimates.append((now, estimate))
        self.pacer.set_rate(estimate.pacing_bps, now)
        budget_bps = self.pacer.budget_bps(estimate.made_bps) - 8 * 50 * AUDIO_BYTES
        target_bps = min(self.video.max_bps, max(0.0, budget_bps * MAX_PAYLOAD / (MAX_PAYLOAD + HEADERS)))
        self.simulation.at(now + self.video.reaction_s, functools.partial(self._encode_at, target_bps))
        cluster = self.estimator.probe_due(now)
        if cluster is not None:
            self.clusters.append((now, cluster.bitrate_bps))
            self.pacer.probe(cluster, now)
        self._drain()

    def _encode_at(self, bitrate_bps: float) -> None:
        self._encoder_bps = bitrate_bps

    def _speak(self) -> None:
        self._send(AUDIO_BYTES, True, False, self.simulation.now, 0)

    def _frame(self) -> None:
        now = self.simulation.now
        size = self._encoder_bps / 8 / self.video.frames_per_s
        size *= max(0.3, self._random.gauss(1.0, self.video.noise))
        if self.video.keyframe_s and now >= self._keyframe_at_s:
            self._keyframe_at_s = now + self.video.keyframe_s
            size *= self.video.keyframe_size
        left = int(size)
        while left > 0:
            payload = min(MAX_PAYLOAD, left)
            left -= payload
            self.pacer.enqueue(Priority.VIDEO, payload + HEADERS, (payload + HEADERS, False, now))
        self.dropped += len(self.pacer.take_dropped())
        self._drain()

    def _drain(self) -> None:
        now = self.simulation.now
        for (size, audio, queued_s), cluster in self.pacer.due(now):
            self._send(size, audio, False, queued_s, cluster)
        while (padding := self.pacer.padding_due(now)) is not None:
            size = min(padding[0], MAX_PAYLOAD) + HEADERS
            self.pacer.padded(size, now)
            self._send(size, False, True, now, padding[1])
        wake_s = self.pacer.next_wake(now)
        if wake_s is not None and (wake_s < self._wake_s or self._wake_s <= now):
            self._wake_s = max(wake_s, now + WAKE_S)
            self.simulation.at(self._wake_s, self._drain)

    def _send(self, size: int, audio: bool, padding: bool, queued_s: float, cluster: int) -> None:
        now = self.simulation.now
        sequence = self._sequence
        self._sequence += 1
        if audio:
            self.pacer.admit(Priority.AUDIO, size, now)
        self.estimator.sent(sequence, size, now, cluster)
        delivery = self.path.send(size, now)
        arrived_s = None if delivery is None else delivery.arrived_s
        waited_s = -1.0 if delivery is None else delivery.waited_s
        self.sent.append(Sent(now, size, audio, padding, now - queued_s, waited_s, arrived_s))
        if arrived_s is not None:
            self.simulation.at(arrived_s, functools.partial(self._receive, sequence))

    # What the viewer does.

    def _receive(self, sequence: int) -> None:
        arrived_us = int(self._clock(self.simulation.now) * 1e6)
        self._recorder.received(sequence & 0xFFFF, arrived_us)

    def _report(self) -> None:
        now = self.simulation.now
        for message in self._recorder.feedback(1, 2):
            delivery = self.back.send(len(message) + 40, now)
            if delivery is not None and delivery.arrived_s is not None:
                self.simulation.at(delivery.arrived_s, functools.partial(self._feedback, message))

    def _feedback(self, message: bytes) -> None:
        (packet,) = rtcp.parse(message)
        assert isinstance(packet, rtcp.TransportFeedback)
        body = packet.body if self._garble is None else self._garble(packet.body)
        try:
            self.estimator.feedback(body, self.simulation.now)
        except rtcp.MalformedRtcp:
            self.refused += 1

    # What is measured.

    def between(self, begin_s: float, end_s: float) -> Iterator[Sent]:
        return (packet for packet in self.sent if begin_s <= packet.at_s < end_s)

    def utilisation(self, begin_s: float, end_s: float) -> float:
        """Delivered bits against what the bottleneck could pass on."""
        bits = sum(
            8 * packet.size
            for packet in self.sent
            if packet.arrived_s is not None and not packet.padding and begin_s <= packet.arrived_s < end_s
        )
        return bits / self.path.capacity_bits(begin_s, end_s)

    def queue_p95_ms(self, begin_s: float, end_s: float) -> float:
        """95th percentile of the packets' wait at the bottleneck; those dropped for it waited longest."""
        waits = sorted(
            packet.waited_s if packet.waited_s >= 0 else float("inf")
            for packet in self.between(begin_s, end_s)
        )
        return waits[int(0.95 * len(waits))] * 1e3

    def target_bps(self, begin_s: float, end_s: float) -> float:
        """Mean of the estimate."""
        targets = [e.target_bps for at_s, e in self.estimates if begin_s <= at_s < end_s]
        return sum(targets) / len(targets)

    def followed_after(self, at_s: float, queue_s: float = 0.1, hold_s: float = 0.5) -> float:
        """Seconds from a time until packets wait less than queue_s, and go on so for hold_s."""
        since_s = None
        for packet in self.between(at_s, float("inf")):
            if 0 <= packet.waited_s < queue_s:
                since_s = packet.at_s if since_s is None else since_s
                if packet.at_s - since_s >= hold_s:
                    return since_s - at_s
            else:
                since_s = None
        return float("inf")

    def longest_gap_s(self, begin_s: float, end_s: float) -> float:
        """Longest time without a video packet at the viewer: how long the picture stood still, at least."""
        arrivals = sorted(
            p.arrived_s for p in self.between(begin_s, end_s) if p.arrived_s is not None and not p.audio
        )
        return max((b - a for a, b in itertools.pairwise(arrivals)), default=end_s - begin_s)
