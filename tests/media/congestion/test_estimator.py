"""The estimate of one viewer's path: its inputs, one by one, and nonsense in place of feedback."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import rtcp
from media.congestion.draining import MIN_WINDOW_BYTES
from media.congestion.estimator import (
    FEEDBACK_TIMEOUT_S,
    MAX_BPS,
    MIN_BPS,
    PACING_FACTOR,
    START_BPS,
    EstimateState,
    SendEstimator,
)
from media.twcc import ArrivalRecorder


class Loop:
    """Sends evenly over a path of 50 ms, and hears of it."""

    def __init__(self, estimator: SendEstimator) -> None:
        self.estimator = estimator
        self.recorder = ArrivalRecorder()
        self.now = 100.0
        self.sequence = 0

    def run(self, seconds: float, bitrate_bps: float, *, deaf: bool = False) -> None:
        """Packets of 1000 bytes; feedback each 50 ms, unless deaf."""
        interval_s = 8000 / bitrate_bps
        end_s, report_s = self.now + seconds, self.now + 0.05
        while self.now < end_s:
            self.estimator.sent(self.sequence, 1000, self.now)
            self.recorder.received(self.sequence & 0xFFFF, int((self.now + 0.05) * 1e6))
            self.sequence += 1
            self.now += interval_s
            if self.now >= report_s and not deaf:
                report_s = self.now + 0.05
                for message in self.recorder.feedback(1, 2):
                    (packet,) = rtcp.parse(message)
                    assert isinstance(packet, rtcp.TransportFeedback)
                    self.estimator.feedback(packet.body, self.now + 0.1)


def test_it_begins_at_the_start_rate() -> None:
    estimate = SendEstimator().estimate(0.0)
    assert (estimate.target_bps, estimate.state) == (START_BPS, EstimateState.STARTING)
    assert estimate.pacing_bps == int(PACING_FACTOR * START_BPS)
    assert (estimate.loss, estimate.rtt_ms, estimate.queue_delay_ms) == (0.0, 0.0, 0.0)


def test_an_ample_path_raises_it() -> None:
    loop = Loop(SendEstimator())
    loop.run(5.0, 1e6)
    estimate = loop.estimator.estimate(loop.now)
    assert 1.2e6 < estimate.target_bps < 1.6e6
    assert estimate.rtt_ms > 50
    assert estimate.loss == 0.0


def test_silence_lowers_it_while_packets_are_sent() -> None:
    loop = Loop(SendEstimator())
    loop.run(2.0, 1e6)
    before = loop.estimator.estimate(loop.now).target_bps
    loop.run(FEEDBACK_TIMEOUT_S + 3.0, 1e6, deaf=True)
    estimate = loop.estimator.estimate(loop.now)
    assert estimate.state is EstimateState.NO_FEEDBACK
    assert estimate.target_bps < 0.7 * before
    assert estimate.pacing_bps < estimate.target_bps
    assert loop.estimator.in_flight_bytes > MIN_WINDOW_BYTES


def test_a_pause_without_packets_does_not() -> None:
    loop = Loop(SendEstimator())
    loop.run(2.0, 1e6)
    before = loop.estimator.estimate(loop.now).target_bps
    # The last packets are heard of, then nothing is sent.
    for message in loop.recorder.feedback(1, 2):
        (packet,) = rtcp.parse(message)
        assert isinstance(packet, rtcp.TransportFeedback)
        loop.estimator.feedback(packet.body, loop.now)
    assert loop.estimator.estimate(loop.now + 60.0).target_bps >= before


def test_a_remb_says_nothing_where_transport_cc_does() -> None:
    """It counts only packets without a transport-wide number."""
    loop = Loop(SendEstimator())
    loop.run(2.0, 1e6)
    before = loop.estimator.estimate(loop.now)
    loop.estimator.remb(100_000)
    assert loop.estimator.estimate(loop.now) == before


def test_a_remb_is_kept_within_bounds() -> None:
    estimator = SendEstimator()
    estimator.loss_report(0.0, None, 0.0)
    estimator.remb(0)
    assert estimator.estimate(0.1).target_bps == MIN_BPS
    estimator.remb(1e12)
    assert estimator.estimate(0.2).target_bps == MAX_BPS


def test_without_transport_cc_remb_and_reports_steer() -> None:
    estimator = SendEstimator(start_bps=500_000)
    estimator.demand(5e6)
    estimator.loss_report(0.0, 80.0, 0.0)
    estimator.remb(2_000_000)
    estimate = estimator.estimate(0.1)
    assert (estimate.target_bps, estimate.rtt_ms) == (2_000_000, 80.0)
    for n in range(5):
        estimator.loss_report(0.2, None, 1.0 + n)
    estimate = estimator.estimate(6.0)
    assert estimate.target_bps < 1.3e6
    assert estimate.loss == 0.2


def test_reports_grow_no_further_than_the_demand_and_fall_from_there() -> None:
    estimator = SendEstimator(start_bps=20_000_000)
    estimator.demand(2e6)
    estimator.loss_report(0.0, None, 0.0)
    assert estimator.estimate(0.0).target_bps == 2_000_000
    estimator.loss_report(0.5, None, 1.0)
    assert estimator.estimate(1.0).target_bps == 1_500_000


def test_probes_wait_for_the_first_packet_and_stay_near_the_demand() -> None:
    estimator = SendEstimator()
    estimator.demand(2e6)
    assert estimator.probe_due(1.0) is None
    estimator.sent(0, 1000, 1.0)
    cluster = estimator.probe_due(1.0)
    assert cluster is not None
    assert cluster.bitrate_bps == pytest.approx(2.4e6)


def message(first: int, statuses: int, reference: int, count: int, deltas: bytes) -> bytes:
    """One of small deltas, well formed where there are enough of them."""
    head = struct.pack("!HHI", first, statuses, reference << 8 | count)
    return head + struct.pack("!H", 1 << 13 | statuses) + deltas


forged = st.builds(
    message,
    st.integers(0, 0xFFFF),
    st.integers(1, 60),
    st.integers(0, 0xFFFFFF),
    st.integers(0, 255),
    st.binary(min_size=60, max_size=60),
)
near = st.builds(
    message,
    st.integers(0, 60),
    st.integers(1, 60),
    st.integers(1560, 1575),
    st.integers(0, 255),
    st.binary(min_size=60, max_size=60),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.floats(0, 2), st.one_of(st.binary(max_size=80), forged, near)), max_size=25))
def test_nonsense_raises_the_typed_error_only_and_the_rate_does_not_explode(
    messages: list[tuple[float, bytes]],
) -> None:
    loop = Loop(SendEstimator(max_bps=1e7))
    loop.run(0.3, 1e6)
    before = loop.estimator.estimate(loop.now).target_bps
    spent_s = 0.0
    for elapsed_s, body in messages:
        loop.now += elapsed_s
        spent_s += elapsed_s
        loop.estimator.sent(loop.sequence, 1000, loop.now)
        loop.sequence += 1
        with suppress(rtcp.MalformedRtcp):
            loop.estimator.feedback(body, loop.now)
        estimate = loop.estimator.estimate(loop.now)
        assert MIN_BPS <= estimate.target_bps <= 1.2 * before * 1.08 ** (spent_s + len(messages))
        assert MIN_BPS <= estimate.pacing_bps <= PACING_FACTOR * estimate.target_bps + 1
        assert 0 <= estimate.loss <= 1
        assert estimate.queue_delay_ms >= 0
        assert 0 <= estimate.rtt_ms <= 10_000


@settings(max_examples=60)
@given(st.lists(st.one_of(forged, near), min_size=1, max_size=40))
def test_a_viewer_that_lies_about_probes_gains_nothing_beyond_the_demand(bodies: list[bytes]) -> None:
    estimator = SendEstimator(max_bps=2e7)
    estimator.demand(2e6)
    now = 100.0
    for sequence, body in enumerate(bodies * 2):
        cluster = estimator.probe_due(now)
        estimator.sent(sequence, 1000, now, cluster.cluster_id if cluster else 1)
        with suppress(rtcp.MalformedRtcp):
            estimator.feedback(body, now)
        assert estimator.estimate(now).target_bps <= 1.6 * 2e6
        now += 0.004
