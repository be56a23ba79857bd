"""How much leaves, and is made, while a queue stands."""

from __future__ import annotations

import pytest

from media.congestion.draining import (
    ABOVE_MS,
    GENTLE,
    GENTLE_S,
    LEAST,
    LEAST_MADE,
    MIN_WINDOW_BYTES,
    shares,
    within_window,
)


@pytest.mark.parametrize(
    ("standing_ms", "stood_s", "leaves", "made"),
    [
        (ABOVE_MS, 0.0, 1.0, 1.0),
        (ABOVE_MS + 50, 0.0, 0.9, 0.9),
        (ABOVE_MS + 500, 0.0, GENTLE, LEAST_MADE),
        (ABOVE_MS + 500, GENTLE_S, LEAST, LEAST_MADE),
    ],
)
def test_the_more_stands_the_less_leaves(
    standing_ms: float, stood_s: float, leaves: float, made: float
) -> None:
    assert shares(standing_ms, stood_s) == pytest.approx((leaves, made))


def test_more_than_the_path_holds_is_not_added_to() -> None:
    assert within_window(1e6, 1e6, 0.1, 43_000) == 1e6
    assert within_window(1e6, 1e6, 0.1, 87_500) == pytest.approx(2.5e5)
    assert within_window(1e5, 1e4, 0.0, MIN_WINDOW_BYTES) == 1e5
