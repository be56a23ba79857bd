"""What one participant receives, at the edge: packets of its Subscriptions over its path to its transport,
timers for what waits, and what its RTCP says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from media import rtcp
from media.adaptation import demand, layer_target
from media.delivery import DeliveryMeter
from media.fanout import Fanout
from media.layers import EVERYTHING, LayerTarget, lesser
from media.subscription import Subscription
from media.viewer_path import ViewerPath

MIN_WAKE_S = 0.001
"""An event loop's timer is no finer."""
DIVIDE_S = 1.0
CHANGED = 0.02
"""The path is divided anew when what may be made has moved by so much, and once in so long."""
FELL = 0.15
"""A budget that falls by more is told to its publisher at once: until that follows, all that is too much
waits (emulator)."""

Send = Callable[[bytes], bool]
CallLater = Callable[[float, Callable[[], None]], object]


@dataclass(slots=True)
class Receiving:
    """A subscribing m-line: the Subscription, and the Fanout that feeds it."""

    subscription: Subscription
    fanout: Fanout
    wanted: LayerTarget = EVERYTHING
    """What it should get at most, whatever the path carries."""
    delivery: DeliveryMeter = field(init=False)

    def __post_init__(self) -> None:
        self.delivery = DeliveryMeter(self.subscription)


def never(_delay_s: float, _call: Callable[[], None]) -> None:
    """In place of a timer where ticks alone are enough."""


