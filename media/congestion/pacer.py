"""Lets packets leave evenly: audio first, then retransmissions, then video; probes at their own rate.

A leaky bucket (GCC 4) kept as one time: when it will be empty. Sound is never held back, it only fills the
bucket. What is not sound obeys, in any window of W seconds and outside probes: bytes <= rate x (W + BURST_S)
/ 8 + one packet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

from media.congestion.probing import ProbeCluster

BURST_S = 0.005
"""burst_time: what an idle bucket lets out at once (GCC 4)."""
MAX_QUEUE_S = 1.5
"""Video that would take longer to leave is dropped, oldest first (libwebrtc pacing_controller allows 2 s). It
is long enough for a publisher that takes 0.5 s to follow a drop to a quarter (emulator)."""
MIN_QUEUE_BYTES = 128_000
"""So much may always wait: a keyframe of a 720p skin view (measured: 20-60 kB), or what comes at 2 Mbit/s
until the publisher follows a drop (emulator)."""
MAX_QUEUE_BYTES = 1_000_000
MAX_RESENT_BYTES = 64_000
"""Retransmissions that may wait: what is older was given up by the viewer."""
BACKLOG_S = 1.0
"""What waits is made good in this time, by less that is made (emulator)."""
LEAST_MADE = 0.65
"""Share of the target that is made all the same: told less, an encoder stops, and is seconds late when there
is room again (measured, Chromium)."""
FRAME_S = 0.1
"""What leaves within this time is the frame in service at 8 to 12 frames a second, and no backlog: to make
less for its sake costs 3 % of the path (emulator)."""
MAX_AUDIO_PACKETS = 64
PROBE_PATIENCE = 4.0
"""A probe that takes this many times its duration is given up: there was nothing to send."""
MIN_RATE_BPS = 5_000.0
"""No pacing below (libwebrtc's least bitrate)."""
_PADDING_BYTES = 250
"""Least padding worth a packet."""

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first."""

    AUDIO = 0
    RETRANSMISSION = 1
    VIDEO = 2


class Pacer(Generic[T]):
    """Queues of one viewer. T: whatever the caller wants back, with its size given at enqueue()."""

    def __init__(self, rate_bps: float, max_queue_s: float = MAX_QUEUE_S) -> None:
        self._rate_bps = max(MIN_RATE_BPS, rate_bps)
        self._max_queue_s = max_queue_s
        self._audio: deque[tuple[int, T]] = deque()
        self._resent: deque[tuple[int, T]] = deque()
        self._video: deque[tuple[int, T]] = deque()
        self._empty_at_s = 0.0
        self._dropped: list[T] = []
        self._probe: ProbeCluster | None = None
        self._probe_began_s = 0.0
        self._probe_packets = 0
        self._probe_bytes = 0
        self._seconds_per_byte = 8 / self._rate_bps
        self._video_limit = 0
        self.queued_bytes = 0
        """Video that waits."""
        self.resent_bytes = 0
        """Retransmissions that wait."""
        self._limit()

    @property
    def rate_bps(self) -> float:
        """The pacing rate."""
        return self._rate_bps

    @property
    def is_idle(self) -> bool:
        """Nothing waits and no probe runs."""
        return not (self._video or self._resent or self._audio or self._probe is not None)

    def resent(self) -> list[T]:
        """Retransmissions that wait."""
        return [item for _, item in self._resent]

    def queue_s(self) -> float:
        """How long what waits will take to leave."""
        return (self.queued_bytes + self.resent_bytes) * self._seconds_per_byte

    def budget_bps(self, target_bps: float) -> float:
        """What may be made anew: the target less what waits beyond FRAME_S, spread over BACKLOG_S; LEAST_MADE
        of it at least."""
        waiting = (self.queued_bytes + self.resent_bytes) * 8
        backlog_bps = max(0.0, waiting - target_bps * FRAME_S) / BACKLOG_S
        return max(LEAST_MADE * target_bps, target_bps - backlog_bps)

    def set_rate(self, rate_bps: float, now: float) -> None:
        """Go on at another rate; what is in the bucket leaves it at the new one."""
        rate_bps = max(MIN_RATE_BPS, rate_bps)
        if self._empty_at_s > now:
            self._empty_at_s = now + (self._empty_at_s - now) * self._rate_bps / rate_bps
        self._rate_bps = rate_bps
        self._seconds_per_byte = 8 / rate_bps
        self._limit()

    def _limit(self) -> None:
        wanted = int(self._max_queue_s / self._seconds_per_byte)
        self._video_limit = min(MAX_QUEUE_BYTES, max(MIN_QUEUE_BYTES, wanted))

    def enqueue(self, priority: Priority, size_bytes: int, item: T) -> None:
        """Take a packet. What no longer fits is found with take_dropped()."""
        if priority == 2:
            self._video.append((size_bytes, item))
            self.queued_bytes += size_bytes
            while self.queued_bytes > self._video_limit and self._video:
                size, oldest = self._video.popleft()
                self.queued_bytes -= size
                self._dropped.append(oldest)
        elif priority == 0:
            self._audio.append((size_bytes, item))
            if len(self._audio) > MAX_AUDIO_PACKETS:
                self._dropped.append(self._audio.popleft()[1])
        else:
            self._resent.append((size_bytes, item))
            self.resent_bytes += size_bytes
            while self.resent_bytes > MAX_RESENT_BYTES and self._resent:
                size, oldest = self._resent.popleft()
                self.resent_bytes -= size
                self._dropped.append(oldest)

    def admit(self, priority: Priority, size_bytes: int, now: float) -> bool:
        """Whether a packet may leave at once without being queued; if so it counts as sent.

        For the common case of a path that keeps up: nothing waits, and nothing overtakes.
        """
        if priority:
            if self._empty_at_s > now or self._video or self._resent or self._probe is not None:
                return False
        elif self._audio:
            return False
        since_s = now - BURST_S
        empty_at_s = self._empty_at_s
        self._empty_at_s = (
            empty_at_s if empty_at_s > since_s else since_s
        ) + size_bytes * self._seconds_per_byte
        return True

    def due(self, now: float) -> list[tuple[T, int]]:
        """(packet, probe cluster or 0) for each that leaves now, in order."""
        out: list[tuple[T, int]] = []
        if self._audio:
            for size, item in self._audio:
                self._fill(size, now)
                out.append((item, 0))
            self._audio.clear()
        if self._probe is not None:
            self._send_probe(self._probe, out, now)
        resent, video = self._resent, self._video
        empty_at_s = self._empty_at_s
        if self._probe is not None or empty_at_s > now or not (resent or video):
            return out
        since_s = now - BURST_S
        if empty_at_s < since_s:
            empty_at_s = since_s
        seconds_per_byte = self._seconds_per_byte
        append = out.append
        while empty_at_s <= now:
            if resent:
                size, item = resent.popleft()
                self.resent_bytes -= size
            elif video:
                size, item = video.popleft()
                self.queued_bytes -= size
            else:
                break
            empty_at_s += size * seconds_per_byte
            append((item, 0))
        self._empty_at_s = empty_at_s
        return out

    def next_wake(self, now: float) -> float | None:
        """When due() has something again, if nothing else comes; None: not before the next enqueue()."""
        if self._audio:
            return now
        probe = self._probe
        if probe is not None:
            return max(now, self._probe_began_s + self._probe_bytes * 8 / probe.bitrate_bps)
        if self._resent or self._video:
            return max(now, self._empty_at_s)
        return None

    def take_dropped(self) -> list[T]:
        """What had to be dropped since the last call."""
        if not self._dropped:
            return self._dropped
        dropped, self._dropped = self._dropped, []
        return dropped

    def forget(self, belongs: Callable[[T], bool]) -> None:
        """Drop what waits and belongs to a stream that has ended, or begins anew at a keyframe."""
        self._video = deque(entry for entry in self._video if not belongs(entry[1]))
        self._resent = deque(entry for entry in self._resent if not belongs(entry[1]))
        self.queued_bytes = sum(size for size, _ in self._video)
        self.resent_bytes = sum(size for size, _ in self._resent)

    def probe(self, cluster: ProbeCluster, now: float) -> None:
        """Send the next packets as a cluster, at its rate. One at a time: a running one is given up."""
        self._probe = cluster
        self._probe_began_s = now
        self._probe_packets = self._probe_bytes = 0

    def give_up_probe(self) -> None:
        """There is nothing to send a probe with."""
        self._probe = None

    def padding_due(self, now: float) -> tuple[int, int] | None:
        """(bytes, probe cluster) of padding that a probe lacks now, when no packet waits."""
        probe = self._probe
        if probe is None or self._resent or self._video:
            return None
        allowed = (now - self._probe_began_s) * probe.bitrate_bps / 8
        if allowed < self._probe_bytes:
            return None
        left = max(
            probe.min_bytes - self._probe_bytes, (probe.min_packets - self._probe_packets) * _PADDING_BYTES
        )
        return max(_PADDING_BYTES, left), probe.cluster_id

    def padded(self, size_bytes: int, now: float) -> None:
        """A padding packet of this size was sent for the running probe."""
        self._fill(size_bytes, now)
        if self._probe is not None:
            self._count(self._probe, size_bytes)

    def _fill(self, size: int, now: float) -> None:
        self._empty_at_s = max(self._empty_at_s, now - BURST_S) + size * self._seconds_per_byte

    def _send_probe(self, probe: ProbeCluster, out: list[tuple[T, int]], now: float) -> None:
        seconds_per_byte = 8 / probe.bitrate_bps
        elapsed_s = now - self._probe_began_s
        if elapsed_s > PROBE_PATIENCE * probe.min_bytes * seconds_per_byte + 0.1:
            self._probe = None
            return
        while self._probe is probe and self._probe_bytes * seconds_per_byte <= elapsed_s:
            if self._resent:
                size, item = self._resent.popleft()
                self.resent_bytes -= size
            elif self._video:
                size, item = self._video.popleft()
                self.queued_bytes -= size
            else:
                break
            self._fill(size, now)
            out.append((item, probe.cluster_id))
            self._count(probe, size)

    def _count(self, probe: ProbeCluster, size: int) -> None:
        self._probe_packets += 1
        self._probe_bytes += size
        if self._probe_packets >= probe.min_packets and self._probe_bytes >= probe.min_bytes:
            self._probe = None
