"""One viewer's path: transport-wide numbers, the estimate fed with what the viewer reports, and a pacer that
holds video back only where the path is not ample. Packets and now in, packets out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from media.congestion.allocation import (
    Allocation,
    Budget,
    Demand,
    Purpose,
    allocate,
    first_picture_bps,
)
from media.congestion.estimator import START_BPS, Estimate, SendEstimator
from media.congestion.pacer import LEAST_MADE, Pacer, Priority
from media.congestion.retrial import Retrial
from media.interface import AdaptationLevel, PathStats
from media.rtcp import ReportBlock
from media.subscription import Subscription

NUMBER_AT = 17
"""Where the transport-wide number lies: behind the fixed header, the head of the extensions, and the head of
the first of them (RFC 8285, 4.2); in the two-byte form that head is one byte longer (4.3)."""
EXTENSIONS_AT = 12
ONE_BYTE_FORM = 0xBE
OVERHEAD_BYTES = 20 + 8 + 16
"""IPv4, UDP and SRTP's tag."""
AMPLE = 2.0
"""A path that carries so many times what is sent needs no pacing: browsers let bursts out at 2.5 times their
rate (libwebrtc's pacing factor), and the publisher's pacing is passed on."""
DEMAND = 2.0
"""How far beyond all demands together a path is probed (libwebrtc probes up to twice what is allocated)."""
RATE_WINDOW_S = 0.5
REFRESH_S = 0.1
"""The estimate is asked for so often, and after each feedback that may hold anybody back."""
UNKNOWN_BPS = 1e9
"""A path of which nothing is known is taken for one that carries everything."""
MAX_PACKET_BYTES = 1200
MIN_PADDING_BYTES = 60
OVERFLOW_HOLD_S = 3.0
MAX_OVERFLOW_HOLD_S = 24.0
"""A stream whose queue overflows again within the latter rests for the former, and each time twice as long:
keyframes that do not get through cost everybody who sees it."""
MAX_REPORTS = 16

_NEW = -1
Waiting = tuple[bytes, Subscription, int]
# packet, its Subscription, and of a retransmission the number that was asked for, else _NEW


