"""One Publication and everybody who gets it: the Subscriptions of viewers and the tap."""

from __future__ import annotations

from collections.abc import Callable

from media import rtcp
from media.encoding import Encoding
from media.fidelity import FidelityMeter
from media.publication import Publication
from media.rtp import Packet
from media.subscription import Subscription
from media.watch import Watch

Send = Callable[[bytes], bool]
Receiver = tuple[Subscription, Send, Send]
"""With what sends its RTP and its RTCP."""


class Fanout:
    """Delivers each packet of a Publication. Counts what was sent and what was not taken."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.watch: Watch | None = None
        self.fidelity = FidelityMeter()
        self.announced = False
        self.packets_sent = 0
        self.packets_refused = 0
        self._receivers: list[Receiver] = []

    def add(self, subscription: Subscription, send_rtp: Send, send_rtcp: Send) -> None:
        """Deliver to a Subscription from now on."""
        self._receivers.append((subscription, send_rtp, send_rtcp))

    def activate(self, subscription: Subscription, now: float) -> None:
        """A viewer's transport is up: the picture so far goes to it at once."""
        for receiver in self._receivers:
            if receiver[0] is not subscription:
                continue
            for outgoing in subscription.activate(now):
                if receiver[1](outgoing):
                    self.packets_sent += 1
                else:
                    self.packets_refused += 1
            self._report_so_far(receiver)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to a Subscription no more."""
        self._receivers = [entry for entry in self._receivers if entry[0] is not subscription]

    @property
    def fraction_lost(self) -> int:
        """What the worst of its viewers misses, in 1/256, by the last reports."""
        return max((receiver[0].fraction_lost for receiver in self._receivers), default=0)

    def end_watch(self) -> None:
        """Decode no more."""
        if self.watch is not None:
            self.watch.close()
            self.watch = None

    def restart(self, encoding: Encoding) -> None:
        """An encoding goes on as another RTP stream."""
        for subscription, _, _ in self._receivers:
            if subscription.source in (encoding, None):
                subscription.restart()

    def refresh(self, now: float) -> None:
        """Look again which encodings there are, and let viewers choose."""
        if self.publication.refresh(now):
            for subscription, _, _ in self._receivers:
                subscription.choose()

    def deliver(self, packet: Packet, now: float) -> None:
        """Give a packet to everybody. Audio and video alike; never waits."""
        for receiver in self._receivers:
            self._give(receiver, packet, now)
        if self.watch is not None:
            self.watch.feed(packet, now)

    def _give(self, receiver: Receiver, packet: Packet, now: float) -> None:
        subscription = receiver[0]
        source = subscription.source
        outgoing = subscription.forward(packet, now)
        if outgoing is None:
            return
        if receiver[1](outgoing):
            self.packets_sent += 1
        else:
            self.packets_refused += 1
        if subscription.source is not source:
            self._started(receiver, packet, now)

    def _started(self, receiver: Receiver, packet: Packet, now: float) -> None:
        """A Subscription began with this packet: what had overtaken it follows, and the clock's report."""
        subscription, send_rtp, _ = receiver
        encoding = self.publication.encodings[packet.encoding]
        if packet.sequence < encoding.highest:
            for follower in encoding.packets_from(packet.sequence + 1):
                outgoing = subscription.forward(follower, now)
                if outgoing is not None and send_rtp(outgoing):
                    self.packets_sent += 1
        self._report_so_far(receiver)

    def deliver_report(self, encoding: Encoding, report: rtcp.SenderReport) -> None:
        """Give the publisher's SR of one encoding, translated, to everybody who gets that."""
        for receiver in self._receivers:
            if receiver[0].source is encoding:
                self._report(receiver, report)

    def _report_so_far(self, receiver: Receiver) -> None:
        source = receiver[0].source
        if source is not None and source.last_report is not None:
            self._report(receiver, source.last_report)

    def _report(self, receiver: Receiver, report: rtcp.SenderReport) -> None:
        translated = receiver[0].sender_report(report)
        if translated is not None:
            name = rtcp.source_description(translated.ssrc, self.publication.info.participant_id)
            receiver[2](rtcp.sender_report(translated) + name)
