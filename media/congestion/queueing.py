"""How much a viewer's packets wait in queues on the path, and the round trip, from send and arrival times."""

from __future__ import annotations

from collections.abc import Iterable

from media.congestion.history import Result

BASE_WINDOW_S = 10.0
"""The shortest way is looked for in this time: two halves of it at least. Long enough to meet an empty queue,
and short enough that 100 ppm of clock drift are 1 ms (emulator)."""
CLOCK_JUMP_S = 3.0
"""As groups.CLOCK_JUMP_MS: the viewer's clock was set."""
JUMPS_BELIEVED = 3
"""It is believed when so many messages in a row say it: a single one is damaged, or forged (emulator)."""
RTT_GAIN = 1 / 8
"""Weight of a new round trip (RFC 6298, section 2)."""


class PathDelay:
    """One-way delay against the least of the last seconds. The clocks' offset cancels; their drift ages
    out."""

    __slots__ = (
        "_earlier_s",
        "_half_at_s",
        "_jumps",
        "_later_s",
        "base_s",
        "learned_s",
        "mean_ms",
        "min_rtt_s",
        "rtt_s",
        "standing_ms",
    )

    def __init__(self) -> None:
        self._earlier_s = self._later_s = float("inf")
        self.base_s = 0.0
        self._half_at_s = 0.0
        self._jumps = 0
        self.learned_s = 0.0
        """From this time on the least delay is to be believed: after the viewer's clock was set it is learned
        anew, maybe in a full queue."""
        self.standing_ms = 0.0
        """Least wait of the last message's packets: a queue that stays (RFC 8289, section 3 on standing
        queues)."""
        self.mean_ms = 0.0
        """Mean wait of the last message's packets."""
        self.rtt_s: float | None = None
        """Smoothed round trip, with the viewer's time until it sends feedback."""
        self.min_rtt_s: float | None = None

    def update(
        self, results: Iterable[Result], newest_sent_s: float, now: float, competing: bool = False
    ) -> bool:
        """Take what one message told; newest_sent_s: when the newest of them left. False: its times are not
        to be believed, yet. competing: somebody keeps the queue full, there is no least delay to learn."""
        least = float("inf")
        total = 0.0
        count = 0
        for sent_s, arrived_s, _, _ in results:
            delay = arrived_s - sent_s
            total += delay
            count += 1
            if delay < least:
                least = delay
        if not count:
            return False
        if self.rtt_s is None:
            self._restart(least, now)
        elif abs(least - self.base_s) > CLOCK_JUMP_S:
            self._jumps += 1
            if self._jumps < JUMPS_BELIEVED:
                return False
            self._restart(least, now)
            self.learned_s = now + BASE_WINDOW_S
        elif now - self._half_at_s > BASE_WINDOW_S / 2 and not competing:
            self._earlier_s, self._later_s = self._later_s, least
            self._half_at_s = now
        elif least < self._later_s:
            self._later_s = least
        self._jumps = 0
        self.base_s = base_s = min(self._earlier_s, self._later_s)
        self.standing_ms = (least - base_s) * 1e3
        self.mean_ms = (total / count - base_s) * 1e3
        rtt_s = max(0.0, now - newest_sent_s)
        self.rtt_s = rtt_s if self.rtt_s is None else self.rtt_s + RTT_GAIN * (rtt_s - self.rtt_s)
        self.min_rtt_s = rtt_s if self.min_rtt_s is None else min(self.min_rtt_s, rtt_s)
        return True

    def _restart(self, least: float, now: float) -> None:
        self._earlier_s = self._later_s = least
        self._half_at_s = now
