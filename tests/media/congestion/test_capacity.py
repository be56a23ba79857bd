"""What a path has proved to carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.capacity import LinkCapacity


def test_it_is_unknown_until_something_came_through_a_full_path() -> None:
    capacity = LinkCapacity()
    before = capacity.mean_bps, capacity.is_above(1e9), capacity.is_below(1.0)
    assert before == (None, False, False)
    capacity.overused(1e6)
    known_bps = capacity.mean_bps
    capacity.forget()
    assert (known_bps, capacity.mean_bps) == (1e6, None)


def test_noise_is_no_other_capacity_and_a_third_is() -> None:
    capacity = LinkCapacity()
    for noise in (1.0, 0.98, 1.03, 0.97, 1.01):
        capacity.overused(1e6 * noise)
    assert capacity.mean_bps == pytest.approx(1e6, rel=0.02)
    assert not capacity.is_above(1.05e6)
    assert not capacity.is_below(0.95e6)
    assert capacity.is_above(1.33e6)
    assert capacity.is_below(0.67e6)


def test_a_probe_weighs_ten_times_an_overuse() -> None:
    one, other = LinkCapacity(), LinkCapacity()
    one.overused(1e6)
    other.overused(1e6)
    one.overused(2e6)
    other.probed(2e6)
    assert one.mean_bps == pytest.approx(1.05e6)
    assert other.mean_bps == pytest.approx(1.5e6)


@given(st.lists(st.floats(0, 1e10), min_size=1, max_size=40))
def test_it_lies_among_what_came_through(rates: list[float]) -> None:
    capacity = LinkCapacity()
    for rate in rates:
        capacity.overused(rate)
    assert capacity.mean_bps is not None
    assert min(rates) - 1 <= capacity.mean_bps <= max(rates) * (1 + 1e-9) + 1
