"""The two ways of a packet, by C and by Python, do the same: whatever comes, what leaves is equal to the
byte, and so is everything that is counted, kept and asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import native
from tests.media.two_relays import INTERFRAMES, VIEWERS, Call, calling

pytestmark = pytest.mark.skipif(native.why_not() is not None, reason=f"the loop in C: {native.why_not()}")

COUNTS = st.integers(1, 30)
SIZES = st.sampled_from([0, 1, 2, 40, 1100, 1440, 1460, 1470, 1480, 1600])


def block(form: int, elements: list[tuple[int, int]], lie: int) -> bytes:
    """A header extension block of elements by id and size; lie: words more, or less, than there are."""
    one_byte = form == 0xBEDE
    body = b""
    for kind, size in elements:
        head = bytes([kind << 4 | max(0, size - 1)]) if one_byte else bytes([kind, size])
        body += (head if kind else b"") + bytes(size)
    body += bytes(-len(body) % 4)
    return form.to_bytes(2, "big") + max(0, len(body) // 4 + lie).to_bytes(2, "big") + body


BLOCKS = st.builds(
    block,
    st.sampled_from([0xBEDE, 0x1000, 0x100F, 0x1010]),
    st.lists(st.tuples(st.sampled_from([0, 1, 3, 3, 4, 15]), st.integers(0, 4)), max_size=4),
    st.sampled_from([0, 0, 0, -1, 1, 300]),
)


CHANGES = st.lists(
    st.tuples(st.sampled_from([0, 1, -1]), st.sampled_from([0x80, 0x90, 0xA0, 0xE1, 97, 5, 0]))
)
JUMPS = st.sampled_from([0x7FFE, 0x7FFF, 0x8000, 0x8001, 0x8002, 0x8F00, 1022, 1023, 1024, 1025, 300, 301])
STEPS = st.one_of(
    st.tuples(st.just(Call.flow), COUNTS, SIZES),
    st.tuples(st.just(Call.flow), COUNTS, st.just(200)),
    st.tuples(st.just(Call.sounds), COUNTS),
    st.tuples(st.just(Call.keyframe)),
    st.tuples(st.just(Call.tick), st.sampled_from([1, 20, 110, 1000])),
    st.tuples(st.just(Call.lose), st.integers(1, 40)),
    st.tuples(st.just(Call.come_late), COUNTS),
    st.tuples(st.just(Call.repair_lost), COUNTS),
    st.tuples(st.just(Call.reorder), COUNTS),
    st.tuples(st.just(Call.repeat), st.integers(1, 2000)),
    st.tuples(st.just(Call.send_again), st.integers(1, 2000)),
    st.tuples(st.just(Call.forge)),
    st.tuples(st.just(Call.cut), st.integers(0, 60)),
    st.tuples(
        st.just(Call.be_hostile),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 255)), max_size=3),
        st.binary(max_size=24),
        st.booleans(),
    ),
    st.tuples(st.just(Call.be_hostile), st.just([]), BLOCKS, st.booleans()),
    st.tuples(st.just(Call.be_hostile), CHANGES, st.just(b""), st.booleans()),
    st.tuples(st.just(Call.say), st.integers(0, 9), st.binary(max_size=8)),
    st.tuples(st.just(Call.jump), JUMPS),
    st.tuples(st.just(Call.pad), st.integers(0, 254)),
    st.tuples(st.just(Call.flood), st.integers(1, 8)),
    st.tuples(st.just(Call.begin_anew)),
    st.tuples(st.just(Call.report)),
    st.tuples(
        st.just(Call.nack), st.sampled_from(VIEWERS), st.integers(0, 300), st.integers(1, 20), st.booleans()
    ),
    st.tuples(st.just(Call.want_keyframe), st.sampled_from(VIEWERS)),
    st.tuples(
        st.just(Call.choose), st.sampled_from(VIEWERS), st.sampled_from([None, 0, 1, 2]), st.booleans()
    ),
    st.tuples(st.just(Call.come_back), st.sampled_from(VIEWERS)),
    st.tuples(st.just(Call.intrude), st.sampled_from(VIEWERS)),
    st.tuples(st.just(Call.move)),
    st.tuples(st.just(Call.pace), st.sampled_from(VIEWERS)),
    st.tuples(st.just(Call.unhurry), st.sampled_from(VIEWERS)),
    st.tuples(st.just(Call.acknowledge), st.sampled_from(VIEWERS), COUNTS, st.integers(1, 3)),
    st.tuples(st.just(Call.fall_silent), st.sampled_from(VIEWERS)),
)


@pytest.mark.parametrize("codec", INTERFRAMES)
@settings(max_examples=60)
@given(
    st.sampled_from([16, 32]),
    st.sampled_from([1, 32_760, 65_500]),
    st.integers(0, 1000),
    st.lists(STEPS, min_size=10, max_size=60),
)
def test_whatever_comes_both_ways_do_the_same(
    codec: str, key_length: int, first_sequence: int, seed: int, steps: list[tuple[Any, ...]]
) -> None:
    with calling(codec, key_length, first_sequence, seed) as call:
        call.keyframe()
        call.sounds(2)
        for step, *arguments in steps:
            step(call, *arguments)
            call.compare()


def test_ordinary_packets_never_come_to_python() -> None:
    with calling("VP8", first_sequence=65_500) as call:
        call.keyframe()
        call.sounds(2)
        handled = [0, 0]
        for index, relay in enumerate(call.relays):
            relay.incoming.packet = count(relay.incoming.packet, handled, index)  # type: ignore[method-assign]
            relay.incoming.handle = count(relay.incoming.handle, handled, index)  # type: ignore[method-assign]
        call.flow(50, 500)
        call.sounds(50)
        assert handled == [100, 0]
        call.lose(1)
        call.flow(1, 500)
        assert handled == [101, 1]


def count(function: Callable[..., Any], counts: list[int], index: int) -> Callable[..., Any]:
    """The function, which counts its calls."""

    def counted(*arguments: Any) -> Any:
        counts[index] += 1
        return function(*arguments)

    return counted


@pytest.mark.parametrize("key_length", [16, 32])
def test_a_publisher_beyond_its_budget_is_policed_and_others_are_not(key_length: int) -> None:
    with calling("VP8", key_length) as call:
        call.keyframe()
        call.sounds(2)
        call.compare()
        admitted = int(call.relays[0].participant("publisher").path.policer._bytes)
        call.flood(10)
        for relay in call.relays:
            dropped = relay.incoming.dropped["over_budget"]
            assert dropped > 1000 - admitted // 1300
            (camera, _) = relay.rooms.fanouts.values()
            assert camera.publication.stats().bytes_received < admitted + 4_000
        call.pass_time(1000)
        call.sounds(1)
        call.compare()
        assert call.relays[0].incoming.dropped["over_budget"] == dropped


def test_feedback_is_held_and_read_alike() -> None:
    with calling("VP8") as call:
        call.keyframe()
        call.sounds(2)
        call.unhurry("numbered")
        for _ in range(10):
            call.flow(3, 500)
            call.acknowledge("numbered", 5, 1)
            call.compare()
        held = [relay.participant("numbered").path for relay in call.relays]
        assert [len(path.held()) for path in held] == [1, 1]  # the ninth made the first eight be read
        call.tick(110)
        assert call.relays[0].participant("numbered").viewer.path.estimator.has_feedback


def test_a_narrow_path_is_paced_alike() -> None:
    """What need not wait leaves at once, what must waits in Python, and nothing overtakes it."""
    with calling("VP8") as call:
        call.keyframe()
        call.sounds(2)
        asked = [0, 0]
        for index, relay in enumerate(call.relays):
            pacer = relay.participant("numbered").viewer.path._pacer
            pacer.admit = count(pacer.admit, asked, index)  # type: ignore[method-assign]
        for _ in range(20):
            call.pace("numbered")
            call.pace("once")
            call.flow(4, 1000)
            call.sounds(1)
            call.compare()
            call.tick(20)
        assert 0 < asked[1] < asked[0]


@pytest.mark.parametrize("opens", [1, 2, 300], ids=["many frames", "fewer", "few"])
def test_what_waits_to_be_noted_is_never_lost(opens: int) -> None:
    """So many packets between two ticks that the loop's rings are full, and the history goes round."""
    with calling("VP8") as call:
        for relay in call.relays:
            relay.participant("publisher").path.policer.set_rate(10**9)
        call.keyframe()
        for number in range(2500):
            call.send(call.video(b"\x10\x01" if number % opens == 0 else b"\x00\x01"))
        call.tick(20)
        call.tick(1000)
