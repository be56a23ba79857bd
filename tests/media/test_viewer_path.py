"""A viewer's path: numbers, feedback, pacing where it is needed, probes, overflow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, rtp
from media.adaptation import demand
from media.answer import ChosenCodec
from media.congestion.pacer import MAX_QUEUE_BYTES
from media.interface import AdaptationLevel
from media.layers import EVERYTHING
from media.rtcp import ReportBlock
from media.subscription import Subscription
from media.twcc import ArrivalRecorder
from media.viewer_path import (
    NUMBER_AT,
    OVERFLOW_HOLD_S,
    OVERHEAD_BYTES,
    REFRESH_S,
    ViewerPath,
)
from tests.media import streams
from tests.media.streams import publication

VALUES = [(3, b"\0\0"), (4, b"0")]
EXTENSIONS = rtp.extension_block(VALUES)


def subscription(*, patient: bool = False) -> Subscription:
    """A started one whose packets have room for the number."""
    source = publication()
    if patient:
        source.info = replace(source.info, is_patient=True)
    made = Subscription(source, streams.VIEWERS_VP8, 500, 501, VALUES, 1000, 77, numbered=True)
    made.activate(0.0)
    packet = source.encodings[0].receive(streams.vp8(1, 1, key=True), 0.0)
    assert packet is not None
    assert made.forward(packet, 0.0) is not None
    return made


def packet(size: int = 1100) -> bytes:
    """One as a Subscription forwards it."""
    return rtp.header(120, 1, 0, 500, False, EXTENSIONS) + bytes(size)


def number(data: bytes) -> int:
    value = rtp.extension(data, 3)
    assert value is not None
    return int.from_bytes(value, "big")


class Viewer:
    """Hears what the path lets out over a bottleneck, and tells it."""

    def __init__(self, rate_bps: float = 1e9) -> None:
        self.path = ViewerPath()
        self.subscription = subscription()
        self.now = 100.0
        self.rate_bps = rate_bps
        self.got: list[bytes] = []
        self.left_at: list[float] = []
        self._recorder = ArrivalRecorder()
        self._free_s = 0.0
        self._report_at_s = self.now
        self._tick_at_s = self.now

    def _take(self, data: bytes | None) -> None:
        if data is None:
            return
        self.got.append(data)
        self.left_at.append(self.now)
        self._free_s = max(self.now, self._free_s) + 8 * (len(data) + OVERHEAD_BYTES) / self.rate_bps
        self._recorder.received(number(data), int((self._free_s + 0.02) * 1e6))

    def run(self, seconds: float, bitrate_bps: float, *, deaf: bool = False) -> None:
        """Packets at a rate, ms by ms."""
        end_s = self.now + seconds
        due_s = self.now
        while self.now < end_s:
            while due_s <= self.now:
                self._take(self.path.video(packet(), self.subscription, self.now))
                due_s += 8 * 1168 / bitrate_bps
            for data in self.path.due(self.now, [self.subscription]):
                self._take(data)
            if self.now >= self._report_at_s and not deaf:
                self._report_at_s = self.now + 0.05
                for message in self._recorder.feedback(1, 2):
                    (read,) = rtcp.parse(message)
                    assert isinstance(read, rtcp.TransportFeedback)
                    self.path.feedback(read.body, self.now + 0.02)
            if self.now >= self._tick_at_s:
                self._tick_at_s = self.now + 0.02
                self.path.tick(self.now)
            self.now += 0.001


def test_each_packet_has_the_next_number_whatever_it_carries() -> None:
    path, viewer = ViewerPath(), subscription()
    first = path.video(packet(), viewer, 1.0)
    second = path.audio(packet(80), 1.0)
    third = path.again(packet(), viewer, 7, 1.0)
    assert first is not None
    assert third is not None
    assert [number(data) for data in (first, second, third)] == [0, 1, 2]
    assert first[:NUMBER_AT] == packet()[:NUMBER_AT]
    assert first[NUMBER_AT + 2 :] == packet()[NUMBER_AT + 2 :]
    for _ in range(0x10000):
        first = path.video(packet(1), viewer, 2.0)
    assert first is not None
    assert number(first) == 2


def test_a_viewer_that_says_nothing_gets_everything_at_once_and_no_padding() -> None:
    viewer = Viewer()
    viewer.run(3.0, 5e6, deaf=True)
    assert viewer.path.direct
    assert {len(data) for data in viewer.got} == {len(packet())}
    assert viewer.path.divide((demand(viewer.subscription.publication.info, 2.5e6, 0.0),), 3.0).level == 0


def test_feedback_raises_the_estimate_through_probes() -> None:
    viewer = Viewer()
    viewer.path.divide((demand(viewer.subscription.publication.info, 2.5e6, 0.0),), viewer.now)
    viewer.run(2.0, 800_000)
    stats = viewer.path.stats()
    assert stats.estimate_bps > 3_500_000
    assert stats.sent_bps == pytest.approx(800_000, rel=0.2)
    assert (stats.loss, stats.packets_dropped) == (0.0, 0)
    assert viewer.path.direct
    repeated = [data for data in viewer.got if data[1] & 0x7F == 121]
    assert repeated
    numbers = [number(data) for data in viewer.got]
    assert numbers == list(range(len(numbers)))


def test_a_narrow_path_is_paced_and_sound_goes_first() -> None:
    viewer = Viewer(1e6)
    viewer.run(3.0, 900_000)
    assert not viewer.path.direct
    before = len(viewer.got)
    for _ in range(20):
        viewer._take(viewer.path.video(packet(), viewer.subscription, viewer.now))
    assert len(viewer.got) < before + 20
    assert number(viewer.path.audio(packet(80), viewer.now)) == len(viewer.got)
    wake_s = viewer.path.next_wake(viewer.now)
    assert wake_s is not None
    assert wake_s >= viewer.now


def overflow(viewer: Viewer) -> None:
    """Begin at a keyframe, and send until something is dropped."""
    encoding = viewer.subscription.publication.encodings[0]
    again = encoding.receive(streams.vp8(encoding.highest + 1 & 0xFFFF, 2, key=True), viewer.now)
    assert again is not None
    viewer.subscription.forward(again, viewer.now)
    dropped = viewer.path.dropped
    for _ in range(MAX_QUEUE_BYTES // 1100):
        viewer.path.video(packet(), viewer.subscription, viewer.now)
        if viewer.path.dropped > dropped:
            return
    raise AssertionError("the queue has no end")


def test_what_overflows_begins_again_and_rests_when_that_does_not_help() -> None:
    viewer = Viewer(300_000)
    viewer.run(4.0, 280_000)
    gate = viewer.subscription.publication.encodings[0].keyframes
    rested = []
    for _ in range(4):
        gate.came()
        overflow(viewer)
        assert not viewer.subscription.started
        assert viewer.path.stats().packets_dropped > 0
        # Nothing of it is sent any more.
        assert viewer.path.next_wake(viewer.now) is None
        begin_s = viewer.now
        while viewer.path.rests(viewer.subscription, viewer.now):
            viewer.now += 0.5
        rested.append(viewer.now - begin_s)
        assert viewer.subscription.target.paused == (rested[-1] > 0)
        viewer.subscription.set_layer(EVERYTHING)
        assert gate.wanted
    assert rested == [0, OVERFLOW_HOLD_S, 2 * OVERFLOW_HOLD_S, 4 * OVERFLOW_HOLD_S]


def test_a_rest_of_the_patients_picture_is_said() -> None:
    viewer = Viewer(300_000)
    viewer.subscription = subscription(patient=True)
    viewer.run(4.0, 280_000)
    overflow(viewer)
    first = viewer.path.stats().level
    overflow(viewer)
    second = viewer.path.stats().level
    assert (first, second) == (AdaptationLevel.FULL, AdaptationLevel.AUDIO_ONLY)
    viewer.path.keep(set())
    assert viewer.path.stats().level is AdaptationLevel.FULL


def test_reports_alone_steer_too_and_tell_the_round_trip() -> None:
    path = ViewerPath()
    path.divide((demand(publication().info, 2.5e6, 0.0),), 0.0)
    path.report_sent(500, 0x0001_2345_6789_0000, 1.0)
    block = ReportBlock(500, 64, 0, 0, 0, 0x2345_6789, 65536 // 2)
    path.reported([block], 1.6)
    assert path.tick(1.6)
    stats = path.stats()
    assert stats.rtt_ms == pytest.approx(100, abs=0.1)
    assert stats.loss == 0.25
    assert stats.estimate_bps < 5e6
    path.reported([], 1.7)
    path.remb(400_000)
    path.tick(1.8)
    assert path.stats().estimate_bps == 400_000
    for n in range(100):
        path.report_sent(500, n << 16, 2.0)
    assert len(path._reports) <= 16


def test_the_estimate_is_looked_at_after_feedback_and_now_and_then() -> None:
    path = ViewerPath()
    assert path.tick(1.0)
    assert not path.tick(1.0 + REFRESH_S / 2)
    assert path.tick(1.0 + REFRESH_S)
    path.remb(1_000_000)
    assert path.tick(1.0 + REFRESH_S)


def test_a_probe_without_anything_to_send_is_given_up() -> None:
    viewer = Viewer()
    viewer.path.divide((demand(viewer.subscription.publication.info, 2.5e6, 0.0),), viewer.now)
    viewer.run(0.06, 800_000)
    assert not viewer.path.direct
    assert {len(data) for data in viewer.path.due(viewer.now, [])} <= {len(packet())}
    assert viewer.path.next_wake(viewer.now) is None


def test_the_number_is_found_in_both_forms_of_extensions() -> None:
    block = rtp.extension_block([*VALUES, (5, bytes(40))])
    long = rtp.header(120, 1, 0, 500, False, block) + b"payload"
    path = ViewerPath()
    assert [number(path.audio(data, 1.0)) for data in (long, packet(), long)] == [0, 1, 2]


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_nonsense_is_refused_and_packets_go_on(bodies: list[bytes]) -> None:
    path, viewer = ViewerPath(), subscription()
    for n, body in enumerate(bodies):
        data = path.video(packet(), viewer, 1.0 + n)
        assert data is None or number(data) <= n + 40
        try:
            path.feedback(body, 1.0 + n)
        except rtcp.MalformedRtcp:
            continue
        path.tick(1.0 + n)


def test_a_numbered_packet_is_sent_again_by_rtx_only() -> None:
    """With another number it would be another packet under the same nonce."""
    source = streams.publication()
    without_rtx = ChosenCodec("VP8", 120, 90000, 1, {}, ("nack",))
    viewer = Subscription(source, without_rtx, 500, None, [(3, bytes(2))], 1000, 77, numbered=True)
    viewer.activate(0.0)
    packet = source.encodings[0].receive(streams.vp8(1, 1, key=True), 0.0)
    assert packet is not None
    assert viewer.forward(packet, 0.0) is not None
    assert viewer.retransmit((1000,), 1.0) == []
