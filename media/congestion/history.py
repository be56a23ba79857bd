"""What was sent to a viewer, until its feedback says what came: joins the two with bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.congestion.feedback import Arrivals

CAPACITY = 2048
"""Packets that are remembered: 6 s of a 2.5 Mbit/s picture, 2 s of 10 Mbit/s (emulator). A power of two."""
_MASK = CAPACITY - 1
REORDER_S = 0.05
"""A packet told as missing is lost when one sent this much later has come: the interval between two messages,
so that the next one can still tell of it. RFC 8985, 6.2 takes a quarter of the round trip."""

Result = tuple[float, float, int, int]
"""A packet that came: sent (s, our clock), arrived (s, the viewer's clock), size (bytes), probe cluster (0:
none)."""
_Sent = tuple[int, int, float, int, int]
# sequence number, size, sent at, probe cluster, bytes sent up to and with this packet


@dataclass(slots=True)
class Joined:
    """What a message brought. lost_bytes and lost_packets: what is now known to be lost, however long ago it
    left."""

    results: list[Result] = field(default_factory=list)
    lost_packets: int = 0
    lost_bytes: int = 0
    unreported_bytes: int = 0
    """Packets before this message that no message told of, because it was lost: nothing is known of them."""
    newest_sent_s: float = 0.0
    """When the newest packet that has come was sent."""
    has_probe: bool = False
    """Packets of a probe cluster are among the results."""


class SendHistory:
    """A ring of the packets on their way. Sequence numbers are the extended ones, growing by one a packet."""

    __slots__ = (
        "_acknowledged_bytes",
        "_covered",
        "_missing",
        "_ring",
        "newest",
        "newest_acknowledged_s",
        "sent_bytes",
    )

    def __init__(self) -> None:
        self._ring: list[_Sent | None] = [None] * CAPACITY
        self._missing: dict[int, None] = {}
        self._acknowledged_bytes = 0
        self._covered = -1
        self.newest = -1
        """Number of the newest packet sent; -1: none yet."""
        self.newest_acknowledged_s = 0.0
        """When the newest packet that has come was sent."""
        self.sent_bytes = 0
        """All that has been sent."""

    @property
    def in_flight_bytes(self) -> int:
        """Sent after the newest packet that has come."""
        return self.sent_bytes - self._acknowledged_bytes

    def sent(self, sequence: int, size_bytes: int, now: float, cluster: int = 0) -> None:
        """A packet left."""
        self.sent_bytes = total = self.sent_bytes + size_bytes
        self.newest = sequence
        self._ring[sequence & _MASK] = (sequence, size_bytes, now, cluster, total)

    def join(self, arrivals: Arrivals) -> Joined:
        """Results of the packets that a message tells of for the first time, in order of sequence."""
        joined = Joined()
        results = joined.results
        ring = self._ring
        missing = self._missing
        if 0 <= self._covered < arrivals.first:
            joined.unreported_bytes = self._skip(self._covered, arrivals.first)
        self._covered = max(self._covered, min(arrivals.end, self.newest + 1))
        expected = max(arrivals.first, self.newest - CAPACITY + 1)
        for sequence, arrived_s in arrivals.received:
            packet = ring[sequence & _MASK]
            if sequence > expected:
                self._note_missing(expected, sequence)
            expected = max(expected, sequence + 1)
            if packet is None or packet[0] != sequence:
                continue
            ring[sequence & _MASK] = None
            _, size, sent_s, cluster, total = packet
            results.append((sent_s, arrived_s, size, cluster))
            if cluster:
                joined.has_probe = True
            if missing:
                missing.pop(sequence, None)
            if total > self._acknowledged_bytes:
                self._acknowledged_bytes = total
                self.newest_acknowledged_s = sent_s
        if arrivals.end > expected:
            self._note_missing(expected, arrivals.end)
        joined.newest_sent_s = self.newest_acknowledged_s
        if missing:
            self._give_up(joined)
        return joined

    def _skip(self, first: int, end: int) -> int:
        """Bytes of packets that no message will tell of."""
        total = 0
        for sequence in range(max(first, self.newest - CAPACITY + 1), min(end, self.newest + 1)):
            packet = self._ring[sequence & _MASK]
            if packet is not None and packet[0] == sequence:
                total += packet[1]
        return total

    def _note_missing(self, first: int, end: int) -> None:
        for sequence in range(max(first, self.newest - CAPACITY + 1), min(end, self.newest + 1)):
            packet = self._ring[sequence & _MASK]
            if packet is not None and packet[0] == sequence:
                self._missing[sequence] = None

    def _give_up(self, joined: Joined) -> None:
        horizon_s = self.newest_acknowledged_s - REORDER_S
        for sequence in list(self._missing):
            packet = self._ring[sequence & _MASK]
            if packet is None or packet[0] != sequence:
                del self._missing[sequence]
            elif packet[2] <= horizon_s:
                del self._missing[sequence]
                self._ring[sequence & _MASK] = None
                joined.lost_packets += 1
                joined.lost_bytes += packet[1]
