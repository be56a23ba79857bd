"""A viewer whose path is known by its REMB alone, with aiortc's receive-side estimator in its place."""

from __future__ import annotations

from dataclasses import replace

from aiortc.rate import RemoteBitrateEstimator

from media import rtcp
from media.fanout import Fanout
from media.rtcp import ReportBlock
from media.subscription import Subscription
from media.viewer import Receiving, Viewer, never
from tests.media import streams
from tests.media.streams import publication

TICK_S = 0.02
HEADERS = 54
SOUND_BYTES = 134
PICTURE_BYTES = 750
"""A packet of each in each tick: 54 and 300 kbit/s, as they come in at the publisher's floor."""
QUEUE_S = 0.3
DELAY_S = 0.02


class Call:
    """Sound and a patient's picture over a bottleneck in simulated time. rates_bps: (from, rate) in order."""

    def __init__(self, rates_bps: list[tuple[float, float]]) -> None:
        self.now = 0.0
        self.pictures: list[tuple[float, bool]] = []
        """(time, whether a picture was sent)."""
        self._rates = rates_bps
        self._free_s = 0.0
        self._arriving: list[tuple[float, float, int]] = []
        self._estimator = RemoteBitrateEstimator()
        self._lost = self._offered = 0
        self.viewer = Viewer(2_500_000, never, lambda: self.now)
        for mid, codec, viewers in (
            ("0", streams.OPUS, streams.VIEWERS_OPUS),
            ("1", streams.VP8, streams.VIEWERS_VP8),
        ):
            sent = publication(codec, mid)
            sent.info = replace(sent.info, is_patient=True)
            stream = Subscription(sent, viewers, 500 + int(mid), None, [], 0, 0)
            fanout = Fanout(sent)
            fanout.add(stream, lambda _: True, lambda _: True)
            self.viewer.receiving[mid] = Receiving(stream, fanout)
        self.picture = stream
        self.viewer.route()
        self.viewer.follow(connected=True, now=0.0)

    def run(self, until_s: float) -> None:
        """Tick by tick."""
        ticks = round((until_s - self.now) / TICK_S)
        for _ in range(ticks):
            self.now += TICK_S
            sends = not self.picture.target.paused
            self.pictures.append((self.now, sends))
            self._send(SOUND_BYTES)
            if sends:
                self._send(PICTURE_BYTES)
            self._arrive()
            if round(self.now / TICK_S) % 50 == 0:
                self._report()
            self.viewer.tick(self.now)

    def _send(self, size: int) -> None:
        rate_bps = [rate for from_s, rate in self._rates if from_s <= self.now][-1]
        self._offered += 1
        if self._free_s - self.now > QUEUE_S:
            self._lost += 1
            return
        self._free_s = max(self.now, self._free_s) + 8 * (size + HEADERS) / rate_bps
        self._arriving.append((self._free_s + DELAY_S, self.now, size))

    def _arrive(self) -> None:
        while self._arriving and self._arriving[0][0] <= self.now:
            arrived_s, sent_s, size = self._arriving.pop(0)
            sent = int(sent_s * (1 << 18)) & 0xFFFFFF
            told = self._estimator.add(round(1e3 * arrived_s), sent, size, 501)
            if told is not None:
                self.viewer.receive(rtcp.Remb(1, told[0], (501,)), self.now, lambda _: True)

    def _report(self) -> None:
        lost = 256 * self._lost // max(1, self._offered)
        self._lost = self._offered = 0
        block = ReportBlock(501, min(255, lost), 0, 1, 0, 0, 0)
        self.viewer.receive(rtcp.ReceiverReport(1, (block,)), self.now, lambda _: True)

    def share(self, begin_s: float, end_s: float) -> float:
        """Of the time in which a picture was sent."""
        inside = [sends for at_s, sends in self.pictures if begin_s <= at_s < end_s]
        return sum(inside) / len(inside)


def test_a_picture_that_was_paused_comes_back_when_the_path_carries_it_again() -> None:
    call = Call([(0.0, 2e6), (10.0, 150e3), (70.0, 2e6)])
    call.run(140.0)
    assert call.share(5, 10) == 1.0
    assert call.share(20, 70) < 0.3
    assert call.share(110, 140) == 1.0


def test_a_path_that_never_carries_it_is_tried_seldom() -> None:
    call = Call([(0.0, 2e6), (10.0, 150e3)])
    call.run(200.0)
    assert 0.0 < call.share(60, 200) < 0.15
