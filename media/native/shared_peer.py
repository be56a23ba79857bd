"""A participant whose numbers lie in the C structs of loop.h: what it may send, what came, and its path."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from media.congestion.pacer import Pacer, Priority
from media.congestion.probing import ProbeCluster
from media.native import library
from media.native.memory import Ring, allocated, shared
from media.packet_path import PeerPath
from media.policer import Policer
from media.twcc import ArrivalRecorder
from media.viewer_path import OVERHEAD_BYTES, ViewerPath, Waiting

_ARRIVAL = struct.Struct("@dH6x")
_DEPARTURE = struct.Struct("@dqi4x")


class SharedArrivals(ArrivalRecorder):
    """Takes up what the loop has noted before anything else is done."""

    def __init__(self, memory: Any) -> None:
        super().__init__()
        self.memory = memory
        self._ring = Ring(memory.arrivals, _ARRIVAL)

    def __len__(self) -> int:
        self._take()
        return super().__len__()

    def received(self, sequence: int, arrived_us: int) -> None:
        """See ArrivalRecorder."""
        self._take()
        super().received(sequence, arrived_us)

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """See ArrivalRecorder."""
        self._take()
        return super().feedback(sender_ssrc, media_ssrc)

    def _take(self) -> None:
        memory = self.memory
        tail, head = memory.arrivals_tail, memory.arrivals_head
        if tail == head:
            return
        note = super().received
        for arrived_s, number in self._ring.between(tail, head):
            note(number, int(arrived_s * 1e6))
        memory.arrivals_tail = head


class SharedPolicer(Policer):
    """What a participant may send."""

    __slots__ = ("memory",)
    _bytes = shared("policer_bytes")
    _bytes_per_s = shared("policer_bytes_per_s")
    _refilled_s = shared("policer_refilled_s")

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        super().__init__()


class SharedPacer(Pacer[Waiting]):
    """The bucket, and whether anything waits: the loop lets out what need not wait, and hands up the rest."""

    _empty_at_s = shared("empty_at_s")
    _seconds_per_byte = shared("seconds_per_byte")

    def __init__(self, rate_bps: float, memory: Any) -> None:
        self.memory = memory
        super().__init__(rate_bps)

    def admit(self, priority: Priority, size_bytes: int, now: float) -> bool:
        """See Pacer."""
        admitted = super().admit(priority, size_bytes, now)
        self.tell()
        return admitted

    def enqueue(self, priority: Priority, size_bytes: int, item: Waiting) -> None:
        """See Pacer."""
        super().enqueue(priority, size_bytes, item)
        self.tell()

    def due(self, now: float) -> list[tuple[Waiting, int]]:
        """See Pacer."""
        out = super().due(now)
        self.tell()
        return out

    def forget(self, belongs: Callable[[Waiting], bool]) -> None:
        """See Pacer."""
        super().forget(belongs)
        self.tell()

    def probe(self, cluster: ProbeCluster, now: float) -> None:
        """See Pacer."""
        super().probe(cluster, now)
        self.tell()

    def give_up_probe(self) -> None:
        """See Pacer."""
        super().give_up_probe()
        self.tell()

    def padded(self, size_bytes: int, now: float) -> None:
        """See Pacer."""
        super().padded(size_bytes, now)
        self.tell()

    def tell(self) -> None:
        """Whether anything waits here."""
        self.memory.waits = not self.is_idle


class SharedViewerPath(ViewerPath):
    """The path to a participant; what the loop has sent there is noted before anything else is done."""

    direct = shared("direct")
    unhurried = shared("unhurried")
    _number = shared("number")

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self._ring = Ring(memory.departures, _DEPARTURE)
        super().__init__()
        self._pacer = pacer = SharedPacer(self._pacer.rate_bps, memory)
        self.tell_waits = pacer.tell
        """To be called when the loop has handed up a packet: nothing overtakes it until then."""

    def feedback(self, body: bytes, now: float) -> None:
        """See ViewerPath."""
        self._take()
        super().feedback(body, now)

    def tick(self, now: float) -> bool:
        """See ViewerPath."""
        if self.is_due(now):
            self._take()
        return super().tick(now)

    def _numbered(self, packet: bytes, now: float, cluster: int = 0) -> bytes:
        self._take()
        return super()._numbered(packet, now, cluster)

    def _take(self) -> None:
        memory = self.memory
        tail, head = memory.departures_tail, memory.departures_head
        if tail == head:
            return
        note = self._sent
        for sent_s, number, size in self._ring.between(tail, head):
            note(number, size + OVERHEAD_BYTES, sent_s, 0)
        memory.departures_tail = head


class SharedPeer(PeerPath):
    """One participant, as the loop knows it; completed in engine.py."""

    last_media_s = shared("last_media_s")

    def __init__(self, identity: int) -> None:
        lib, ffi = library()
        self.memory = ffi.gc(allocated(lib.peer_new(identity)), lib.peer_free)
        super().__init__()
        self.arrivals = SharedArrivals(self.memory)
        self.policer = SharedPolicer(self.memory)
        self.viewer = SharedViewerPath(self.memory)

    reduced_size = shared("reduced_size")
    viewer: SharedViewerPath

    def hold(self, datagram: bytes, arrived_s: float) -> bool:
        """See PeerPath: what is to be held does not come here."""
        return False

    def held(self) -> list[tuple[bytes, float]]:
        """See PeerPath."""
        memory = self.memory
        count = memory.held_count
        if not count:
            return []
        _, ffi = library()
        memory.held_count = 0
        return [(bytes(ffi.buffer(h.data, h.size)), h.arrived_s) for h in memory.held[0:count]]
