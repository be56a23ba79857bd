"""Numbers of what stays when pictures are left out, in whatever order packets come."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from media.layers import FRAME, KEYFRAME, TEMPORAL_SHIFT, TemporalLayers
from media.rtp import Packet
from media.thinning import MAX_PIECES, SequenceMap, Thinner, Verdict


def test_numbers_close_up_behind_what_is_left_out() -> None:
    numbers = SequenceMap(100, 1000, 0)
    numbers.leave_out(103, 103, 1)
    numbers.leave_out(104, 105, 0)
    numbers.leave_out(108, 108, 1)
    sequences = [100, 102, 103, 105, 106, 107, 108, 109, 99]
    assert [numbers.outgoing(sequence) for sequence in sequences] == [
        (1100, 0),
        (1102, 0),
        None,
        None,
        (1103, -1),
        (1104, -1),
        None,
        (1105, -2),
        None,
    ]
    assert [numbers.incoming(number) for number in (1099, 1100, 1102, 1103, 1104, 1105)] == [
        None,
        (100, 0),
        (102, 0),
        (106, -1),
        (107, -1),
        (109, -2),
    ]


def test_a_map_is_bounded_and_forgets_the_oldest() -> None:
    numbers = SequenceMap(0, 0, 0)
    for sequence in range(1, 4 * MAX_PIECES, 2):
        numbers.leave_out(sequence, sequence, 1)
    assert numbers.outgoing(0) is None
    assert numbers.incoming(0) is None
    newest = 4 * MAX_PIECES
    outgoing = numbers.outgoing(newest)
    assert outgoing == (newest - 2 * MAX_PIECES, -2 * MAX_PIECES)
    assert numbers.incoming(outgoing[0]) == (newest, -2 * MAX_PIECES)


def packet(sequence: int, picture: int, temporal: int) -> Packet:
    """A packet of a picture."""
    layer = temporal << TEMPORAL_SHIFT | FRAME | (KEYFRAME if picture == 0 else 0)
    return Packet(sequence, b"", 0, 0, 3000 * picture, False, picture == 0, layer, 0)


def test_what_is_late_of_a_picture_left_out_goes_out_empty_only_where_a_number_waits() -> None:
    thinner = Thinner(TemporalLayers(0), SequenceMap(10, 0, 0), None)
    assert thinner.judge(packet(10, 0, 0)) is Verdict.KEEP
    # 11 and 12 are missing; 11 might be the base layer's.
    assert thinner.judge(packet(13, 1, 1)) is Verdict.DROP
    # 14 is missing too, but between two packets of a picture that is left out.
    assert thinner.judge(packet(15, 1, 1)) is Verdict.DROP
    assert thinner.judge(packet(16, 2, 0)) is Verdict.KEEP
    assert thinner.numbers.outgoing(16) == (13, -1)
    assert thinner.judge(packet(14, 1, 1)) is Verdict.DROP
    assert thinner.judge(packet(12, 1, 1)) is Verdict.HOLLOW
    assert thinner.numbers.outgoing(12) == (12, 0)
    assert (thinner.is_hollow(12), thinner.is_hollow(11)) == (True, False)
    assert thinner.judge(packet(11, 0, 0)) is Verdict.KEEP


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Packet], int, list[tuple[int, int | None]]]:
    """Packets in the order they come, where each came at last; a seed; and when the wish changes."""
    pictures = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=40))
    sent, sequence = [], 1000
    for number, (temporal, size) in enumerate([(0, 2), *pictures]):
        sent += [packet(sequence + n, number, temporal) for n in range(size)]
        sequence += size
    source = random.Random(draw(st.integers(0, 1 << 30)))
    late = draw(st.sampled_from([0.0, 0.1, 0.4]))
    order = sorted(
        range(1, len(sent)), key=lambda n: n + (source.uniform(0, 20) if source.random() < late else 0)
    )
    wishes = [(source.randrange(len(sent)), source.choice([0, 1, None])) for _ in range(4)]
    return [sent[0], *(sent[n] for n in order)], len(sent), wishes


@given(streams())
@settings(max_examples=200)
def test_every_number_goes_out_once_and_leads_back(
    stream: tuple[list[Packet], int, list[tuple[int, int | None]]],
) -> None:
    packets, count, wishes = stream
    thinner = Thinner(TemporalLayers(1), SequenceMap(1000, 50_000, 0), None)
    gone: dict[int, int] = {}
    pictures: dict[int, set[int]] = {}
    for index, each in enumerate(packets):
        for at, wish in wishes:
            if at == index:
                thinner.layers.target = 7 if wish is None else wish
        verdict = thinner.judge(each)
        outgoing = thinner.numbers.outgoing(each.sequence)
        if verdict is Verdict.DROP:
            continue
        assert outgoing is not None
        assert outgoing[0] not in gone
        gone[outgoing[0]] = each.sequence
        if verdict is Verdict.KEEP:
            pictures.setdefault(each.timestamp, set()).add(outgoing[1])
    assert sorted(gone) == list(range(51_000, 51_000 + len(gone)))
    assert [gone[number] for number in sorted(gone)] == sorted(gone.values())
    for number, sequence in gone.items():
        found = thinner.numbers.incoming(number)
        assert found is not None
        assert found[0] == sequence
    assert len(gone) <= count


@given(streams())
def test_picture_ids_have_no_gap_where_nothing_is_late(
    stream: tuple[list[Packet], int, list[tuple[int, int | None]]],
) -> None:
    packets, _, wishes = stream
    thinner = Thinner(TemporalLayers(1), SequenceMap(1000, 0, 0), None)
    shown: list[int] = []
    for index, each in enumerate(sorted(packets)):
        for at, wish in wishes:
            if at == index:
                thinner.layers.target = 7 if wish is None else wish
        if thinner.judge(each) is Verdict.KEEP:
            outgoing = thinner.numbers.outgoing(each.sequence)
            assert outgoing is not None
            shown.append(each.timestamp // 3000 + outgoing[1])
    assert sorted(set(shown)) == list(range(len(set(shown))))
