"""One participant as a viewer: its path's estimate becomes layers, pauses and wakes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from media import rtcp
from media.fanout import Fanout
from media.interface import AdaptationLevel
from media.layers import EVERYTHING
from media.publication import Publication
from media.rtcp import ReportBlock
from media.subscription import Subscription
from media.viewer import MIN_WAKE_S, Receiving, Viewer
from media.viewer_path import OVERFLOW_HOLD_S
from tests.media import streams
from tests.media.streams import publication

VALUES = [(3, b"\0\0"), (4, b"0")]


class Bench:
    """A viewer of one camera, with a clock and a timer of the test's."""

    def __init__(self, *, numbered: bool = True) -> None:
        self.now = 100.0
        self.sent: list[bytes] = []
        self.calls: list[tuple[float, Callable[[], None]]] = []
        self.viewer = Viewer(2_500_000, lambda delay_s, call: self.calls.append((delay_s, call)), self._clock)
        self.source: Publication = publication()
        self.subscription = Subscription(
            self.source, streams.VIEWERS_VP8, 500, 501, VALUES, 1000, 77, numbered=numbered
        )
        self.fanout = Fanout(self.source)
        self.send = self.viewer.sender(self.subscription, self._send)
        self.fanout.add(self.subscription, self.send, self.viewer.report_sender(self._send))
        self.viewer.receiving["0"] = Receiving(self.subscription, self.fanout)
        self.viewer.route()
        self.viewer.follow(connected=True, now=self.now)
        self.publish(1, key=True)

    def _clock(self) -> float:
        return self.now

    def _send(self, data: bytes) -> bool:
        self.sent.append(data)
        return True

    def publish(self, sequence: int, *, key: bool = False) -> None:
        packet = self.source.encodings[0].receive(streams.vp8(sequence, sequence, key=key), self.now)
        assert packet is not None
        self.fanout.deliver(packet, self.now)

    def hear(self, packet: rtcp.Rtcp) -> None:
        self.viewer.receive(packet, self.now, self._send)

    def remb(self, bitrate_bps: int) -> None:
        """The viewer's own estimate, with a report that makes it believed."""
        self.hear(rtcp.ReceiverReport(1, (ReportBlock(500, 0, 0, 1, 0, 0, 0),)))
        self.hear(rtcp.Remb(1, bitrate_bps, (500,)))

    def paused(self) -> bool:
        return self.subscription.target.paused

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.viewer.tick(self.now)


def test_what_does_not_fit_pauses_and_comes_back_at_a_keyframe() -> None:
    bench = Bench()
    bench.remb(40_000)
    bench.run(2.0)
    assert bench.paused()
    assert bench.viewer.path.stats().level is AdaptationLevel.AUDIO_ONLY
    before = len(bench.sent)
    bench.publish(2, key=True)
    assert len(bench.sent) == before
    bench.remb(5_000_000)
    bench.run(4.0)
    assert not bench.paused()
    assert bench.source.encodings[0].keyframes.wanted
    bench.publish(3)
    assert len(bench.sent) == before
    bench.publish(4, key=True)
    assert len(bench.sent) == before + 1


def test_what_is_wanted_at_most_holds_whatever_the_path_carries() -> None:
    bench = Bench()
    wanted = EVERYTHING._replace(max_spatial=1, max_temporal=0)
    assert bench.viewer.set_layer("p", wanted)
    assert not bench.viewer.set_layer("another", wanted)
    bench.run(2.0)
    assert bench.subscription.target == wanted
    bench.viewer.set_layer("p", EVERYTHING)
    bench.run(0.2)
    assert bench.subscription.target == EVERYTHING


def test_a_stream_that_overflowed_stays_paused_until_it_has_rested() -> None:
    bench = Bench()
    path = bench.viewer.path
    path.direct = False
    path._pacer.set_rate(30_000, bench.now)
    for number in (2, 3):
        bench.publish(number, key=True)
        dropped = path.dropped
        while path.dropped == dropped:
            bench.send(bench.sent[0] + bytes(1000))
    assert bench.paused()
    bench.run(OVERFLOW_HOLD_S - 1.0)
    assert bench.paused()
    bench.run(2.5)
    assert not bench.paused()


