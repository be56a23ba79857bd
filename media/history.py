"""The last packets of one stream, for retransmissions: a ring indexed by extended sequence number."""

from __future__ import annotations

from media.rtp import Packet


class History:
    """A ring of `capacity` packets, a power of two."""

    __slots__ = ("_mask", "_ring")

    def __init__(self, capacity: int) -> None:
        if capacity & (capacity - 1):
            raise ValueError("capacity is no power of two")
        self._mask = capacity - 1
        self._ring: list[Packet | None] = [None] * capacity

    @property
    def capacity(self) -> int:
        """How many packets fit."""
        return self._mask + 1

    def put(self, packet: Packet) -> bool:
        """Store a packet; False, and no change, when it or a newer one of the same slot is there already."""
        at = packet.sequence & self._mask
        present = self._ring[at]
        if present is not None and present.sequence >= packet.sequence:
            return False
        self._ring[at] = packet
        return True

    def get(self, sequence: int) -> Packet | None:
        """The packet with this extended sequence number, or None."""
        packet = self._ring[sequence & self._mask]
        return packet if packet is not None and packet.sequence == sequence else None

    def clear(self) -> None:
        """Forget everything: another stream begins."""
        self._ring = [None] * len(self._ring)
