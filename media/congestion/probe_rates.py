"""What a probe cluster measured (libwebrtc probe_bitrate_estimator)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from media.congestion.history import Result
from media.congestion.probing import ProbeCluster

MIN_SHARE = 0.8
"""Share of a cluster's packets and bytes that must have come (libwebrtc probe_bitrate_estimator)."""
MAX_SPAN_S = 1.0
"""A cluster that takes longer measures nothing (libwebrtc probe_bitrate_estimator)."""
MAX_RATIO = 2.0
"""Received faster than sent by more: the packets were held up and let go (libwebrtc
probe_bitrate_estimator)."""
SATURATED_BELOW = 0.9
TARGET_UTILISATION = 0.95
"""Received slower than this share of the sending rate the path is full, and this share of what came is usable
(libwebrtc probe_bitrate_estimator)."""
MAX_CLUSTERS = 4
"""Clusters that are waited for at a time."""


@dataclass(slots=True)
class _Measured:
    cluster: ProbeCluster
    packets: int = 0
    size: int = 0
    first_sent_s: float = float("inf")
    last_sent_s: float = float("-inf")
    last_sent_size: int = 0
    first_arrived_s: float = float("inf")
    last_arrived_s: float = float("-inf")
    first_arrived_size: int = 0


class ProbeRates:
    """Collects the packets of each cluster."""

    __slots__ = ("_clusters",)

    def __init__(self) -> None:
        self._clusters: dict[int, _Measured] = {}

    def expect(self, cluster: ProbeCluster) -> None:
        """A cluster is about to be sent."""
        if len(self._clusters) >= MAX_CLUSTERS:
            del self._clusters[next(iter(self._clusters))]
        self._clusters[cluster.cluster_id] = _Measured(cluster)

    def update(self, results: Iterable[Result]) -> float | None:
        """Take packets that came; the rate (bit/s) that their cluster measures by now, if it does."""
        measured_bps: float | None = None
        for sent_s, arrived_s, size, cluster_id in results:
            if not cluster_id:
                continue
            measured = self._clusters.get(cluster_id)
            if measured is None:
                continue
            measured.packets += 1
            measured.size += size
            if sent_s < measured.first_sent_s:
                measured.first_sent_s = sent_s
            if sent_s >= measured.last_sent_s:
                measured.last_sent_s = sent_s
                measured.last_sent_size = size
            if arrived_s < measured.first_arrived_s:
                measured.first_arrived_s = arrived_s
                measured.first_arrived_size = size
            measured.last_arrived_s = max(measured.last_arrived_s, arrived_s)
            rate = _rate(measured)
            if rate is not None:
                measured_bps = rate
        return measured_bps


def _rate(measured: _Measured) -> float | None:
    cluster = measured.cluster
    if measured.packets < MIN_SHARE * cluster.min_packets or measured.size < MIN_SHARE * cluster.min_bytes:
        return None
    send_s = measured.last_sent_s - measured.first_sent_s
    receive_s = measured.last_arrived_s - measured.first_arrived_s
    if not 0 < send_s <= MAX_SPAN_S or not 0 < receive_s <= MAX_SPAN_S:
        return None
    send_bps = (measured.size - measured.last_sent_size) * 8 / send_s
    receive_bps = (measured.size - measured.first_arrived_size) * 8 / receive_s
    if receive_bps > MAX_RATIO * send_bps:
        return None
    if receive_bps < SATURATED_BELOW * send_bps:
        return TARGET_UTILISATION * receive_bps
    return min(send_bps, receive_bps)
