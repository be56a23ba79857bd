"""Receiver statistics of one RTP source: loss, jitter and the report block (RFC 3550, 6.4.1, A.3 and A.8)."""

from __future__ import annotations

from media.rtcp import ReportBlock, SenderReport


class Reception:
    """Statistics of one source, fed with extended sequence numbers."""

    __slots__ = (
        "_base",
        "_clock_rate",
        "_expected_before",
        "_jitter",
        "_last_report",
        "_last_report_at",
        "_last_transit",
        "_received_before",
        "highest",
        "received",
    )

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._base = -1
        self.highest = -1
        self.received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._last_transit: int | None = None
        self._last_report = 0
        self._last_report_at = 0.0

    def packet(self, sequence: int, timestamp: int, arrived_s: float) -> None:
        """Note a packet of the source (not a retransmission)."""
        if self._base < 0:
            self._base = self.highest = sequence
        elif sequence > self.highest:
            self.highest = sequence
        self.received += 1
        transit = (int(arrived_s * self._clock_rate) - timestamp) & 0xFFFFFFFF
        last = self._last_transit
        self._last_transit = transit
        if last is not None:
            change = (transit - last) & 0xFFFFFFFF
            if change > 0x7FFFFFFF:
                change = 0x100000000 - change
            self._jitter += (change - self._jitter) / 16

    def recovered(self) -> None:
        """Note a packet that came by retransmission."""
        self.received += 1

    @property
    def lost(self) -> int:
        """Packets that never came, so far; negative when duplicates came."""
        return self.highest - self._base + 1 - self.received if self._base >= 0 else 0

    def sender_report(self, report: SenderReport, arrived_s: float) -> None:
        """Note when the source's report came, for LSR and DLSR."""
        self._last_report = report.ntp >> 16 & 0xFFFFFFFF
        self._last_report_at = arrived_s

    def block(self, ssrc: int, now: float) -> ReportBlock | None:
        """The report block for the time since the last one, or None before any packet."""
        if self._base < 0:
            return None
        expected = self.highest - self._base + 1
        expected_since = expected - self._expected_before
        lost_since = expected_since - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, (lost_since << 8) // expected_since) if expected_since > 0 < lost_since else 0
        delay = int((now - self._last_report_at) * 65536) & 0xFFFFFFFF if self._last_report else 0
        return ReportBlock(
            ssrc, fraction, self.lost, self.highest, int(self._jitter), self._last_report, delay
        )
