"""When to try whether a path carries more: clusters of packets at a higher rate (libwebrtc
probe_controller)."""

from __future__ import annotations

from dataclasses import dataclass

MIN_DURATION_S = 0.015
MIN_PACKETS = 5
"""Extent of a cluster (libwebrtc probe_controller)."""
FIRST_SCALES = (3.0, 6.0)
"""First clusters, as factors of the start rate (libwebrtc probe_controller)."""
FURTHER_SCALE = 2.0
FURTHER_ABOVE = 0.7
"""After a cluster that measured this share of its rate comes one at this factor of the result
(libwebrtc probe_controller)."""
RESULT_TIMEOUT_S = 1.0
"""A cluster that tells nothing for so long is given up (libwebrtc probe_controller)."""
ALR_SCALE = 2.0
"""Clusters while less is sent than the path carries, when more could be used (libwebrtc probe_controller)."""
DROP_BELOW = 0.66
DROP_WINDOW_S = 5.0
AFTER_DROP = 0.85
"""A fall below the one share within the time is tested at the other share of the old rate, once the queue is
empty (libwebrtc probe_controller)."""
SETTLED_S = 3.0
"""No cluster within this time of an overuse (emulator)."""
LIMITED_SCALE = 1.5
"""Clusters while the path limits what is sent: 8 % per second of growth needs 18 s from 0.5 to 2 Mbit/s
(emulator)."""
FIRST_INTERVAL_S = 1.0
MAX_INTERVAL_S = 20.0
"""Between clusters that find nothing, the double each time. The first ones soon: where the viewer's machine,
or this one, was busy for a moment they said little, and would hold an ample path for narrow for 5 s
(libwebrtc probe_controller, ALR interval)."""
FOUND_ABOVE = 1.1
"""A result this much above the estimate has found something (emulator)."""
HEADROOM = 1.2
"""No cluster is above the demand by more: then its result still covers the demand with noise (emulator)."""
WORTHWHILE = 1.05
"""No cluster that would be less above the estimate (emulator)."""


@dataclass(frozen=True, slots=True)
class ProbeCluster:
    """Packets to send at one rate: at least so many packets and bytes. cluster_id: 1 and up."""

    cluster_id: int
    bitrate_bps: float
    min_packets: int
    min_bytes: int


class ProbeController:
    """Decides on clusters; its results come from ProbeRates."""

    def __init__(self, start_bps: float) -> None:
        self._wanted = [start_bps * scale for scale in FIRST_SCALES]
        self._next_id = 1
        self._last_bps = 0.0
        self._last_at_s: float | None = None
        self._waiting = False
        self._capped = False
        self._interval_s = FIRST_INTERVAL_S
        self._before_drop_bps = 0.0
        self._dropped_s: float | None = None
        self._peak_bps = start_bps
        self._peak_at_s = 0.0

    def estimated(self, bitrate_bps: float, now: float) -> None:
        """Note the present estimate, to see it drop."""
        if bitrate_bps >= self._peak_bps or now - self._peak_at_s > DROP_WINDOW_S:
            self._peak_bps = bitrate_bps
            self._peak_at_s = now
        elif bitrate_bps < DROP_BELOW * self._peak_bps:
            self._before_drop_bps = self._peak_bps
            self._dropped_s = now
            self._peak_bps = bitrate_bps
            self._peak_at_s = now
            self._interval_s = FIRST_INTERVAL_S

    def outgrown(self, estimate_bps: float, now: float) -> None:
        """More comes through than the path was known to carry: see at once how much."""
        if not self._wanted and now - (self._last_at_s or 0.0) > SETTLED_S:
            self._wanted.append(estimate_bps * FURTHER_SCALE)

    def result(self, bitrate_bps: float, estimate_bps: float) -> None:
        """A cluster measured so much while this was the estimate."""
        self._waiting = False
        if bitrate_bps > FURTHER_ABOVE * self._last_bps and not self._capped and not self._wanted:
            self._wanted.append(bitrate_bps * FURTHER_SCALE)
        if bitrate_bps > FOUND_ABOVE * estimate_bps:
            self._interval_s = FIRST_INTERVAL_S

    def due(
        self, estimate_bps: float, demand_bps: float, calm_since_s: float | None, in_alr: bool, now: float
    ) -> ProbeCluster | None:
        """The cluster to send now, if any; it counts as sent.

        demand_bps: what could be sent at most. calm_since_s: when queues and loss were last in the way; None:
        they are now. in_alr: the application limits what is sent, not the path.
        """
        if self._last_at_s is None:
            self._last_at_s = now
        if self._waiting and now - self._last_at_s < RESULT_TIMEOUT_S and not self._wanted:
            return None
        if calm_since_s is None:
            self._wanted.clear()
            return None
        wanted_bps = self._next_bps(estimate_bps, calm_since_s, in_alr, now)
        self._capped = wanted_bps >= HEADROOM * demand_bps
        wanted_bps = min(wanted_bps, HEADROOM * demand_bps)
        if wanted_bps < WORTHWHILE * estimate_bps:
            return None
        cluster = ProbeCluster(self._next_id, wanted_bps, MIN_PACKETS, int(wanted_bps * MIN_DURATION_S / 8))
        self._next_id += 1
        self._last_bps = wanted_bps
        self._last_at_s = now
        self._waiting = True
        return cluster

    def _next_bps(self, estimate_bps: float, calm_since_s: float, in_alr: bool, now: float) -> float:
        """Rate of the next cluster; 0: none is due."""
        if self._wanted:
            return self._wanted.pop(0)
        if now - calm_since_s < SETTLED_S:
            return 0.0
        if self._dropped_s is not None:
            self._dropped_s = None
            return self._before_drop_bps * AFTER_DROP
        since_s = now - (self._last_at_s or 0.0)
        if since_s < self._interval_s:
            return 0.0
        self._interval_s = min(MAX_INTERVAL_S, 2 * self._interval_s)
        return (ALR_SCALE if in_alr else LIMITED_SCALE) * estimate_bps
