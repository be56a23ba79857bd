"""Loss of the path's own does not limit; loss from sending too fast does."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.loss import (
    DIP,
    HIGH_LOSS,
    MAX_INHERENT,
    OBSERVATION_S,
    LossControl,
    LossThresholds,
    inherent_ceiling,
)

PACKET = 1000


def driven(
    control: LossControl,
    lost_at: Callable[[float, random.Random], float],
    seconds: float,
    delay_based_bps: float = 2e6,
    begin_s: float = 0.0,
) -> float:
    """Send at the limit's rate over a path that loses this share at this rate; the rate in the end."""
    seeded = random.Random(3)
    rate_bps = delay_based_bps
    for n in range(int(seconds / OBSERVATION_S)):
        packets = max(1, int(rate_bps * OBSERVATION_S / 8 / PACKET))
        share = lost_at(rate_bps, seeded)
        lost = sum(seeded.random() < share for _ in range(packets))
        now = begin_s + (n + 1) * OBSERVATION_S
        if control.update(packets - lost, lost, packets * PACKET, now):
            through_bps = (packets - lost) * PACKET * 8 / OBSERVATION_S
            limit_bps = control.decide(delay_based_bps, through_bps)
            rate_bps = (delay_based_bps if limit_bps is None else limit_bps) * control.dip
    return rate_bps / control.dip


def radio(share: float) -> Callable[[float, random.Random], float]:
    return lambda _rate_bps, _seeded: share


def policer(bandwidth_bps: float) -> Callable[[float, random.Random], float]:
    return lambda rate_bps, _seeded: max(0.0, 1 - bandwidth_bps / rate_bps)


def test_without_loss_there_is_no_limit() -> None:
    control = LossControl()
    driven(control, radio(0.0), 20)
    assert (control.limit_bps, control.loss, control.dip) == (None, 0.0, 1.0)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.08])
def test_loss_of_the_path_itself_leaves_most_of_the_rate(share: float) -> None:
    control = LossControl()
    assert driven(control, radio(share), 40, 1e6) > 0.85e6
    assert control.loss == pytest.approx(share, abs=0.04)


def test_a_policers_loss_limits_to_what_it_passes() -> None:
    control = LossControl()
    assert 0.9e6 < driven(control, policer(1e6), 20) < 1.25e6
    assert control.inherent(1e6) == 0.0


def test_the_limit_goes_when_the_loss_does() -> None:
    control = LossControl()
    driven(control, policer(1e6), 20)
    assert driven(control, radio(0.0), 20, begin_s=20) == 2e6
    assert control.limit_bps is None


def test_high_loss_is_tested_at_a_lower_rate_now_and_then() -> None:
    control = LossControl()
    seen = set()
    for n in range(100):
        control.update(80, 20, 100 * PACKET, n * OBSERVATION_S)
        seen.add(control.dip)
    assert seen == {1.0, DIP}


def test_more_inherent_loss_is_believed_of_a_slow_path() -> None:
    assert inherent_ceiling(1e6) == pytest.approx(0.125)
    assert inherent_ceiling(0.0) == inherent_ceiling(1e4) == MAX_INHERENT


counts = st.tuples(
    st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 10**8), st.floats(-1, 5), st.floats(0, 1e9)
)


@given(st.lists(counts, max_size=60))
def test_no_counts_make_it_fail_or_exceed_what_delay_allows(
    observations: list[tuple[int, int, int, float, float]],
) -> None:
    control = LossControl()
    now = 0.0
    for came, lost, size, elapsed_s, acknowledged_bps in observations:
        now += elapsed_s
        if control.update(came, lost, size, now):
            limit_bps = control.decide(1e6, acknowledged_bps)
            assert limit_bps is None or 0 <= limit_bps < 1e6
        assert 0 <= control.loss <= 1
        assert 0 <= control.inherent(1e6) <= MAX_INHERENT


def test_thresholds_of_receiver_reports() -> None:
    reported = LossThresholds(1e6)
    assert reported.update(0.0, 1.0, 2e6) == pytest.approx(1.05e6)
    assert reported.update(0.05, 1.0, 2e6) == pytest.approx(1.05e6)
    assert reported.update(HIGH_LOSS * 2, 1.0, 2e6) == pytest.approx(1.05e6 * 0.9)
    for _ in range(100):
        reported.update(0.0, 5.0, 2e6)
    assert reported.bitrate_bps == 2e6