class ViewerPath:
    """The path to one participant. Only Subscriptions that are `numbered` come here."""

    def __init__(self, start_bps: float = START_BPS) -> None:
        self.estimator = SendEstimator(start_bps)
        self.allocation = Allocation(AdaptationLevel.FULL, (), 0)
        self.estimate: Estimate = self.estimator.estimate(0.0)
        self.sent_bps = 0.0
        """What is sent, headers included, over the last whole window."""
        self.dropped = 0
        """Packets that found no place in a queue."""
        self.direct = True
        """Nothing waits and nothing has to: packets leave as they come."""
        self.unhurried = False
        """The path carries much more than is sent, and nothing is amiss: feedback is worth nothing before the
        estimate is looked at next."""
        self._pacer: Pacer[Waiting] = Pacer(start_bps)
        self._number = -1
        self._sent = self.estimator.sent
        self._refresh_at_s = 0.0
        self._window = (0.0, 0)
        self._resting: dict[Subscription, tuple[float, float]] = {}
        self._retrial = Retrial()
        self._reports: dict[tuple[int, int], float] = {}

    # Packets.

    def video(self, packet: bytes, subscription: Subscription, now: float) -> bytes | None:
        """The packet as it is to leave now, or None when it waits, or was too much."""
        if not self.direct:
            size = len(packet) + OVERHEAD_BYTES
            if not self._pacer.admit(Priority.VIDEO, size, now):
                self._pacer.enqueue(Priority.VIDEO, size, (packet, subscription, _NEW))
                self._overflowed(now)
                return None
        return self._numbered(packet, now)

    def audio(self, packet: bytes, now: float) -> bytes:
        """The packet as it is to leave now: sound never waits."""
        if not self.direct:
            self._pacer.admit(Priority.AUDIO, len(packet) + OVERHEAD_BYTES, now)
        return self._numbered(packet, now)

    def again(self, packet: bytes, subscription: Subscription, asked: int, now: float) -> bytes | None:
        """A retransmission as it is to leave now, or None when it waits. asked: number in the NACK."""
        if not self.direct:
            size = len(packet) + OVERHEAD_BYTES
            if not self._pacer.admit(Priority.RETRANSMISSION, size, now):
                self._pacer.enqueue(Priority.RETRANSMISSION, size, (packet, subscription, asked))
                self._overflowed(now)
                return None
        return self._numbered(packet, now)

    def due(self, now: float, padding: Iterable[Subscription]) -> list[bytes]:
        """What leaves now of what waits, and what a probe lacks, as RTX of one of these Subscriptions."""
        if self.direct:
            return []
        pacer = self._pacer
        out = [self._numbered(item[0], now, cluster) for item, cluster in pacer.due(now)]
        while (lacks := pacer.padding_due(now)) is not None:
            size = max(MIN_PADDING_BYTES, min(lacks[0] - OVERHEAD_BYTES, MAX_PACKET_BYTES))
            made = next((p for s in padding if (p := s.padding(size)) is not None), None)
            if made is None:
                pacer.give_up_probe()
                break
            pacer.padded(len(made) + OVERHEAD_BYTES, now)
            out.append(self._numbered(made, now, lacks[1]))
        return out

    def waiting(self, subscription: Subscription) -> set[int]:
        """Numbers of a Subscription that were asked for and wait: viewers ask again each round trip."""
        return {item[2] for item in self._pacer.resent() if item[1] is subscription}

    @property
    def answer_s(self) -> float:
        """Before so long after a retransmission nobody can know that it was lost too."""
        return self.estimate.rtt_ms / 2e3

    def next_wake(self, now: float) -> float | None:
        """When due() has something again; None: not before another packet comes."""
        return None if self.direct else self._pacer.next_wake(now)

    def forget(self, subscription: Subscription) -> None:
        """What waits of a Subscription is of no use any more."""
        self._pacer.forget(lambda item: item[1] is subscription)

    def keep(self, subscriptions: Collection[Subscription]) -> None:
        """Forget all others: these are received now."""
        self._pacer.forget(lambda item: item[1] not in subscriptions)
        self._resting = {s: rest for s, rest in self._resting.items() if s in subscriptions}
        if not subscriptions:
            self.allocation = Allocation(AdaptationLevel.FULL, (), 0)

    def _numbered(self, packet: bytes, now: float, cluster: int = 0) -> bytes:
        self._number = number = self._number + 1
        self._sent(number, len(packet) + OVERHEAD_BYTES, now, cluster)
        at = NUMBER_AT if packet[EXTENSIONS_AT] == ONE_BYTE_FORM else NUMBER_AT + 1
        return packet[:at] + (number & 0xFFFF).to_bytes(2, "big") + packet[at + 2 :]

    def _overflowed(self, now: float) -> None:
        """A stream of which something was dropped begins again at a keyframe: at once the first time, since
        its publisher has been told meanwhile, and after a rest where that did not help."""
        for _, subscription, asked in self._pacer.take_dropped():
            self.dropped += 1
            if asked != _NEW or not subscription.started:
                continue
            self.forget(subscription)
            known = self._resting.get(subscription)
            if known is None or now - known[0] > MAX_OVERFLOW_HOLD_S:
                self._resting[subscription] = (now, 0.0)
                subscription.restart()
                continue
            hold_s = min(MAX_OVERFLOW_HOLD_S, max(OVERFLOW_HOLD_S, 2 * known[1]))
            self._resting[subscription] = (now + hold_s, hold_s)
            subscription.set_layer(subscription.target._replace(paused=True))

    def rests(self, subscription: Subscription, now: float) -> bool:
        """Whether a stream is still to be kept back after its queue overflowed."""
        resting = self._resting.get(subscription)
        return resting is not None and now < resting[0]

    # What the viewer says.

    def feedback(self, body: bytes, now: float) -> None:
        """A transport-cc message. Raises rtcp.MalformedRtcp."""
        self.estimator.feedback(body, now)
        if not self.direct or self.estimator.strains(self.estimate.target_bps):
            self._refresh_at_s = 0.0

    def report_sent(self, ssrc: int, ntp: int, now: float) -> None:
        """A sender report went to the viewer: its report will tell the round trip by it."""
        self._reports[ssrc, ntp >> 16 & 0xFFFFFFFF] = now
        if len(self._reports) > MAX_REPORTS:
            del self._reports[next(iter(self._reports))]

    def reported(self, blocks: Iterable[ReportBlock], now: float) -> None:
        """Report blocks of streams that were sent to the viewer (RFC 3550, 6.4.1)."""
        losses = []
        rtt_ms = None
        for block in blocks:
            losses.append(block.fraction_lost / 256)
            sent_s = self._reports.get((block.ssrc, block.last_report))
            if block.last_report and sent_s is not None:
                rtt_ms = max(0.0, now - sent_s - block.delay / 65536) * 1e3
        if losses:
            self.estimator.loss_report(max(losses), rtt_ms, now)
            self._refresh_at_s = 0.0

    def remb(self, bitrate_bps: int) -> None:
        """The viewer's own estimate."""
        self.estimator.remb(bitrate_bps)
        self._refresh_at_s = 0.0

    # What follows from it.

    def tick(self, now: float) -> bool:
        """Let time pass; True when the estimate was looked at anew."""
        if not self.is_due(now):
            return False
        self._refresh_at_s = now + REFRESH_S
        self.estimate = estimate = self.estimator.estimate(now)
        began_s, before = self._window
        sent = self.estimator.sent_bytes
        if now - began_s >= RATE_WINDOW_S:
            self.sent_bps = 8 * (sent - before) / (now - began_s)
            self._window = (now, sent)
        pacer = self._pacer
        # A viewer that has never said what comes gets nothing that only measures.
        cluster = self.estimator.probe_due(now) if self.estimator.has_feedback else None
        if cluster is not None:
            pacer.set_rate(estimate.pacing_bps, now)
            pacer.probe(cluster, now)
            self.direct = False
        elif not self.estimator.has_feedback or estimate.pacing_bps >= AMPLE * self.sent_bps:
            self.direct = pacer.is_idle
        else:
            self.direct = False
        if not self.direct:
            pacer.set_rate(estimate.pacing_bps, now)
        self.unhurried = (
            self.direct and self.estimator.has_feedback and not self.estimator.strains(estimate.target_bps)
        )
        return True

    @property
    def hurries(self) -> bool:
        """Whether the estimate should be looked at before its time."""
        return self._refresh_at_s == 0.0

    def is_due(self, now: float) -> bool:
        """Whether tick() would look at the estimate."""
        return now >= self._refresh_at_s

    def divide(self, demands: tuple[Demand, ...], now: float) -> Allocation:
        """Who gets what of the estimate; everybody everything while nothing is known of the path."""
        self.estimator.demand(DEMAND * sum(demand.full_bps for demand in demands))
        target_bps = self.estimate.target_bps if self.estimator.informed else UNKNOWN_BPS
        if not self.estimator.has_feedback:
            paused = self.allocation.level is AdaptationLevel.AUDIO_ONLY
            if self._retrial.update(target_bps, paused, now):
                target_bps = max(target_bps, first_picture_bps(demands))
        self.allocation = allocation = allocate(target_bps, demands, now, self.allocation)
        if self.estimator.informed and self.made_bps < self.estimate.target_bps:
            self.allocation = replace(allocation, budgets=self._lessened(allocation.budgets))
        return self.allocation

    @property
    def made_bps(self) -> float:
        """What may be made anew: what waits here, or stands in the path's queue, is made good by less."""
        return self._pacer.budget_bps(self.estimate.made_bps)

    def _lessened(self, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
        """The same division of what may be made: a moment's queue takes bits of pictures, and none away."""
        sound_bps = sum(b.bitrate_bps for b in budgets if b.purpose is Purpose.AUDIO)
        pictures_bps = max(1.0, self.estimate.target_bps - sound_bps)
        share = max(LEAST_MADE, (self.made_bps - sound_bps) / pictures_bps)
        return tuple(
            b if b.purpose is Purpose.AUDIO else replace(b, bitrate_bps=int(share * b.bitrate_bps))
            for b in budgets
        )

    def stats(self) -> PathStats:
        """As the estimate was last looked at."""
        estimate, level = self.estimate, self.allocation.level
        if any(s.target.paused and s.publication.info.is_patient for s in self._resting):
            level = AdaptationLevel.AUDIO_ONLY
        return PathStats(
            estimate_bps=estimate.target_bps,
            sent_bps=int(self.sent_bps),
            loss=estimate.loss,
            rtt_ms=estimate.rtt_ms,
            queue_delay_ms=estimate.queue_delay_ms,
            packets_dropped=self.dropped,
            level=level,
        )
