"""A token bucket lets a burst through, then so many a second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.rate import TokenBucket


def test_burst_then_rate() -> None:
    bucket = TokenBucket(2.0, 3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_burst_and_rate(gaps: list[float]) -> None:
    bucket, now, taken = TokenBucket(2.0, 5), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
    assert taken <= 5 + 2.0 * now + 1e-6
