"""Send-side bandwidth estimation towards one viewer: delay, loss and probes composed behind one interface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from media.congestion import draining
from media.congestion.acknowledged import AcknowledgedRate
from media.congestion.aimd import RateControl
from media.congestion.application_limit import ApplicationLimit
from media.congestion.competition import Competition
from media.congestion.feedback import FeedbackReader
from media.congestion.groups import ArrivalGroups
from media.congestion.history import Joined, SendHistory
from media.congestion.loss import LOW_LOSS, LossControl, LossThresholds
from media.congestion.narrowing import Narrowing
from media.congestion.overuse import OveruseDetector, Usage
from media.congestion.probe_rates import ProbeRates
from media.congestion.probing import ProbeCluster, ProbeController
from media.congestion.queueing import PathDelay
from media.congestion.trendline import Trendline

START_BPS = 1_000_000
"""As MediaConfig.start_publication_bps: what one camera begins with."""
MIN_BPS = 30_000
"""Sound alone, and enough packets to learn from (libwebrtc's floor is 5 kbit/s)."""
MAX_BPS = 20_000_000
PACING_FACTOR = 1.15
"""Pacing above the target. libwebrtc takes 2.5; a keyframe at 2.5 times the path's rate waits in the path's
queue, where sound waits behind it, instead of here (emulator)."""
MIN_OVERUSE_MS = 15.0
"""A trend with a shorter queue is the burst of a frame (emulator)."""
DRAIN_AFTER_S = 3.0
"""For so long after a decrease a queue that stands is taken for ours, and drained (emulator)."""
RISING_SHARE = 0.6
"""Of what the bottleneck passes leaves while a queue rises, until the estimate has fallen (emulator)."""
FEEDBACK_TIMEOUT_S = 1.5
TIMEOUT_FACTOR = 0.8
TIMEOUT_INTERVAL_S = 1.0
"""Without feedback for so long, while packets are sent, the estimate shrinks each interval
(libwebrtc send_side_bandwidth_estimation)."""
CALM_QUEUE_MS = 40.0
"""No probes into a queue that stands above this (emulator)."""
_MAX_RTT_REPORTED_S = 10.0


class EstimateState(StrEnum):
    """What the estimate rests on at present."""

    STARTING = "starting"
    INCREASING = "increasing"
    HOLDING = "holding"
    DECREASING = "decreasing"
    LOSS_LIMITED = "loss_limited"
    NO_FEEDBACK = "no_feedback"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a viewer's path carries.

    target_bps: what to send, everything included. made_bps: what to make now, less while the path's queues
    are drained. pacing_bps: for the Pacer. loss: share of the packets, 0 to 1. rtt_ms: with the viewer's time
    until feedback; 0 while unknown. queue_delay_ms: mean wait in the path's queues."""

    target_bps: int
    made_bps: int
    pacing_bps: int
    state: EstimateState
    loss: float
    rtt_ms: float
    queue_delay_ms: float


class SendEstimator:
    """The estimate for one viewer. Sizes should count what the path counts: IP and UDP headers too."""

    def __init__(
        self, start_bps: float = START_BPS, min_bps: float = MIN_BPS, max_bps: float = MAX_BPS
    ) -> None:
        self._history = SendHistory()
        self._reader = FeedbackReader()
        self._groups = ArrivalGroups()
        self._trendline = Trendline()
        self._detector = OveruseDetector()
        self._delay = PathDelay()
        self._competition = Competition()
        self._narrowing = Narrowing()
        self._acknowledged = AcknowledgedRate()
        self._rate = RateControl(start_bps, min_bps, max_bps)
        self._loss = LossControl()
        self._reported = LossThresholds(max_bps)  # it falls from what is sent, and climbs 5 % a second only
        self._limit = ApplicationLimit()
        self._probes = ProbeController(start_bps)
        self._probe_rates = ProbeRates()
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._demand_bps = max_bps
        self._remb_bps: float | None = None
        self._feedback_s: float | None = None
        self._shrunk_s = 0.0
        self._reported_s: float | None = None
        self._reported_loss = 0.0
        self._reported_rtt_s: float | None = None
        self._calm_since_s = 0.0
        self._calm = True
        self._last_sent_s = 0.0
        self.missed_feedback = 0
        """Feedback messages that were lost on their way here."""
        self.sent = self._history.sent
        """sent(sequence, size_bytes, now, cluster=0): a packet left. sequence: the caller's own
        transport-wide count, growing by one a packet; its low 16 bits are on the wire."""

    @property
    def in_flight_bytes(self) -> int:
        """Sent after the newest packet that has come."""
        return self._history.in_flight_bytes

    @property
    def sent_bytes(self) -> int:
        """All that was ever sent."""
        return self._history.sent_bytes

    @property
    def has_feedback(self) -> bool:
        """Whether transport-cc feedback has come at all."""
        return self._feedback_s is not None

    @property
    def informed(self) -> bool:
        """Whether the viewer has said anything of its path."""
        return self._feedback_s is not None or self._reported_s is not None

    def strains(self, bitrate_bps: float) -> bool:
        """Whether the path seems to carry less than this, or shows queues or loss."""
        return not self._calm or self._rate.bitrate_bps < bitrate_bps

    def demand(self, bitrate_bps: float) -> None:
        """What could be sent at most, were there no limit: no probe goes far beyond."""
        self._demand_bps = bitrate_bps

    def feedback(self, body: bytes, now: float) -> Joined:
        """Take a message (rtcp.TransportFeedback.body). Raises rtcp.MalformedRtcp; nothing has changed
        then."""
        arrivals = self._reader.read(body, self._history.newest)
        self.missed_feedback += arrivals.missed
        joined = self._history.join(arrivals)
        results = joined.results
        if joined.lost_packets or results:
            self._count_loss(joined)
        if not results:
            return joined
        self._feedback_s = self._shrunk_s = now
        if not self._delay.update(results, joined.newest_sent_s, now, self._competition.present):
            return joined
        self._acknowledged.update(results, joined.unreported_bytes)
        self._narrowing.update(results, self._delay.base_s)
        detector, trendline = self._detector, self._trendline
        usage: Usage = Usage.NORMAL if detector.usage is Usage.OVERUSING else detector.usage
        for delta in self._groups.update(results):
            trendline.update(delta)
            found = detector.update(trendline.slope, trendline.deltas, delta.sent_ms, delta.at_ms)
            usage = Usage.OVERUSING if Usage.OVERUSING in (found, usage) else found
        self._limit.update(self._history.sent_bytes, self._rate.bitrate_bps, now)
        self._control(usage, now)
        measured_bps = self._probe_rates.update(results) if joined.has_probe else None
        if measured_bps is not None:
            self._probed(measured_bps, usage, now)
        return joined

    def _count_loss(self, joined: Joined) -> None:
        size = joined.lost_bytes
        for result in joined.results:
            size += result[2]
        if self._loss.update(len(joined.results), joined.lost_packets, size, joined.newest_sent_s):
            self._loss.decide(self._rate.bitrate_bps, self._acknowledged.steady_bps())

    def _control(self, usage: Usage, now: float) -> None:
        rate, delay = self._rate, self._delay
        if delay.rtt_s is not None:
            rate.rtt_s = delay.rtt_s
        # What the path itself loses has passed the bottleneck: it counts for what that carries.
        through = 1 / (1 - self._loss.inherent(rate.bitrate_bps))
        steady_bps = self._acknowledged.steady_bps()
        if steady_bps is not None:
            steady_bps *= through
        if usage is Usage.OVERUSING and delay.standing_ms < MIN_OVERUSE_MS and now >= delay.learned_s:
            usage = Usage.NORMAL
        narrowing = self._narrowing
        if narrowing.is_narrow and not self._competition.present:
            usage = Usage.OVERUSING
        if self._competition.testing:
            usage = Usage.UNDERUSING  # neither up nor down: the drain is the test
        draining_bps = 0.0
        if usage is Usage.OVERUSING:
            # Between packets that waited no gap is the sender's.
            recent_bps = narrowing.passing_bps if narrowing.is_narrow else self._acknowledged.recent_bps()
            draining_bps = rate.bitrate_bps / 2 if recent_bps is None else recent_bps * through
        rate.update(usage, steady_bps, now, draining_bps)
        rate.competing = self._detector.competing = self._competition.update(
            delay.standing_ms, rate.decreased_s, rate.rtt_s, now
        )
        if rate.outgrown:
            rate.outgrown = False
            self._probes.outgrown(rate.bitrate_bps, now)
        self._probes.estimated(rate.bitrate_bps, now)
        self._calm = (
            usage is not Usage.OVERUSING
            and delay.standing_ms < CALM_QUEUE_MS
            and (self._loss.limit_bps is None or self._loss.loss < LOW_LOSS)
        )
        if not self._calm:
            self._calm_since_s = now

    def _probed(self, measured_bps: float, usage: Usage, now: float) -> None:
        self._probes.result(measured_bps, self._rate.bitrate_bps)
        if measured_bps > self._rate.bitrate_bps and usage is not Usage.OVERUSING:
            self._rate.set_estimate(measured_bps, now)
            if self._loss.limit_bps is not None and self._loss.loss < LOW_LOSS:
                self._loss.limit_bps = None

    def loss_report(self, loss: float, rtt_ms: float | None, now: float) -> None:
        """A receiver report: share of packets lost since the last one. It steers where there is no
        transport-cc."""
        elapsed_s = 1.0 if self._reported_s is None else now - self._reported_s
        self._reported_s = now
        self._reported_loss = loss
        if rtt_ms is not None:
            self._reported_rtt_s = rtt_ms / 1e3
        if self._feedback_s is None:
            highest_bps = self._demand_bps if self._remb_bps is None else self._remb_bps
            self._reported.bitrate_bps = min(self._reported.bitrate_bps, highest_bps)
            self._reported.update(loss, elapsed_s, highest_bps)

    def remb(self, bitrate_bps: float) -> None:
        """The viewer's own estimate: the cap and the way up where there is no transport-cc. Where there is,
        it counts only packets without a number, if there are any."""
        self._remb_bps = max(self._min_bps, bitrate_bps)
        if self._feedback_s is None:
            self._reported.bitrate_bps = max(self._reported.bitrate_bps, bitrate_bps)

    def probe_due(self, now: float) -> ProbeCluster | None:
        """The cluster to hand to the Pacer now, if any; sent() is told its id with each of its packets."""
        if self._history.newest < 0:
            return None
        calm_since_s = self._calm_since_s if self._calm else None
        cluster = self._probes.due(
            self._rate.bitrate_bps, self._demand_bps, calm_since_s, self._limit.limited, now
        )
        if cluster is not None:
            self._probe_rates.expect(cluster)
        return cluster

    def estimate(self, now: float) -> Estimate:
        """What to send now. Ask after each feedback, and several times a second."""
        delay = self._delay
        made, drains = 1.0, False
        if self._feedback_s is None and self._reported_s is not None:
            target_bps, state = self._reported.bitrate_bps, EstimateState.HOLDING
            if self._remb_bps is not None:
                target_bps = min(target_bps, self._remb_bps)
        else:
            target_bps, state = self._combined(now)
            drains = state is EstimateState.DECREASING
            if drains:
                made = draining.made_share(delay.standing_ms)
        target_bps = min(self._max_bps, max(self._min_bps, target_bps))
        rtt_s = delay.rtt_s if delay.rtt_s is not None else self._reported_rtt_s
        return Estimate(
            int(target_bps),
            max(int(self._min_bps), int(target_bps * made)),
            int(self._pacing(target_bps, now, drains=drains)),
            state,
            self._loss.loss if self._feedback_s is not None else self._reported_loss,
            min(rtt_s or 0.0, _MAX_RTT_REPORTED_S) * 1e3,
            delay.mean_ms,
        )

    def _combined(self, now: float) -> tuple[float, EstimateState]:
        rate = self._rate
        if self._feedback_s is None:
            return rate.bitrate_bps, EstimateState.STARTING
        silent_s = now - self._feedback_s
        if silent_s > FEEDBACK_TIMEOUT_S and self._history.in_flight_bytes:
            while now - self._shrunk_s > FEEDBACK_TIMEOUT_S:
                self._shrunk_s += TIMEOUT_INTERVAL_S
                rate.set_estimate(rate.bitrate_bps * TIMEOUT_FACTOR, now)
            return rate.bitrate_bps, EstimateState.NO_FEEDBACK
        target_bps = rate.bitrate_bps
        limit_bps = self._loss.limit_bps
        if limit_bps is not None and limit_bps < target_bps:
            return limit_bps * self._loss.dip, EstimateState.LOSS_LIMITED
        if self._loss.dip < 1:
            return target_bps * self._loss.dip, EstimateState.LOSS_LIMITED
        recently = rate.decreased_s is not None and now - rate.decreased_s < DRAIN_AFTER_S
        drains = (recently and not self._competition.present) or self._competition.testing
        if drains and self._delay.standing_ms > draining.ABOVE_MS:
            return target_bps, EstimateState.DECREASING
        return target_bps, (
            EstimateState.INCREASING if rate.state.value == "increase" else EstimateState.HOLDING
        )

    def _pacing(self, target_bps: float, now: float, *, drains: bool) -> float:
        """Above the target; less while a queue rises or is emptied, and while more is in flight than the path
        can hold, until feedback comes."""
        delay, competes = self._delay, self._competition.present
        rtt_s = delay.rtt_s if competes else delay.min_rtt_s
        if rtt_s is None:
            return PACING_FACTOR * target_bps
        in_flight = self._history.in_flight_bytes
        passing_bps = self._narrowing.passing_bps if self._narrowing.rises and not competes else None
        if passing_bps is not None and passing_bps < target_bps:
            rising_bps = RISING_SHARE * passing_bps
            pacing_bps = draining.leaving_bps(rising_bps, rtt_s, in_flight, delay.standing_ms, 0.0)
        elif drains:
            stood_s = self._competition.stood_s(now)
            pacing_bps = draining.leaving_bps(target_bps, rtt_s, in_flight, delay.standing_ms, stood_s)
        else:
            pacing_bps = draining.within_window(PACING_FACTOR * target_bps, target_bps, rtt_s, in_flight)
        return max(self._min_bps, pacing_bps)
