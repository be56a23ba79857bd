"""A Publication of one encoding and of several: which a viewer can have, and what is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp
from media.layers import MAX_SPATIAL, best_encoding
from media.publication import MIN_CAP_BPS, SILENT_AFTER_S
from tests.media import streams
from tests.media.streams import OPUS, opus, publication, simulcast

SIZES = [(320, 180), (640, 360), (1280, 720)]


def test_the_only_encoding_is_everybodys() -> None:
    made = publication()
    begun_before = made.begun
    made.encodings[0].receive(streams.vp8(1, 1, key=True), 0.0)
    assert (begun_before, made.begun) == (False, True)
    assert not made.refresh(100.0)
    assert made.choose(0) is made.choose(MAX_SPATIAL) is made.largest is made.encodings[0]
    assert made.by_rid("") is None


def test_the_best_that_sends_is_chosen() -> None:
    made = simulcast()
    low, middle, high = made.encodings
    assert made.choose(MAX_SPATIAL) is high  # nothing sends yet: the wanted one is waited for
    assert not made.refresh(0.0)
    for encoding, sequence in ((low, 1), (middle, 1)):
        encoding.receive(streams.simulcast_vp8(encoding, sequence, 1, key=True), 1.0)
    assert made.refresh(1.0)
    assert not made.refresh(1.1)
    assert made.largest is middle
    assert [made.choose(rank) for rank in (-1, 0, 1, 2, MAX_SPATIAL)] == [low, low, middle, middle, middle]
    middle.receive(streams.simulcast_vp8(middle, 2, 2), 2.0)
    assert made.refresh(1.0 + SILENT_AFTER_S)
    # The smallest is silent: the least above it is better than nothing.
    assert made.choose(0) is middle
    assert made.up_to(middle) == [middle, low]


def test_sizes_decide_the_order_once_all_are_known() -> None:
    made = simulcast()
    for encoding, size in zip(made.encodings, reversed(SIZES), strict=True):
        encoding.receive(streams.simulcast_vp8(encoding, 1, 1, key=True, size=size), 0.0)
    assert made.refresh(0.0)
    assert [made.choose(rank).size for rank in range(3)] == SIZES
    assert made.largest is made.encodings[0]


def test_feedback_and_reports_are_each_encodings_own() -> None:
    made = simulcast()
    low, _, high = made.encodings
    for sequence in (1, 3):
        low.receive(streams.simulcast_vp8(low, sequence, sequence, key=sequence == 1), 0.0)
        high.receive(streams.simulcast_vp8(high, sequence + 10, sequence, key=sequence == 1), 0.0)
    high.keyframes.want()
    messages = [packet for message in made.feedback(0.1) for packet in rtcp.parse(message)]
    assert messages == [
        rtcp.Nack(9, streams.LAYER_SSRCS[0], (2,)),
        rtcp.Nack(9, streams.LAYER_SSRCS[2], (12,)),
        rtcp.PictureLoss(9, streams.LAYER_SSRCS[2]),
    ]
    assert [block.ssrc for block in made.report_blocks(0.2)] == [
        streams.LAYER_SSRCS[0],
        streams.LAYER_SSRCS[2],
    ]


def test_counters_are_summed_and_the_picture_is_the_largest_ones() -> None:
    made = simulcast()
    made.measure(0.0)
    for encoding, size in zip(made.encodings, SIZES, strict=True):
        for number in range(1 + encoding.index):
            data = streams.simulcast_vp8(encoding, number, number, key=number == 0, size=size)
            encoding.receive(data, 1.0)
    made.refresh(1.0)
    made.measure(2.0)
    stats = made.stats()
    assert (stats.packets_received, stats.frames_received, stats.keyframes_received) == (6, 3, 1)
    assert (stats.width_px, stats.height_px) == SIZES[2]
    assert [(each.rid, each.width_px, each.packets_received) for each in stats.encodings] == [
        ("q", 320, 1),
        ("h", 640, 2),
        ("f", 1280, 3),
    ]
    assert stats.bitrate_bps > 0
    assert stats.bitrate_bps == pytest.approx(sum(each.bitrate_bps for each in stats.encodings))


def test_a_cap_leaves_room_for_a_picture() -> None:
    made = publication()
    made.set_cap(1)
    assert made.cap_bps == MIN_CAP_BPS
    made.set_cap(None)
    assert made.cap_bps is None


def test_sound_has_no_frames() -> None:
    made = publication(OPUS)
    made.encodings[0].receive(opus(1), 0.0)
    made.measure(1.0)
    assert (made.stats().packets_received, made.stats().frames_received, made.stats().frame_rate) == (1, 0, 0)


@given(st.permutations(range(3)), st.sets(st.integers(0, 2)), st.integers(-1, 9))
def test_a_choice_is_always_one_that_sends_where_any_does(
    ranked: list[int], sending: set[int], wanted: int
) -> None:
    chosen = best_encoding(ranked, sending, wanted)
    assert chosen in (sending or ranked)
    allowed = ranked[: max(0, wanted) + 1]
    below = [index for index in allowed if index in sending]
    assert not below or chosen == below[-1]


def test_a_publisher_may_send_what_its_cap_and_its_viewers_allow() -> None:
    source = publication()
    assert source.limit_bps == float("inf")
    assert source.set_budget((1_000_000, 15.0))
    assert source.limit_bps == 1_000_000
    source.set_cap(400_000)
    assert source.limit_bps == 400_000
    assert source.set_budget((0, 0.0))
    assert source.limit_bps == MIN_CAP_BPS
    assert source.set_budget(None)
    assert not source.set_budget(None)
    assert source.limit_bps == 400_000


def test_a_small_change_of_the_budget_is_none() -> None:
    source = publication()
    assert source.set_budget((1_000_000, 15.0))
    assert not source.set_budget((1_040_000, 15.0))
    assert not source.set_budget((960_000, 15.0))
    assert source.limit_bps == 960_000
    assert not source.set_budget((1_000_000, 15.0))
    assert source.set_budget((960_000, 12.0))
    assert source.set_budget((800_000, 12.0))
