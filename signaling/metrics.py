"""Prometheus metrics in a registry of their own: counts and times, nothing about persons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from media.interface import RelayStats


class Metrics:
    """What /metrics shows."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.http_requests = Counter(
            "truehue_http_requests",
            "HTTP requests by route, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.http_seconds = Histogram(
            "truehue_http_seconds", "Time to answer an HTTP request.", ("route",), registry=self._registry
        )
        self._rooms = Gauge("truehue_rooms", "Live rooms on this node.", registry=self._registry)
        self._transports = Gauge(
            "truehue_media_transports", "Participants with a media transport.", registry=self._registry
        )
        self._packets_received = Gauge(
            "truehue_media_packets_received", "Packets received since the start.", registry=self._registry
        )
        self._packets_sent = Gauge(
            "truehue_media_packets_sent", "Packets sent since the start.", registry=self._registry
        )
        self._packets_dropped = Gauge(
            "truehue_media_packets_dropped",
            "Packets dropped since the start, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self._viewer_packets_lost = Gauge(
            "truehue_media_viewer_packets_lost",
            "Packets that viewers report lost since the start; retransmission may have mended it.",
            registry=self._registry,
        )
        self._viewer_frozen = Gauge(
            "truehue_media_viewer_frozen_seconds",
            "How long cameras' pictures stood still for viewers since the start.",
            registry=self._registry,
        )

    def follow(self, rooms: Callable[[], int], relay: Callable[[], RelayStats]) -> None:
        """Take these figures whenever metrics are read."""
        self._rooms.set_function(rooms)
        self._transports.set_function(lambda: relay().transports)
        self._packets_received.set_function(lambda: relay().packets_received)
        self._packets_sent.set_function(lambda: relay().packets_sent)
        self._viewer_packets_lost.set_function(lambda: relay().viewer_packets_lost)
        self._viewer_frozen.set_function(lambda: relay().viewer_frozen_s)
        self._relay = relay

    def follow_backups(self, last_success: Callable[[], datetime | None]) -> None:
        """Show when the last backup succeeded, 0 before there was one."""
        gauge = Gauge(
            "truehue_backup_last_success_timestamp_seconds",
            "When the last backup was made and read again, in seconds since 1970.",
            registry=self._registry,
        )
        gauge.set_function(lambda: 0.0 if (last := last_success()) is None else last.timestamp())

    def text(self) -> bytes:
        """The exposition format."""
        for reason, count in self._relay().packets_dropped.items():
            self._packets_dropped.labels(reason).set(count)
        return generate_latest(self._registry)