def test_what_waits_is_sent_by_the_timer() -> None:
    bench = Bench()
    path = bench.viewer.path
    path.direct = False
    path._pacer.set_rate(1_000_000, bench.now)
    first = bench.sent[0]
    for _ in range(3):
        assert bench.send(first + bytes(1000))
    before = len(bench.sent)
    assert len(bench.calls) == 1
    while len(bench.sent) < before + 2:
        delay_s, call = bench.calls.pop()
        assert MIN_WAKE_S <= delay_s < 0.02
        bench.now += delay_s
        call()


def test_what_is_asked_for_again_while_it_waits_goes_out_once() -> None:
    bench = Bench()
    path = bench.viewer.path
    path.direct = False
    path._pacer.set_rate(100_000, bench.now)
    first = bench.sent[0]
    number = int.from_bytes(first[2:4], "big")
    assert bench.send(first + bytes(1000))
    for _ in range(3):
        bench.now += 0.011
        bench.hear(rtcp.Nack(1, 500, (number,)))
    assert path.waiting(bench.subscription) == {number}
    bench.now += 1.0
    bench.viewer._drain()
    assert sum(int.from_bytes(data[8:12], "big") == 501 for data in bench.sent) == 1


def test_a_budget_that_falls_is_told_in_a_hurry() -> None:
    bench = Bench()
    bench.remb(2_000_000)
    bench.run(1.0)
    assert not bench.viewer.budget_fell
    bench.remb(1_900_000)
    bench.run(0.2)
    assert not bench.viewer.budget_fell
    bench.remb(1_000_000)
    bench.run(0.2)
    assert bench.viewer.budget_fell


def test_packets_without_a_number_go_straight_to_the_transport() -> None:
    bench = Bench(numbered=False)
    assert bench.send == bench._send
    assert len(bench.sent) == 1


@pytest.mark.parametrize("ssrc", [500, 7])
def test_only_its_own_streams_are_answered(ssrc: int) -> None:
    bench = Bench()
    before = len(bench.sent)
    number = int.from_bytes(bench.sent[0][2:4], "big")
    bench.now += 1.0
    bench.hear(rtcp.Nack(1, ssrc, (number,)))
    bench.hear(rtcp.PictureLoss(1, ssrc))
    mine = ssrc == 500
    assert len(bench.sent) - before == mine
    assert bench.source.encodings[0].keyframes.wanted == mine
    with pytest.raises(rtcp.MalformedRtcp):
        bench.hear(rtcp.TransportFeedback(1, ssrc, b"no"))


def test_one_who_receives_nothing_any_more_takes_no_budget() -> None:
    bench = Bench()
    bench.remb(1_000_000)
    bench.run(0.5)
    assert bench.viewer.path.allocation.budgets
    bench.viewer.receiving.clear()
    bench.viewer.route()
    assert not bench.viewer.path.allocation.budgets
    bench.run(0.5)
    assert not bench.viewer.path.allocation.budgets


def test_a_timer_that_comes_early_is_set_again() -> None:
    """Event loops round: half a millisecond too soon nothing may leave yet, and nobody else would ask."""
    bench = Bench()
    bench.viewer.path.direct = False
    bench.viewer.path._pacer.set_rate(20_000, bench.now)
    sequence = 1
    while not bench.calls:
        sequence += 1
        bench.publish(sequence)
    sent = len(bench.sent)
    delay_s, call = bench.calls.pop()
    assert delay_s > MIN_WAKE_S
    bench.now += delay_s - 0.0005
    call()
    assert len(bench.sent) == sent
    ((delay_s, call),) = bench.calls
    bench.now += delay_s
    call()
    assert len(bench.sent) == sent + 1


def test_it_hurries_while_a_keyframe_or_its_estimate_is_wanted() -> None:
    bench = Bench()

    def hurries_after(what: Callable[[], None]) -> bool:
        what()
        return bench.viewer.hurries

    assert not hurries_after(lambda: bench.run(0.2))
    assert hurries_after(lambda: bench.hear(rtcp.PictureLoss(1, 500)))
    assert not hurries_after(lambda: bench.publish(2, key=True))
    assert hurries_after(lambda: bench.remb(500_000))
    assert hurries_after(lambda: bench.run(0.02))
    bench.viewer.budget_fell = False  # it was told
    assert not bench.viewer.hurries
