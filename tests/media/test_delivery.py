"""How a viewer fares with a Publication, by what goes out and what its reports say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.delivery import FREEZE_AFTER_S, DeliveryMeter
from media.interface import Source
from media.layers import EVERYTHING
from media.publication import Publication
from media.rtcp import ReportBlock
from media.subscription import Subscription
from tests.media import streams
from tests.media.streams import OPUS, opus, publication, simulcast, simulcast_vp8, subscription

STEP_S = 0.1


class Watched:
    """A viewer of a camera at so many frames per second, looked at ten times a second."""

    def __init__(self, source: Publication, frames_per_s: float = 10.0) -> None:
        self.source = source
        self.viewer: Subscription = subscription(source)
        self.meter = DeliveryMeter(self.viewer)
        self.now = 100.0
        self.frames_per_s = frames_per_s
        self.number = 0
        self._due_s = self.now

    def frame(self, *, key: bool = False) -> None:
        self.number += 1
        data = streams.vp8(self.number, self.number, key=key or self.number == 1, tl0=self.number)
        packet = self.source.encodings[0].receive(data, self.now)
        assert packet is not None
        self.viewer.forward(packet, self.now)

    def run(self, seconds: float, *, sends: bool = True) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            while sends and self._due_s <= self.now:
                self._due_s += 1 / self.frames_per_s
                self.frame()
            self.meter.observe(self.now)
        self._due_s = max(self._due_s, self.now)


def test_rates_are_those_of_the_last_second() -> None:
    watched = Watched(publication())
    watched.run(3.0)
    stats = watched.meter.stats()
    payload = len(streams.vp8_payload(9))
    assert stats.publication_id == "p"
    assert stats.frame_rate == pytest.approx(10.0, rel=0.15)
    assert stats.bitrate_bps == pytest.approx(8 * payload * stats.frame_rate, rel=0.01)
    assert (stats.spatial, stats.encodings, stats.max_temporal, stats.paused) == (0, 1, None, False)
    watched.run(2.5, sends=False)
    stats = watched.meter.stats()
    assert (stats.bitrate_bps, stats.frame_rate) == (0.0, 0.0)


def test_a_standstill_is_counted_once_and_with_all_of_its_time() -> None:
    watched = Watched(publication())
    watched.run(2.0)
    watched.run(FREEZE_AFTER_S - STEP_S, sends=False)
    watched.run(1.0)
    assert (watched.meter.freeze_count, watched.meter.frozen_s) == (0, 0.0)
    watched.run(3.0, sends=False)
    watched.run(1.0)
    assert watched.meter.freeze_count == 1
    assert watched.meter.frozen_s == pytest.approx(3.0, abs=2 * STEP_S)
    watched.run(1.0, sends=False)
    stats = watched.meter.stats()
    assert stats.freeze_count == 2
    assert stats.frozen_s == pytest.approx(4.0, abs=3 * STEP_S)


def test_few_frames_are_no_standstill() -> None:
    watched = Watched(publication(), frames_per_s=2.0)
    watched.run(3.0)
    before = watched.meter.freeze_count
    watched.run(10.0)
    assert watched.meter.freeze_count == before
    watched.run(3.0, sends=False)
    assert watched.meter.freeze_count == before + 1


def test_a_picture_that_has_not_begun_or_is_not_to_go_out_does_not_stand_still() -> None:
    watched = Watched(publication())
    watched.run(5.0, sends=False)
    watched.run(1.0)
    watched.viewer.set_layer(EVERYTHING._replace(paused=True))
    watched.run(5.0)
    assert watched.meter.stats().paused
    watched.viewer.deactivate()
    watched.run(5.0)
    assert watched.meter.freeze_count == 0
    # Wanted again, its time counts from then on.
    watched.viewer.set_layer(EVERYTHING)
    watched.viewer.activate(watched.now)
    watched.run(2.0)
    assert watched.meter.freeze_count == 1
    assert watched.meter.frozen_s == pytest.approx(2.0, abs=2 * STEP_S)
    watched.frame(key=True)
    watched.run(2.0)
    assert watched.meter.frozen_s == pytest.approx(2.0, abs=2 * STEP_S)


def test_a_screen_that_shows_the_same_is_no_standstill() -> None:
    source = publication()
    source.info = replace(source.info, source=Source.SCREEN)
    watched = Watched(source)
    watched.run(2.0)
    watched.run(5.0, sends=False)
    assert watched.meter.freeze_count == 0


def test_frames_of_layers_left_out_are_not_counted() -> None:
    source = publication()
    viewer = subscription(source)
    meter = DeliveryMeter(viewer)
    viewer.set_layer(EVERYTHING._replace(max_temporal=0))
    now = 0.0
    for number in range(60):
        now += 0.05
        data = streams.vp8(number, number, key=number == 0, tl0=number // 2, temporal=number % 2)
        packet = source.encodings[0].receive(data, now)
        assert packet is not None
        viewer.forward(packet, now)
        meter.observe(now)
    stats = meter.stats()
    assert stats.frame_rate == pytest.approx(10.0, rel=0.15)
    assert stats.max_temporal == 0


def test_the_encoding_is_told_by_its_rank_and_size() -> None:
    source = simulcast()
    viewer = subscription(source)
    meter = DeliveryMeter(viewer)
    assert meter.stats().spatial is None
    for rank, size in enumerate(((320, 180), (640, 360), (1280, 720))):
        encoding = source.encodings[rank]
        data = simulcast_vp8(encoding, 1, 1, key=True, size=size)
        assert encoding.receive(data, 1.0) is not None
    source.refresh(1.0)
    viewer.set_layer(EVERYTHING._replace(max_spatial=1))
    middle = source.encodings[1]
    packet = middle.receive(simulcast_vp8(middle, 2, 2, key=True, size=(640, 360)), 1.1)
    assert packet is not None
    viewer.forward(packet, 1.1)
    stats = meter.stats()
    assert (stats.spatial, stats.encodings, stats.width_px, stats.height_px) == (1, 3, 640, 360)


def test_loss_and_jitter_are_the_viewers_own() -> None:
    source = publication(OPUS)
    viewer = subscription(source)
    meter = DeliveryMeter(viewer)
    assert (meter.stats().loss, meter.stats().packets_lost, meter.stats().jitter_ms) == (0.0, 0, 0.0)
    packet = source.encodings[0].receive(opus(1), 1.0)
    assert packet is not None
    viewer.forward(packet, 1.0)
    viewer.report = ReportBlock(500, 64, 12, 1, 480, 0, 0)
    stats = meter.stats()
    assert (stats.loss, stats.packets_lost, stats.jitter_ms) == (0.25, 12, 10.0)
    assert (stats.frame_rate, stats.spatial, stats.width_px) == (0.0, None, 0)
    viewer.report = ReportBlock(500, 0, -3, 1, 0, 0, 0)  # duplicates came
    assert meter.stats().packets_lost == 0
