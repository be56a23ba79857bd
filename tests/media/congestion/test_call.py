"""Whole calls over emulated paths: how much of a path is used, how long packets wait, how fast a change is
followed. Nothing here depends on the speed of the machine."""

from __future__ import annotations

import random
import statistics

import pytest

from tests.media.congestion.call import HEADERS, MAX_PAYLOAD, Call, Video
from tests.media.congestion.cross import ConstantFlow, RenoFlow
from tests.support.netem import Bursts, Conditions

SEEDS = [1, 2, 3]


def path(rate_bps: float = 1e6, delay_s: float = 0.05, **others: float) -> list[tuple[float, Conditions]]:
    """One that stays as it is."""
    return [(0.0, Conditions(rate_bps=rate_bps, delay_s=delay_s, **others))]  # type: ignore[arg-type]


def delivered(call: Call, begin_s: float, end_s: float) -> float:
    """Share of the packets that got there."""
    packets = list(call.between(begin_s, end_s))
    return sum(packet.arrived_s is not None for packet in packets) / len(packets)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_megabit_with_two_percent_of_loss_is_used_without_a_queue(seed: int) -> None:
    call = Call(path(loss=0.02), seed=seed).run(40.0)
    assert call.utilisation(10, 40) >= 0.85
    assert call.queue_p95_ms(10, 40) < 100
    assert call.longest_gap_s(10, 40) < 0.5


@pytest.mark.parametrize("rate_bps", [3e5, 2.5e6, 4e6])
@pytest.mark.parametrize("delay_s", [0.01, 0.15])
def test_other_paths_are_used_too(rate_bps: float, delay_s: float) -> None:
    call = Call(path(rate_bps, delay_s), seed=1).run(40.0)
    assert call.utilisation(15, 40) >= 0.8
    packet_ms = 8e3 * (MAX_PAYLOAD + HEADERS) / rate_bps
    assert call.queue_p95_ms(15, 40) < 100 + packet_ms


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drop_to_a_quarter_is_absorbed(seed: int) -> None:
    call = Call([*path(2e6), (20.0, Conditions(rate_bps=5e5, delay_s=0.05))], seed=seed).run(40.0)
    assert call.followed_after(20.0) < 3.0
    assert call.longest_gap_s(20, 40) < 0.5
    assert call.target_bps(24, 40) > 0.8 * 5e5
    assert call.dropped == 0


def test_what_comes_back_is_found_again() -> None:
    schedule = [*path(2e6), (15.0, Conditions(rate_bps=5e5, delay_s=0.05)), (30.0, path(2e6)[0][1])]
    call = Call(schedule, seed=1).run(60.0)
    assert call.target_bps(45, 60) > 0.8 * 2e6


def test_the_start_finds_an_ample_path_within_a_second() -> None:
    call = Call(path(2e7, 0.03), seed=1).run(3.0)
    assert call.target_bps(1.0, 3.0) > 3e6


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_percent_of_random_loss_is_not_taken_for_congestion(seed: int) -> None:
    call = Call(path(loss=0.1), seed=seed).run(40.0)
    assert call.target_bps(15, 40) > 0.8e6
    assert call.utilisation(15, 40) > 0.85 * 0.9
    assert call.queue_p95_ms(15, 40) < 100


@pytest.mark.parametrize("seed", SEEDS)
def test_a_policer_is_obeyed(seed: int) -> None:
    # A token bucket of 20 ms: hardly anything waits there, what is too much is lost.
    call = Call(path(queue_s=0.02), seed=seed).run(50.0)
    assert delivered(call, 15, 50) > 0.85
    assert call.utilisation(15, 50) > 0.6


def test_loss_in_bursts_leaves_the_rate() -> None:
    call = Call([(0.0, Conditions(1e6, 0.05, bursts=Bursts(0.03, 4.0)))], seed=1).run(40.0)
    assert call.utilisation(15, 40) >= 0.85


@pytest.mark.parametrize("jitter_s", [0.005, 0.02])
def test_jitter_is_no_queue(jitter_s: float) -> None:
    call = Call(path(jitter_s=jitter_s), seed=1).run(40.0)
    assert call.utilisation(15, 40) >= 0.75
    assert call.queue_p95_ms(15, 40) < 150


def test_reordering_is_no_loss() -> None:
    call = Call(path(reordering=0.05, reorder_s=0.02), seed=1).run(40.0)
    assert call.utilisation(15, 40) >= 0.85
    assert call.estimates[-1][1].loss < 0.01


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_lost_feedback_costs_little(loss: float) -> None:
    call = Call(path(), back=Conditions(delay_s=0.05, loss=loss), seed=1).run(40.0)
    assert call.utilisation(15, 40) >= 0.85
    assert call.queue_p95_ms(15, 40) < 150
    assert call.estimator.missed_feedback > 0


