"""A viewer's path in a whole call in simulated time: a publisher that follows what it is told, an emulated
path, and feedback as a browser writes it."""

from __future__ import annotations

import functools
import itertools

import pytest

from media import rtcp
from media.adaptation import AUDIO_BPS, HEADERS, best, demand
from media.congestion.allocation import Demand, Purpose
from media.interface import AdaptationLevel
from media.twcc import ArrivalRecorder
from media.viewer_path import OVERHEAD_BYTES, ViewerPath
from tests.media.congestion.call import Simulation
from tests.media.test_viewer_path import number, packet, subscription
from tests.support.netem import Conditions, Path

MOST_BPS = 2_500_000
REACTION_S = 0.3
"""A REMB on its way, and the encoder that takes it in."""


class Call:
    """One picture of the patient and sound over a path."""

    def __init__(self, schedule: list[tuple[float, Conditions]], seed: int = 1) -> None:
        self.simulation = Simulation()
        self.network = Path(schedule, seed)
        self.path = ViewerPath()
        self.subscription = subscription(patient=True)
        self.encoder_bps = 1_000_000.0
        self.sent_bps = 0.0
        self.levels: list[tuple[float, AdaptationLevel]] = []
        self.sound_waits: list[tuple[float, float]] = []
        self.video_arrivals: list[float] = []
        self.video_waits: list[tuple[float, float]] = []
        self._recorder = ArrivalRecorder()
        run = self.simulation
        run.every(0.02, self._speak)
        run.every(1 / 30, self._frame, 0.004)
        run.every(0.02, self._tick, 0.001)
        run.every(0.001, self._drain)
        run.every(0.05, self._report, 0.011)

    def _speak(self) -> None:
        self._leave(self.path.audio(packet(80), self.simulation.now), self.sound_waits)

    def _frame(self) -> None:
        left = int(self.encoder_bps / 8 / 30)
        while left > 0 and not self.subscription.target.paused:
            size = min(1100, left)
            left -= size
            out = self.path.video(packet(size), self.subscription, self.simulation.now)
            if out is not None:
                self._leave(out, self.video_waits)

    def _drain(self) -> None:
        for out in self.path.due(self.simulation.now, [self.subscription]):
            self._leave(out, self.video_waits)

    def _tick(self) -> None:
        now = self.simulation.now
        if not self.path.tick(now):
            return
        info = self.subscription.publication.info
        picture = demand(info, MOST_BPS, self.encoder_bps)
        sound = Demand("sound", Purpose.AUDIO, AUDIO_BPS)
        assert picture.purpose is Purpose.PATIENT_PICTURE
        allocation = self.path.divide((sound, picture), now)
        self.levels.append((now, allocation.level))
        told_bps = best(allocation.budgets[1:])[0] / HEADERS
        self.simulation.at(now + REACTION_S, functools.partial(self._follow, told_bps))

    def _follow(self, bitrate_bps: float) -> None:
        self.encoder_bps = min(bitrate_bps, self.encoder_bps * 1.05)  # encoders grow in steps

    def _leave(self, data: bytes, waits: list[tuple[float, float]]) -> None:
        now = self.simulation.now
        delivery = self.network.send(len(data) + OVERHEAD_BYTES, now)
        if delivery is not None and delivery.arrived_s is not None:
            waits.append((now, delivery.waited_s))
            if waits is self.video_waits and data[1] & 0x7F == 120:
                self.video_arrivals.append(delivery.arrived_s)
            self.simulation.at(delivery.arrived_s, functools.partial(self._arrive, number(data)))

    def _arrive(self, sequence: int) -> None:
        self._recorder.received(sequence, int((self.simulation.now + 500.0) * 1e6))

    def _report(self) -> None:
        for message in self._recorder.feedback(1, 2):
            (read,) = rtcp.parse(message)
            assert isinstance(read, rtcp.TransportFeedback)
            again = functools.partial(self._hear, read.body)
            self.simulation.at(self.simulation.now + 0.05, again)

    def _hear(self, body: bytes) -> None:
        self.path.feedback(body, self.simulation.now)

    def gap_s(self, begin_s: float, end_s: float) -> float:
        arrivals = [begin_s, *(at for at in self.video_arrivals if begin_s <= at < end_s), end_s]
        return max(b - a for a, b in itertools.pairwise(arrivals))

    def p95_ms(self, waits: list[tuple[float, float]], begin_s: float, end_s: float) -> float:
        found = sorted(wait for at, wait in waits if begin_s <= at < end_s)
        return 1e3 * found[int(0.95 * len(found))]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drop_is_absorbed_without_a_freeze(seed: int) -> None:
    call = Call([(0.0, Conditions(2e6, 0.05)), (20.0, Conditions(5e5, 0.05))], seed)
    call.simulation.run(40.0)
    assert call.gap_s(10, 40) < 0.5
    assert call.p95_ms(call.sound_waits, 23, 40) < 100
    assert call.p95_ms(call.video_waits, 23, 40) < 100
    assert call.path.dropped == 0
    assert not call.subscription.target.paused
    assert 350_000 < call.path.estimate.target_bps < 550_000
    assert call.levels[-1][1] is AdaptationLevel.FEWER_FRAMES


def test_an_ample_path_is_found_and_left_alone() -> None:
    call = Call([(0.0, Conditions(2e7, 0.02))])
    call.simulation.run(15.0)
    assert call.path.direct
    assert call.path.estimate.target_bps > 1.8 * MOST_BPS
    assert call.levels[-1][1] is AdaptationLevel.FULL
    assert call.encoder_bps > 0.9 * MOST_BPS / HEADERS


def test_loss_of_the_path_itself_is_lived_with() -> None:
    call = Call([(0.0, Conditions(1e6, 0.05, loss=0.02))])
    call.simulation.run(40.0)
    sent_bps = call.path.stats().sent_bps
    assert sent_bps > 0.75e6
    assert call.p95_ms(call.video_waits, 10, 40) < 100


def test_a_path_for_sound_alone_pauses_the_picture_and_gives_it_back() -> None:
    wide = Conditions(2e6, 0.05)
    call = Call([(0.0, wide), (15.0, Conditions(90_000, 0.05)), (30.0, wide)])
    call.simulation.run(29.0)
    narrow = {level for at, level in call.levels if 20 < at < 29}
    assert AdaptationLevel.STILL_PROMPT in narrow or AdaptationLevel.AUDIO_ONLY in narrow
    call.simulation.run(60.0)
    assert call.path.estimate.target_bps > 800_000
