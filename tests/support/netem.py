"""A seeded network path: a bottleneck whose rate changes with time, its queue, delay, loss, jitter and
reordering.

Pure: times go in and come out, in seconds. Packets are given in the order of time, whoever sends them.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bursts:
    """Loss in bursts (Gilbert 1960): mean length in packets, and share of all packets lost."""

    loss: float
    mean_length: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a path is like from one time on.

    rate_bps: of the bottleneck; 0: it stands still. queue_s: a packet that would wait longer is dropped.
    delay_s: propagation. loss: share of packets lost at random after the bottleneck. jitter_s: mean of an
    exponential delay that keeps the order, reordering: share of packets that are held back by reorder_s more
    and are overtaken.
    """

    rate_bps: float = 1e9
    delay_s: float = 0.0
    queue_s: float = 0.5
    loss: float = 0.0
    bursts: Bursts | None = None
    jitter_s: float = 0.0
    reordering: float = 0.0
    reorder_s: float = 0.01


@dataclass(frozen=True, slots=True)
class Delivery:
    """A packet that got through the queue. arrived_s: None when it was lost after it."""

    waited_s: float
    arrived_s: float | None


class Path:
    """One direction. schedule: (from when, conditions), the first from 0."""

    def __init__(self, schedule: Sequence[tuple[float, Conditions]], seed: int) -> None:
        self._schedule = sorted(schedule, key=lambda entry: entry[0])
        self._times = [at for at, _ in self._schedule]
        self._random = random.Random(seed)
        self._free_s = 0.0
        self._last_arrival_s = 0.0
        self._in_burst = False
        self.overflowed = 0
        """Packets that the queue had no place for."""

    def conditions(self, now: float) -> Conditions:
        """What holds at a time."""
        return self._schedule[max(0, bisect.bisect_right(self._times, now) - 1)][1]

    def capacity_bits(self, begin_s: float, end_s: float) -> float:
        """What the bottleneck could pass on in a time."""
        edges = [begin_s, *(at for at in self._times if begin_s < at < end_s), end_s]
        return sum(self.conditions(at).rate_bps * (until - at) for at, until in itertools.pairwise(edges))

    def send(self, size_bytes: int, now: float) -> Delivery | None:
        """A packet comes to the bottleneck; None when the queue is full."""
        present = self.conditions(now)
        begins_s = max(now, self._free_s)
        finished_s = self._finished(begins_s, size_bytes * 8.0)
        if begins_s - now > present.queue_s:
            self.overflowed += 1
            return None
        self._free_s = finished_s
        waited_s = finished_s - now
        if self._lost(present):
            return Delivery(waited_s, None)
        jitter_s = self._random.expovariate(1 / present.jitter_s) if present.jitter_s else 0.0
        arrived_s = max(self._last_arrival_s, finished_s + present.delay_s + jitter_s)
        if present.reordering and self._random.random() < present.reordering:
            return Delivery(waited_s, arrived_s + present.reorder_s)
        self._last_arrival_s = arrived_s
        return Delivery(waited_s, arrived_s)

    def _finished(self, begins_s: float, bits: float) -> float:
        """When so many bits that begin at a time are through, over all changes of the rate."""
        index = max(0, bisect.bisect_right(self._times, begins_s) - 1)
        at_s = begins_s
        while True:
            rate_bps = self._schedule[index][1].rate_bps
            until_s = self._times[index + 1] if index + 1 < len(self._times) else float("inf")
            if rate_bps > 0 and at_s + bits / rate_bps <= until_s:
                return at_s + bits / rate_bps
            if until_s == float("inf"):
                return until_s
            bits -= rate_bps * (until_s - at_s)
            at_s = until_s
            index += 1

    def _lost(self, present: Conditions) -> bool:
        if present.bursts is not None:
            leave = 1 / present.bursts.mean_length
            enter = leave * present.bursts.loss / (1 - present.bursts.loss)
            self._in_burst = self._random.random() < ((1 - leave) if self._in_burst else enter)
            if self._in_burst:
                return True
        return present.loss > 0 and self._random.random() < present.loss