class Viewer:
    """One participant as a viewer. call_later: wakes it between two ticks while something waits."""

    def __init__(
        self,
        max_publication_bps: int,
        call_later: CallLater,
        clock: Callable[[], float],
        path: ViewerPath | None = None,
    ) -> None:
        self.receiving: dict[str, Receiving] = {}
        self.path = path or ViewerPath()
        self.budget_fell = False
        """Cleared by who tells the publishers."""
        self._max_publication_bps = max_publication_bps
        self._call_later = call_later
        self._clock = clock
        self._by_ssrc: dict[int, Receiving] = {}
        self._send: Send = lambda _: False
        self._wake_at_s = 0.0
        self._divided_s = float("-inf")
        self._divided_bps = 0.0
        self._divided_for: tuple[str, ...] = ()

    def route(self) -> None:
        """What is received has changed."""
        self._by_ssrc = {r.subscription.ssrc: r for r in self.receiving.values()}
        self.path.keep({r.subscription for r in self.receiving.values()})

    def set_layer(self, publication_id: str, wanted: LayerTarget) -> bool:
        """What is wanted of a Publication at most; False when it is not received."""
        found = [
            r for r in self.receiving.values() if r.fanout.publication.info.publication_id == publication_id
        ]
        for receiving in found:
            receiving.wanted = wanted
            receiving.subscription.set_layer(wanted)
        self._divided_s = float("-inf")
        return bool(found)

    def sender(self, subscription: Subscription, send_rtp: Send) -> Send:
        """The way of a Subscription's packets to the transport."""
        if not subscription.numbered:
            return send_rtp
        self._send = send_rtp
        path, clock = self.path, self._clock
        audio, video = path.audio, path.video

        def send_audio(packet: bytes) -> bool:
            return send_rtp(audio(packet, clock()))

        def send_video(packet: bytes) -> bool:
            now = clock()
            outgoing = video(packet, subscription, now)
            if outgoing is None:
                self._wake(now)
                return True
            return send_rtp(outgoing)

        return send_video if subscription.publication.is_video else send_audio

    def report_sender(self, send_rtcp: Send) -> Send:
        """The way of sender reports, which the round trip is later known by."""

        def send_report(compound: bytes) -> bool:
            ssrc, ntp = int.from_bytes(compound[4:8], "big"), int.from_bytes(compound[8:16], "big")
            self.path.report_sent(ssrc, ntp, self._clock())
            return send_rtcp(compound)

        return send_report

    def receive(self, packet: rtcp.Rtcp, now: float, send_rtp: Send) -> None:
        """RTCP of the viewer about what it gets. Raises rtcp.MalformedRtcp."""
        if isinstance(packet, rtcp.TransportFeedback):
            self.path.feedback(packet.body, now)
            if not self.path.direct:
                self.tick(now)
        elif isinstance(packet, rtcp.Nack):
            receiving = self._by_ssrc.get(packet.media_ssrc)
            if receiving is not None:
                self._resend(receiving.subscription, packet.sequences, now, send_rtp)
        elif isinstance(packet, rtcp.PictureLoss):
            receiving = self._by_ssrc.get(packet.media_ssrc)
            if receiving is not None:
                receiving.subscription.want_keyframe()
        elif isinstance(packet, rtcp.ReceiverReport | rtcp.SenderReport):
            blocks = [b for b in packet.blocks if b.ssrc in self._by_ssrc]
            for block in blocks:
                self._by_ssrc[block.ssrc].subscription.report = block
            self.path.reported(blocks, now)
        elif isinstance(packet, rtcp.Remb):
            self.path.remb(packet.bitrate_bps)

    def _resend(
        self, subscription: Subscription, sequences: tuple[int, ...], now: float, send_rtp: Send
    ) -> None:
        path = self.path
        waiting = path.waiting(subscription)
        for number in sequences:
            if number in waiting:
                continue
            for packet in subscription.retransmit((number,), now, path.answer_s):
                numbered = subscription.numbered
                outgoing = path.again(packet, subscription, number, self._clock()) if numbered else packet
                if outgoing is not None:
                    send_rtp(outgoing)
        self._wake(now)

    def follow(self, *, connected: bool, now: float) -> None:
        """Start or pause the Subscriptions with the transport's state."""
        for receiving in self.receiving.values():
            if connected:
                receiving.fanout.activate(receiving.subscription, now)
            else:
                receiving.subscription.deactivate()
                self.path.forget(receiving.subscription)

    def want_keyframes(self) -> None:
        """What was lost on the way to another address, keyframes mend."""
        for receiving in self.receiving.values():
            receiving.subscription.want_keyframe()

    @property
    def hurries(self) -> bool:
        """Whether it waits for something that the next tick does: a keyframe, a look at its path, or word to
        a publisher."""
        if not self.receiving:
            return False
        return (
            self.budget_fell or self.path.hurries or any(r.subscription.asks for r in self.receiving.values())
        )

    def observe(self, now: float) -> None:
        """See how Subscriptions fare; to be called about ten times a second."""
        for receiving in self.receiving.values():
            receiving.delivery.observe(now)

    def tick(self, now: float) -> None:
        """Follow the path's estimate: probe, divide, pause and resume."""
        if not self.receiving or not self.path.tick(now):
            return
        self._divide(now)
        self._drain()

    def _divide(self, now: float) -> None:
        path = self.path
        wanted = tuple(r.fanout.publication.info.publication_id for r in self.receiving.values())
        made_bps = path.made_bps
        moved_bps = abs(made_bps - self._divided_bps)
        if (
            moved_bps <= CHANGED * self._divided_bps
            and now - self._divided_s < DIVIDE_S
            and wanted == self._divided_for
        ):
            return
        self._divided_s, self._divided_bps, self._divided_for = now, made_bps, wanted
        publications = [r.fanout.publication for r in self.receiving.values()]
        demands = tuple(demand(p.info, self._max_publication_bps, p.bitrate_bps) for p in publications)
        before = path.allocation.budgets
        budgets = path.divide(demands, now).budgets
        if len(before) == len(budgets):
            pairs = zip(before, budgets, strict=True)
            self.budget_fell |= any(new.bitrate_bps < (1 - FELL) * old.bitrate_bps for old, new in pairs)
        for receiving, budget in zip(self.receiving.values(), budgets, strict=True):
            subscription = receiving.subscription
            if not subscription.publication.is_video:
                continue
            encoding = subscription.source or subscription.publication.largest
            thinned = subscription.target.max_temporal is not None
            fits = layer_target(budget, encoding.recent_bps(now), thinned=thinned)
            target = lesser(receiving.wanted, fits)
            if path.rests(subscription, now):
                target = target._replace(paused=True)
            if target.paused and not subscription.target.paused:
                path.forget(subscription)
            if target != subscription.target:
                subscription.set_layer(target)

    def _wake(self, now: float) -> None:
        wake_s = self.path.next_wake(now)
        if wake_s is None or now < self._wake_at_s <= wake_s:
            return
        delay_s = max(MIN_WAKE_S, wake_s - now)
        self._wake_at_s = now + delay_s
        self._call_later(delay_s, self._woken)

    def _woken(self) -> None:
        self._wake_at_s = 0.0  # a timer may come early, by half its grain: then there must be another
        self._drain()

    def _drain(self) -> None:
        now = self._clock()
        path = self.path
        if path.direct:
            return
        padding = [r.subscription for r in self.receiving.values() if r.subscription.numbered]
        padding.sort(key=lambda subscription: not subscription.started)
        for outgoing in path.due(now, padding):
            self._send(outgoing)
        self._wake(now)
