"""Padding for probes: what a viewer has already, as RTX."""

from __future__ import annotations

import aiortc.rtp

from media import rtp
from media.answer import ChosenCodec
from media.subscription import PADDING_PACKETS
from tests.media import streams
from tests.media.streams import OPUS, publication, subscription
from tests.media.test_subscription import forwarded


def large(sequence: int, *, key: bool = False) -> bytes:
    """A frame of about 1 kB."""
    return streams.vp8(sequence, sequence, key=key) + bytes(1000)


def test_padding_repeats_packets_that_were_shown_as_rtx() -> None:
    source = publication()
    viewer = subscription(source)
    sent = [forwarded(source, viewer, large(n, key=n == 1)) for n in range(1, PADDING_PACKETS + 9)]
    repeated = []
    for _ in range(8):
        padding = viewer.padding(1100)
        assert padding is not None
        packet = aiortc.rtp.RtpPacket.parse(padding)
        assert (packet.ssrc, packet.payload_type) == (501, 121)
        repeated.append(int.from_bytes(packet.payload[:2], "big"))
        original = next(p for p in sent if p.sequence_number == repeated[-1])
        assert packet.payload[2:] == original.payload
    # The last ones may not have been shown yet.
    assert sorted(repeated) == [packet.sequence_number for packet in sent[:8]]


def test_padding_alone_where_nothing_is_worth_it() -> None:
    source = publication()
    viewer = subscription(source)
    numbers = []
    for started in (False, True):
        if started:
            forwarded(source, viewer, streams.vp8(1, 1, key=True))
        padding = viewer.padding(1100)
        assert padding is not None
        start, end = rtp.payload_bounds(padding)
        assert start == end
        assert len(padding) - end == padding[-1] == 255
        assert rtp.unwrap_rtx(padding, start, end, 120, 500) is None
        numbers.append(int.from_bytes(padding[2:4], "big"))
    assert numbers[1] == numbers[0] + 1
    small = viewer.padding(12)
    assert small is not None
    assert small[-1] == 12


def test_no_padding_without_rtx_or_without_a_transport() -> None:
    plain = ChosenCodec("VP8", 120, 90000, 1, {}, ("nack", "nack pli"))
    assert subscription(publication(), plain).padding(500) is None
    assert subscription(publication(OPUS)).padding(500) is None
    viewer = subscription(publication())
    viewer.deactivate()
    assert viewer.padding(500) is None
