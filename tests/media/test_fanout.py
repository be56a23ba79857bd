"""One Publication to many: order, refusals, late keyframes, reports and the tap."""

from __future__ import annotations

from media import rtcp
from media.fanout import Fanout
from media.publication import Publication
from tests.media import streams
from tests.media.streams import publication, subscription


def deliver(fanout: Fanout, data: bytes, now: float = 0.0) -> None:
    """Receive and deliver."""
    packet = fanout.publication.encodings[0].receive(data, now)
    assert packet is not None
    fanout.deliver(packet, now)


class Viewer:
    """A Subscription and what was sent to it."""

    def __init__(self, source: Publication, taken: bool = True) -> None:
        self.subscription = subscription(source)
        self.taken = taken
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []

    def send_rtp(self, packet: bytes) -> bool:
        """A transport's send_rtp."""
        self.rtp.append(packet)
        return self.taken

    def send_rtcp(self, compound: bytes) -> bool:
        """A transport's send_rtcp."""
        self.rtcp.append(compound)
        return self.taken

    def sequences(self) -> list[int]:
        """Numbers of what was sent."""
        return [int.from_bytes(packet[2:4], "big") for packet in self.rtp]


def watched(*taken: bool) -> tuple[Fanout, list[Viewer]]:
    """A fanout with viewers."""
    fanout = Fanout(publication())
    viewers = [Viewer(fanout.publication, each) for each in taken]
    for viewer in viewers:
        fanout.add(viewer.subscription, viewer.send_rtp, viewer.send_rtcp)
    return fanout, viewers


def test_everybody_gets_it_and_refusals_are_counted() -> None:
    fanout, viewers = watched(True, False)
    deliver(fanout, streams.vp8(1, 1, key=True))
    deliver(fanout, streams.vp8(2, 2))
    assert [viewer.sequences() for viewer in viewers] == [[1000, 1001]] * 2
    assert (fanout.packets_sent, fanout.packets_refused) == (2, 2)
    fanout.remove(viewers[0].subscription)
    deliver(fanout, streams.vp8(3, 3))
    assert [len(viewer.rtp) for viewer in viewers] == [2, 3]


def test_a_keyframe_that_was_overtaken_brings_what_overtook_it() -> None:
    fanout, (viewer,) = watched(True)
    deliver(fanout, streams.vp8(1, 1))
    deliver(fanout, streams.vp8(3, 3))
    deliver(fanout, streams.vp8(4, 4))
    assert viewer.rtp == []
    deliver(fanout, streams.vp8(2, 2, key=True))
    assert viewer.sequences() == [1000, 1001, 1002]


def test_reports_follow_the_start_and_every_report() -> None:
    fanout, (viewer,) = watched(True)
    report = rtcp.SenderReport(streams.SSRC, 5, 3000, 1, 1)
    fanout.publication.encodings[0].receive_report(report, 0.0)
    fanout.deliver_report(fanout.publication.encodings[0], report)
    assert viewer.rtcp == []
    deliver(fanout, streams.vp8(1, 1, key=True))
    fanout.deliver_report(fanout.publication.encodings[0], report)
    assert len(viewer.rtcp) == 2
    (translated,) = rtcp.parse(viewer.rtcp[0])
    assert isinstance(translated, rtcp.SenderReport)
    assert (translated.ssrc, translated.ntp, translated.rtp_timestamp) == (500, 5, 77)


def test_another_stream_waits_for_its_keyframe() -> None:
    fanout, (viewer,) = watched(True)
    deliver(fanout, streams.vp8(1, 1, key=True))
    assert fanout.publication.encodings[0].bind(777, None)
    fanout.restart(fanout.publication.encodings[0])
    deliver(fanout, streams.vp8(1, 1, ssrc=777))
    deliver(fanout, streams.vp8(2, 2, key=True, ssrc=777), 0.5)
    assert viewer.sequences() == [1000, 1001]


def test_who_comes_in_between_gets_the_picture_so_far_and_asks_for_nothing() -> None:
    fanout, (viewer,) = watched(True)
    viewer.subscription.deactivate()
    fanout.publication.encodings[0].keyframes.came()
    for sequence in range(1, 5):
        deliver(fanout, streams.vp8(sequence, sequence, key=sequence == 2))
    report = rtcp.SenderReport(streams.SSRC, 5, 3000, 1, 1)
    fanout.publication.encodings[0].receive_report(report, 0.0)
    assert viewer.rtp == []
    fanout.activate(viewer.subscription, 0.5)
    assert viewer.sequences() == [1000, 1001, 1002]
    assert (len(viewer.rtcp), fanout.packets_sent) == (1, 3)
    assert not fanout.publication.encodings[0].keyframes.wanted
    fanout.activate(viewer.subscription, 0.6)
    deliver(fanout, streams.vp8(5, 5))
    assert viewer.sequences() == [1000, 1001, 1002, 1003]


def test_a_change_of_encoding_brings_its_own_report_and_what_overtook_its_keyframe() -> None:
    source = streams.simulcast()
    fanout, viewer = Fanout(source), Viewer(source)
    fanout.add(viewer.subscription, viewer.send_rtp, viewer.send_rtcp)
    low, _, high = source.encodings
    for encoding in (low, high):
        report = rtcp.SenderReport(streams.LAYER_SSRCS[encoding.index], 5, 0, 1, 1)
        encoding.receive_report(report, 0.0)
        fanout.deliver_report(encoding, report)

    def send(index: int, sequence: int, *, key: bool = False) -> None:
        encoding = source.encodings[index]
        packet = encoding.receive(streams.simulcast_vp8(encoding, sequence, sequence, key=key), 0.1)
        assert packet is not None
        fanout.deliver(packet, 0.1)

    send(0, 1, key=True)
    send(2, 3)
    assert (len(viewer.rtp), len(viewer.rtcp)) == (1, 1)
    send(2, 2, key=True)
    assert (viewer.sequences(), len(viewer.rtcp)) == ([1000, 1001, 1002], 2)
    fanout.deliver_report(low, rtcp.SenderReport(streams.LAYER_SSRCS[0], 6, 0, 1, 1))
    assert len(viewer.rtcp) == 2
    # One stream of the publisher begins anew: only who gets it waits for its keyframe.
    sources = []
    for encoding in (low, high):
        assert encoding.bind(777 + encoding.index, None)
        fanout.restart(encoding)
        sources.append(viewer.subscription.source)
    assert sources == [high, None]
    assert high.keyframes.wanted
    # The one in the middle is all that is left.
    fanout.refresh(10.0)
    assert source.encodings[1].receive(streams.simulcast_vp8(source.encodings[1], 1, 1), 11.0) is not None
    fanout.refresh(11.0)
    assert source.encodings[1].keyframes.wanted
