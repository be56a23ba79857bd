"""How much leaves, and is made, while a queue stands."""

from __future__ import annotations

import pytest

from media.congestion.draining import (
    ABOVE_MS,
    LEAST_LEAVING,
    LEAST_MADE,
    MIN_LEAVING,
    MIN_WINDOW_BYTES,
    YOUNG_S,
    leaving_bps,
    made_share,
    within_window,
)


@pytest.mark.parametrize(
    ("standing_ms", "share"), [(0.0, 1.0), (ABOVE_MS, 1.0), (ABOVE_MS + 50, 0.9), (600.0, LEAST_MADE)]
)
def test_the_more_stands_the_less_is_made(standing_ms: float, share: float) -> None:
    assert made_share(standing_ms) == pytest.approx(share)


def test_of_a_young_queue_what_is_in_flight_says_what_leaves() -> None:
    assert leaving_bps(5e5, 0.1, 13_750, 400.0, 0.0) == 5e5
    assert leaving_bps(5e5, 0.1, 27_500, 400.0, 0.0) == pytest.approx(1.25e5)
    assert leaving_bps(5e5, 0.1, 200_000, 400.0, 0.0) == pytest.approx(LEAST_LEAVING * 5e5)


def test_an_old_queue_is_emptied_to_the_end() -> None:
    assert leaving_bps(1e6, 0.1, 0, 600.0, YOUNG_S) == MIN_LEAVING * 1e6
    assert leaving_bps(1e6, 0.1, 0, ABOVE_MS + 100, YOUNG_S) == pytest.approx(8e5)
    assert leaving_bps(1e6, 0.1, 0, ABOVE_MS, YOUNG_S) == 1e6
    young_bps, old_bps = (leaving_bps(1e6, 0.1, 25_000, ABOVE_MS, stood_s) for stood_s in (0.0, YOUNG_S))
    assert old_bps < young_bps == 1e6


def test_more_than_the_path_holds_is_not_added_to() -> None:
    assert within_window(1e6, 1e6, 0.1, 43_000) == 1e6
    assert within_window(1e6, 1e6, 0.1, 87_500) == pytest.approx(2.5e5)
    assert within_window(1e5, 1e4, 0.0, MIN_WINDOW_BYTES) == 1e5