def test_no_feedback_at_all_slows_down() -> None:
    call = Call(path(2e6), seed=1)
    call.back.__init__([(0.0, Conditions(delay_s=0.05)), (10.0, Conditions(loss=1.0))], 2)  # type: ignore[misc]
    call.run(25.0)
    assert call.estimates[-1][1].state == "no_feedback"
    assert call.estimates[-1][1].target_bps < 1e5


def test_a_constant_flow_leaves_us_the_rest() -> None:
    call = Call(path(2e6), seed=1)
    ConstantFlow(call.simulation, call.path, 1e6, 10.0, 60.0)
    call.run(60.0)
    assert 0.55e6 < call.target_bps(20, 60) < 1.05e6
    assert call.longest_gap_s(12, 60) < 0.5


def test_a_download_beside_us_neither_starves_us_nor_is_starved() -> None:
    call = Call(path(2e6, queue_s=0.3), seed=1)
    download = RenoFlow(call.simulation, call.path, 10.0, 80.0)
    call.run(80.0)
    ours_bps = call.utilisation(30, 80) * 2e6
    theirs_bps = download.bitrate_bps(30, 80)
    assert ours_bps > 0.2 * 2e6
    assert theirs_bps > 0.2 * 2e6
    assert ours_bps + theirs_bps > 0.85 * 2e6


def test_after_a_download_the_path_is_ours_again() -> None:
    call = Call(path(2e6, queue_s=0.3), seed=1)
    RenoFlow(call.simulation, call.path, 10.0, 30.0)
    call.run(70.0)
    assert call.target_bps(50, 70) > 0.75 * 2e6
    assert call.queue_p95_ms(50, 70) < 100


def test_few_frames_use_the_path_as_well() -> None:
    call = Call(path(), seed=1, video=Video(frames_per_s=8.0)).run(40.0)
    assert call.utilisation(15, 40) >= 0.75
    assert call.queue_p95_ms(15, 40) < 150


def test_keyframes_wait_here_and_sound_does_not() -> None:
    call = Call(path(), seed=1, video=Video(keyframe_s=3.0)).run(40.0)
    sound = [packet for packet in call.between(10, 40) if packet.audio]
    assert max(packet.paced_s for packet in sound) == 0.0
    assert sorted(packet.waited_s for packet in sound)[int(0.95 * len(sound))] < 0.1
    assert call.dropped == 0


def test_a_path_that_stands_still_is_survived() -> None:
    still = Conditions(rate_bps=0.0, delay_s=0.05)
    call = Call([*path(), (20.0, still), (22.0, path()[0][1])], seed=1).run(50.0)
    assert call.target_bps(40, 50) > 0.7e6
    assert call.queue_p95_ms(30, 50) < 100


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(lambda at_s: at_s + (1 << 24) * 0.064 - 20.0, id="24 bits wrap"),
        pytest.param(lambda at_s: at_s * (1 + 200e-6) + 1000.0, id="drift"),
        pytest.param(lambda at_s: at_s + (1000.0 if at_s < 20 else 5000.0), id="set forwards"),
        pytest.param(lambda at_s: at_s + (5000.0 if at_s < 20 else 1000.0), id="set back"),
    ],
)
def test_the_viewers_clock_does_not_matter(clock: object) -> None:
    call = Call(path(), seed=1, clock=clock).run(45.0)  # type: ignore[arg-type]
    assert call.utilisation(10, 20) >= 0.8
    assert call.utilisation(25, 45) >= 0.8
    assert call.queue_p95_ms(25, 45) < 150


def test_damaged_feedback_is_refused_and_the_rest_still_steers() -> None:
    used = []
    for seed in range(1, 8):
        seeded = random.Random(100 + seed)

        def garble(body: bytes, seeded: random.Random = seeded) -> bytes:
            if seeded.random() < 0.9:
                return body
            damaged = bytearray(body)
            damaged[seeded.randrange(len(damaged))] ^= 1 << seeded.randrange(8)
            return bytes(damaged)

        call = Call(path(), seed=seed, garble=garble).run(40.0)
        assert call.refused > 0
        assert call.target_bps(15, 40) < 1.3e6
        used.append(call.utilisation(15, 40))
    # What a damaged time that looks right does is chance: one call of them may fall far.
    assert statistics.median(used) >= 0.5


def test_the_same_seed_is_the_same_call() -> None:
    one, two = (Call(path(loss=0.02, jitter_s=0.003), seed=4).run(10.0) for _ in range(2))
    assert one.sent == two.sent
    assert one.estimates == two.estimates
