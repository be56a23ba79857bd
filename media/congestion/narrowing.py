"""Whether a path has just become narrow: packets come one behind the other out of a queue that grows while
they come. It shows 0.1 s before the trend of 20 groups does, and with it the rate that the bottleneck
passes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from media.congestion.history import Result

WINDOW_S = 0.25
"""Arrivals that are looked at (emulator)."""
WAITED_MS = 5.0
"""A packet that waited less found the queue empty (GCC's burst_time)."""
LATE_SHARE = 0.5
"""Of the newest wait: who waited less may have come in before the path changed (emulator)."""
GROWTH = 0.4
"""Growth of the wait in a second of arrivals: the bottleneck gets 1.7 times what it passes (emulator)."""
RISING_MS, RISING_SPAN_S, RISING_PACKETS = 30.0, 0.02, 3
"""A wait, over such a time and in so many packets, from which on the queue rises (emulator)."""
NARROW_MS, NARROW_SPAN_S, NARROW_PACKETS = 15.0, 0.04, 4
"""The same from which on it is overuse; of a message's packets it is the least wait that counts
(emulator)."""
VARIATIONS = 2.0
STEADY_MS = 6.0
"""So many times what the least wait usually changes by from one message to the next come on top, and more on
a path where that is more than the latter: jitter is no queue (emulator)."""
VARIATION_GAIN = 1 / 16
"""Weight of a new change (RFC 3550, 6.4.1, on jitter)."""
MAX_CHANGE_MS = 30.0
"""A greater change counts as this one: it is no jitter (emulator)."""
MAX_PACKETS = 256
"""Packets kept: what 10 Mbit/s bring in the window."""


class Narrowing:
    """Follows the newest run of packets that waited."""

    __slots__ = ("_least_ms", "_run", "_variation_ms", "is_narrow", "passing_bps", "rises")

    def __init__(self) -> None:
        self._run: deque[tuple[float, float, int]] = deque(maxlen=MAX_PACKETS)
        self._least_ms = self._variation_ms = 0.0
        self.rises = False
        """The queue grows quickly at present."""
        self.is_narrow = False
        """It has grown for so long that the path carries less than what is sent."""
        self.passing_bps: float | None = None
        """What the bottleneck passes while packets wait; None where too few do."""

    def update(self, results: Iterable[Result], base_s: float) -> None:
        """base_s: the least one-way delay, by the two clocks."""
        run = self._run
        least_ms = float("inf")
        for sent_s, arrived_s, size, _ in results:
            wait_ms = (arrived_s - sent_s - base_s) * 1e3
            if wait_ms < least_ms:
                least_ms = wait_ms
            if wait_ms < WAITED_MS or (run and arrived_s < run[-1][0]):
                run.clear()
            if wait_ms >= WAITED_MS:
                run.append((arrived_s, wait_ms, size))
        change_ms = min(MAX_CHANGE_MS, abs(least_ms - self._least_ms))
        self._variation_ms += VARIATION_GAIN * (change_ms - self._variation_ms)
        self._least_ms = least_ms
        self.rises = self.is_narrow = False
        self.passing_bps = None
        if not run:
            return
        newest_s, newest_ms, _ = run[-1]
        while newest_s - run[0][0] > WINDOW_S:
            run.popleft()
        count, total = 0, 0
        first_s, first_ms, first_size = newest_s, newest_ms, 0
        for arrived_s, wait_ms, size in reversed(run):
            if wait_ms < LATE_SHARE * newest_ms:
                break
            count += 1
            total += size
            first_s, first_ms, first_size = arrived_s, wait_ms, size
        span_s = newest_s - first_s
        if count < RISING_PACKETS or span_s < RISING_SPAN_S:
            return
        self.passing_bps = (total - first_size) * 8 / span_s
        if newest_ms - first_ms < GROWTH * 1e3 * span_s:
            return
        variation_ms = self._variation_ms
        usual_ms = VARIATIONS * variation_ms * max(1.0, variation_ms / STEADY_MS)
        self.rises = newest_ms >= RISING_MS + usual_ms / 2
        self.is_narrow = (
            least_ms >= NARROW_MS + usual_ms and span_s >= NARROW_SPAN_S and count >= NARROW_PACKETS
        )
