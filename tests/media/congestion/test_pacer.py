"""Packets leave evenly, sound first, in bounded queues; probes at their own rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.pacer import (
    BURST_S,
    FRAME_S,
    LEAST_MADE,
    MAX_AUDIO_PACKETS,
    MAX_RESENT_BYTES,
    MIN_QUEUE_BYTES,
    PROBE_PATIENCE,
    Pacer,
    Priority,
)
from media.congestion.probing import ProbeCluster

AUDIO, RESENT, VIDEO = Priority.AUDIO, Priority.RETRANSMISSION, Priority.VIDEO


def drained(pacer: Pacer[str], begin_s: float, seconds: float) -> list[tuple[float, str]]:
    """What leaves, looked at each ms."""
    return [
        (begin_s + n / 1e3, item)
        for n in range(int(seconds * 1e3))
        for item, _ in pacer.due(begin_s + n / 1e3)
    ]


def test_a_frame_leaves_at_the_rate() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for n in range(20):
        pacer.enqueue(VIDEO, 1250, str(n))
    left = drained(pacer, 1.0, 1.0)
    assert [item for _, item in left] == [str(n) for n in range(20)]
    # 10 ms each; the idle bucket lets half a packet's time out at once.
    assert left[-1][0] == pytest.approx(1.0 + 19 * 0.01 - BURST_S, abs=0.002)
    assert (pacer.queued_bytes, pacer.next_wake(3.0)) == (0, None)


def test_sound_goes_first_then_what_was_lost_then_video() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for priority, name in ((VIDEO, "v"), (RESENT, "r"), (AUDIO, "a"), (VIDEO, "w"), (AUDIO, "b")):
        pacer.enqueue(priority, 1250, name)
    assert [item for _, item in drained(pacer, 1.0, 1.0)] == ["a", "b", "r", "v", "w"]


def test_sound_never_waits_but_what_follows_does() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for n in range(10):
        assert pacer.admit(AUDIO, 1250, 1.0), n
    assert not pacer.admit(VIDEO, 1250, 1.0)
    assert not pacer.admit(VIDEO, 1250, 1.09)
    assert pacer.admit(VIDEO, 1250, 1.1)


def test_nothing_overtakes_what_waits() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    assert pacer.admit(VIDEO, 2500, 1.0)
    pacer.enqueue(VIDEO, 1250, "first")
    assert not pacer.admit(VIDEO, 1250, 5.0)
    assert [item for item, _ in pacer.due(5.0)] == ["first"]
    assert pacer.admit(VIDEO, 1250, 5.1)


def test_it_says_when_to_look_again() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    assert pacer.next_wake(1.0) is None
    assert pacer.admit(VIDEO, 1250, 1.0)
    pacer.enqueue(VIDEO, 1250, "v")
    wake_s = pacer.next_wake(1.0)
    assert wake_s is not None
    assert pacer.due(wake_s - 1e-4) == []
    assert pacer.due(wake_s) == [("v", 0)]
    pacer.enqueue(AUDIO, 100, "a")
    assert pacer.next_wake(2.0) == 2.0


def test_another_rate_holds_at_once() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for n in range(10):
        pacer.enqueue(VIDEO, 1250, str(n))
    pacer.due(1.0)
    pacer.set_rate(1e5, 1.0)
    left = drained(pacer, 1.0, 0.5)
    assert 4 <= len(left) <= 6
    assert pacer.rate_bps == 1e5


def test_the_oldest_video_is_dropped_when_too_much_waits() -> None:
    pacer: Pacer[str] = Pacer(2e6, max_queue_s=1.0)
    for n in range(400):
        pacer.enqueue(VIDEO, 1250, str(n))
    assert pacer.take_dropped() == [str(n) for n in range(200)]
    assert pacer.take_dropped() == []
    assert pacer.queue_s() == pytest.approx(1.0)
    pacer.set_rate(1e4, 1.0)
    pacer.enqueue(VIDEO, 1250, "last")
    assert pacer.queued_bytes <= MIN_QUEUE_BYTES


def test_retransmissions_and_sound_are_bounded_too() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for n in range(100):
        pacer.enqueue(RESENT, 1250, f"r{n}")
        pacer.enqueue(AUDIO, 100, f"a{n}")
    dropped = pacer.take_dropped()
    assert "r0" in dropped
    assert "a0" in dropped
    assert pacer.resent_bytes <= MAX_RESENT_BYTES
    assert len(pacer.due(1.0)) >= MAX_AUDIO_PACKETS


def test_a_stream_that_ends_takes_its_packets_along() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    for name in ("a1", "b1", "a2", "b2"):
        pacer.enqueue(VIDEO, 1000, name)
        pacer.enqueue(RESENT, 500, name)
    pacer.forget(lambda item: item.startswith("a"))
    assert (pacer.queued_bytes, pacer.resent_bytes) == (2000, 1000)
    assert [item for _, item in drained(pacer, 1.0, 1.0)] == ["b1", "b2", "b1", "b2"]


def test_what_waits_is_taken_off_what_may_be_made() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    assert pacer.budget_bps(1e6) == 1e6
    pacer.enqueue(VIDEO, int(FRAME_S * 1e6 / 8), "the frame in service")
    assert pacer.budget_bps(1e6) == 1e6
    pacer.enqueue(VIDEO, 25_000, "v")
    assert pacer.budget_bps(1e6) == 8e5
    pacer.enqueue(VIDEO, 100_000, "v")
    assert pacer.budget_bps(1e6) == LEAST_MADE * 1e6


CLUSTER = ProbeCluster(3, 4e6, 5, 7500)


def test_a_probe_takes_what_waits_at_its_rate() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    pacer.probe(CLUSTER, 1.0)
    for n in range(10):
        pacer.enqueue(VIDEO, 1250, str(n))
    marked = []
    for n in range(40):
        marked += [(1.0 + n / 1e3, cluster) for _, cluster in pacer.due(1.0 + n / 1e3)]
    of_probe = [at for at, cluster in marked if cluster == 3]
    assert len(of_probe) == 6
    assert of_probe[-1] - of_probe[0] == pytest.approx(5 * 2.5e-3, abs=1e-3)
    # Then the bucket is full for a while.
    assert [cluster for _, cluster in marked[6:]] == []


def test_what_a_probe_lacks_is_padding() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    assert pacer.padding_due(1.0) is None
    pacer.probe(CLUSTER, 1.0)
    assert not pacer.admit(VIDEO, 100, 1.0)
    sizes = []
    now = 1.0
    while (padding := pacer.padding_due(now)) is not None or pacer.next_wake(now) is not None:
        if padding is None:
            now = max(pacer.next_wake(now) or now, now + 1e-5)  # a timer is never finer
            continue
        size, cluster = min(padding[0], 1200), padding[1]
        assert cluster == 3
        pacer.padded(size, now)
        sizes.append(size)
    assert sum(sizes) >= CLUSTER.min_bytes
    assert len(sizes) >= CLUSTER.min_packets
    assert now - 1.0 == pytest.approx((sum(sizes) - sizes[-1]) * 8 / 4e6, abs=1e-3)


def test_a_probe_that_finds_nothing_to_send_is_given_up() -> None:
    pacer: Pacer[str] = Pacer(1e6)
    pacer.probe(CLUSTER, 1.0)
    assert pacer.due(1.0 + PROBE_PATIENCE * 0.015 + 0.11) == []
    assert pacer.padding_due(2.0) is None


enqueued = st.lists(st.tuples(st.floats(0, 0.05), st.integers(60, 1500)), min_size=1, max_size=80)


@given(st.floats(1e5, 1e7), enqueued)
def test_no_window_gets_more_than_the_rate_allows(rate_bps: float, frames: list[tuple[float, int]]) -> None:
    pacer: Pacer[int] = Pacer(rate_bps)
    now = 1.0
    left: list[tuple[float, int]] = []
    for gap_s, size in frames:
        now += gap_s
        left += [(now, size) for size, _ in pacer.due(now)]
        if pacer.admit(VIDEO, size, now):
            left.append((now, size))
        else:
            pacer.enqueue(VIDEO, size, size)
    while (wake_s := pacer.next_wake(now)) is not None:
        now = max(wake_s, now + 1e-4)
        left += [(now, size) for size, _ in pacer.due(now)]
    assert sorted(size for _, size in left) == sorted(size for _, size in frames)
    for first in range(len(left)):
        total = 0
        for at_s, size in left[first:]:
            total += size
            assert total <= rate_bps * (at_s - left[first][0] + BURST_S) / 8 + 1500 + 1
