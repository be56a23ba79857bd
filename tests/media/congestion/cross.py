"""Others on the same path: a flow that never yields, and one that behaves as TCP Reno (RFC 5681)."""

from __future__ import annotations

import functools

from tests.media.congestion.call import Simulation
from tests.support.netem import Path

PACKET = 1500


class ConstantFlow:
    """Sends at one rate from begin_s to end_s."""

    def __init__(
        self, simulation: Simulation, path: Path, bitrate_bps: float, begin_s: float, end_s: float
    ) -> None:
        self._simulation, self._path = simulation, path
        self._interval_s = PACKET * 8 / bitrate_bps
        self._end_s = end_s
        simulation.at(begin_s, self._send)

    def _send(self) -> None:
        now = self._simulation.now
        if now < self._end_s:
            self._path.send(PACKET, now)
            self._simulation.at(now + self._interval_s, self._send)


class RenoFlow:
    """A greedy download: slow start, congestion avoidance, halving once a window; a time-out after
    silence."""

    TIMEOUT_S = 1.0

    def __init__(
        self, simulation: Simulation, path: Path, begin_s: float, end_s: float, back_s: float = 0.05
    ) -> None:
        self._simulation, self._path = simulation, path
        self._begin_s, self._end_s, self._back_s = begin_s, end_s, back_s
        self._window = 10.0
        self._threshold = float("inf")
        self._in_flight = 0
        self._recover = 0
        self._next = 0
        self._heard_s = begin_s
        self.delivered: list[tuple[float, int]] = []
        """(when, bytes)."""
        simulation.at(begin_s, self._start)

    def bitrate_bps(self, begin_s: float, end_s: float) -> float:
        return sum(8 * size for at_s, size in self.delivered if begin_s <= at_s < end_s) / (end_s - begin_s)

    def _start(self) -> None:
        self._heard_s = self._simulation.now
        self._fill()
        self._simulation.at(self._simulation.now + self.TIMEOUT_S, self._watch)

    def _watch(self) -> None:
        now = self._simulation.now
        if now >= self._end_s:
            return
        if now - self._heard_s >= self.TIMEOUT_S:
            self._window, self._in_flight = 1.0, 0
            self._heard_s = now
            self._fill()
        self._simulation.at(now + self.TIMEOUT_S, self._watch)

    def _fill(self) -> None:
        now = self._simulation.now
        while self._in_flight < int(self._window) and now < self._end_s:
            number = self._next
            self._next += 1
            self._in_flight += 1
            delivery = self._path.send(PACKET, now)
            if delivery is None or delivery.arrived_s is None:
                # Three duplicate acknowledgements tell about a round trip later.
                self._simulation.at(now + 2 * self._back_s + 0.1, functools.partial(self._lost, number))
            else:
                self._simulation.at(delivery.arrived_s + self._back_s, functools.partial(self._acked, number))

    def _acked(self, number: int) -> None:
        self._in_flight = max(0, self._in_flight - 1)
        self._heard_s = self._simulation.now
        self.delivered.append((self._simulation.now, PACKET))
        self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
        self._fill()

    def _lost(self, number: int) -> None:
        self._in_flight = max(0, self._in_flight - 1)
        if number >= self._recover:
            self._recover = self._next
            self._window = self._threshold = max(2.0, self._window / 2)
        self._fill()
