"""One Publication and everybody who gets it: the Subscriptions of viewers and the tap."""

from __future__ import annotations

from collections.abc import Callable

from media import rtcp
from media.publication import Publication
from media.rtp import Packet
from media.subscription import Subscription
from media.watch import Watch

Send = Callable[[bytes], bool]


class Fanout:
    """Delivers each packet of a Publication. Counts what was sent and what was not taken."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.watch: Watch | None = None
        self.announced = False
        self.packets_sent = 0
        self.packets_refused = 0
        self._receivers: list[tuple[Subscription, Send, Send]] = []
        self._highest = -1

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
            if subscription.started and self.publication.last_report is not None:
                self._report(receiver, self.publication.last_report)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to a Subscription no more."""
        self._receivers = [entry for entry in self._receivers if entry[0] is not subscription]

    def end_watch(self) -> None:
        """Decode no more."""
        if self.watch is not None:
            self.watch.close()
            self.watch = None

    def restart(self) -> None:
        """The Publication goes on as another RTP stream."""
        self._highest = -1
        for subscription, _, _ in self._receivers:
            subscription.restart()

    def deliver(self, packet: Packet, now: float) -> None:
        """Give a packet to everybody. Audio and video alike; never waits."""
        sequence = packet.sequence
        late = sequence < self._highest
        if not late:
            self._highest = sequence
        for receiver in self._receivers:
            subscription = receiver[0]
            was_started = subscription.started
            outgoing = subscription.forward(packet, now)
            if outgoing is None:
                continue
            if receiver[1](outgoing):
                self.packets_sent += 1
            else:
                self.packets_refused += 1
            if not was_started:
                self._started(receiver, sequence, now, late)
        if self.watch is not None:
            self.watch.feed(packet.data, now)

    def _started(
        self, receiver: tuple[Subscription, Send, Send], sequence: int, now: float, late: bool
    ) -> None:
        """A Subscription began with this packet: what had overtaken it follows, and the clock's report."""
        subscription, send_rtp, _ = receiver
        if late:
            for follower in self.publication.packets_from(sequence + 1):
                outgoing = subscription.forward(follower, now)
                if outgoing is not None and send_rtp(outgoing):
                    self.packets_sent += 1
        if self.publication.last_report is not None:
            self._report(receiver, self.publication.last_report)

    def deliver_report(self, report: rtcp.SenderReport) -> None:
        """Give the publisher's SR, translated, to everybody."""
        for receiver in self._receivers:
            self._report(receiver, report)

    def _report(self, receiver: tuple[Subscription, Send, Send], report: rtcp.SenderReport) -> None:
        translated = receiver[0].sender_report(report)
        if translated is not None:
            name = rtcp.source_description(translated.ssrc, self.publication.info.participant_id)
            receiver[2](rtcp.sender_report(translated) + name)
