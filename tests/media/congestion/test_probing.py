"""When clusters are sent, and at which rates."""

from __future__ import annotations

import itertools

import pytest

from media.congestion.probing import (
    AFTER_DROP,
    ALR_SCALE,
    FIRST_INTERVAL_S,
    HEADROOM,
    LIMITED_SCALE,
    MAX_INTERVAL_S,
    MIN_DURATION_S,
    MIN_PACKETS,
    RESULT_TIMEOUT_S,
    SETTLED_S,
    ProbeCluster,
    ProbeController,
)


def rates(
    controller: ProbeController,
    begin_s: float,
    seconds: float,
    *,
    estimate_bps: float = 1e6,
    demand_bps: float = 20e6,
    calm_since_s: float | None = 0.0,
    in_alr: bool = False,
) -> list[tuple[float, float]]:
    """(when, rate) of the clusters of a time, each without a result."""
    found = []
    for n in range(int(seconds * 50)):
        now = begin_s + n / 50
        cluster = controller.due(estimate_bps, demand_bps, calm_since_s, in_alr, now)
        if cluster is not None:
            found.append((now, cluster.bitrate_bps))
    return found


def first(controller: ProbeController, now: float = 0.0) -> ProbeCluster:
    cluster = controller.due(1e6, 20e6, 0.0, False, now)
    assert cluster is not None
    return cluster


def test_it_begins_with_three_and_six_times_the_start() -> None:
    controller = ProbeController(1e6)
    one, two = first(controller), first(controller)
    assert (one.bitrate_bps, two.bitrate_bps) == (3e6, 6e6)
    assert (one.cluster_id, two.cluster_id) == (1, 2)
    assert (one.min_packets, one.min_bytes) == (MIN_PACKETS, int(3e6 * MIN_DURATION_S / 8))
    assert controller.due(1e6, 20e6, 0.0, False, 0.1) is None


def test_a_good_result_is_followed_by_twice_of_it_and_a_bad_one_is_not() -> None:
    controller = ProbeController(1e6)
    first(controller)
    first(controller)
    controller.result(5.5e6, 1e6)
    assert first(controller, 0.2).bitrate_bps == 11e6
    controller.result(6e6, 5.5e6)
    assert controller.due(6e6, 20e6, 0.0, False, 0.4) is None


def test_no_cluster_far_beyond_the_demand_or_below_the_estimate() -> None:
    controller = ProbeController(1e6)
    assert rates(controller, 0.0, 0.1, demand_bps=1.5e6)[0][1] == pytest.approx(1.5e6 * HEADROOM)
    assert rates(controller, 1.2, 30.0, estimate_bps=1.8e6, demand_bps=1.5e6, in_alr=True) == []


def test_no_cluster_into_a_queue_and_none_soon_after() -> None:
    controller = ProbeController(1e6)
    assert rates(controller, 0.0, 10.0, calm_since_s=None) == []
    assert rates(controller, 10.0, SETTLED_S - 0.1, calm_since_s=10.0) == []
    assert rates(controller, 10.0 + SETTLED_S, 1.0, calm_since_s=10.0)


@pytest.mark.parametrize(("in_alr", "scale"), [(True, ALR_SCALE), (False, LIMITED_SCALE)])
def test_soon_and_ever_more_rarely_until_something_is_found(in_alr: bool, scale: float) -> None:
    controller = ProbeController(1e6)
    first(controller)
    first(controller)
    found = rates(controller, SETTLED_S, 72.0, in_alr=in_alr)
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(found)]
    assert {rate for _, rate in found} == {scale * 1e6}
    assert gaps[0] == pytest.approx(2 * FIRST_INTERVAL_S, abs=0.03)
    assert max(gaps) == pytest.approx(MAX_INTERVAL_S, abs=0.03)
    controller.result(1.02e6, 1e6)
    controller.result(1.45e6, 1e6)
    next_s = rates(controller, 75.0, 10.0, estimate_bps=1.45e6)[0][0]
    assert next_s < found[-1][0] + MAX_INTERVAL_S


def test_after_a_drop_most_of_the_old_rate_is_tried() -> None:
    controller = ProbeController(1e6)
    first(controller)
    first(controller)
    controller.estimated(2e6, 1.5)
    controller.estimated(0.5e6, 2.0)
    found = rates(controller, 2.0, 2.0 + SETTLED_S, estimate_bps=0.5e6, calm_since_s=2.5)
    assert found[0] == pytest.approx((2.5 + SETTLED_S, 2e6 * AFTER_DROP), abs=0.03)


def test_a_slow_decline_is_no_drop() -> None:
    controller = ProbeController(1e6)
    first(controller)
    first(controller)
    for n in range(60):
        controller.estimated(2e6 * 0.95**n, 1.0 + n)
    assert controller._dropped_s is None


def test_a_result_that_never_comes_is_given_up() -> None:
    controller = ProbeController(1e6)
    first(controller)
    first(controller)
    controller.outgrown(1.5e6, 0.5)
    assert not rates(controller, 0.5, 0.2)
    controller.outgrown(1.5e6, 1.0 + SETTLED_S)
    assert rates(controller, 1.0 + SETTLED_S + RESULT_TIMEOUT_S, 0.1)[0][1] == 3e6
