"""A path is divided in the order that keeps the skin, and does not flutter."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.allocation import (
    FRAME_RATES,
    FULL_FPS,
    HOLD_S,
    PATIENCE_S,
    RISE,
    SCALES,
    STILL_SHARE,
    Allocation,
    Budget,
    Demand,
    Purpose,
    allocate,
    first_picture_bps,
)
from media.interface import AdaptationLevel as Level

AUDIO = Demand("audio", Purpose.AUDIO, 91_000)
PATIENT = Demand("patient", Purpose.PATIENT_PICTURE, 2_500_000, 300_000)
SCREEN = Demand("screen", Purpose.SCREEN, 1_000_000, 100_000)
OWN = Demand("own", Purpose.OWN_PICTURE, 1_000_000, 60_000)
OTHER = Demand("other", Purpose.OWN_PICTURE, 1_000_000, 60_000)
EVERYTHING = (OWN, SCREEN, PATIENT, AUDIO)


def of(allocation: Allocation, demand: Demand) -> Budget:
    budget = allocation.budget(demand.stream_id)
    assert budget is not None
    return budget


def settled(
    target_bps: float, demands: tuple[Demand, ...], previous: Allocation | None, begin_s: float
) -> Allocation:
    """After 8 s at one rate."""
    for n in range(80):
        previous = allocate(target_bps, demands, begin_s + n / 10, previous)
    assert previous is not None
    return previous


def test_an_ample_path_gives_everybody_everything() -> None:
    allocation = allocate(10e6, EVERYTHING, 0.0)
    assert [(b.stream_id, b.bitrate_bps) for b in allocation.budgets] == [
        (d.stream_id, d.full_bps) for d in EVERYTHING
    ]
    assert allocation.level is Level.FULL
    assert allocation.unused_bps == 10_000_000 - 4_591_000
    assert allocation.budget("nobody") is None


@pytest.mark.parametrize(
    ("target_bps", "level"),
    [
        (4_600_000, Level.FULL),
        (4_000_000, Level.OWN_PICTURE_SMALLER),
        (2_800_000, Level.OWN_PICTURE_SMALLER),
        (2_500_000, Level.FEWER_FRAMES),
        (500_000, Level.FEWER_FRAMES),
        (391_000, Level.FEWER_FRAMES),
        (340_000, Level.STILL_PROMPT),
        (215_000, Level.STILL_PROMPT),
        (200_000, Level.AUDIO_ONLY),
        (30_000, Level.AUDIO_ONLY),
    ],
)
def test_levels_in_their_order(target_bps: float, level: Level) -> None:
    assert allocate(target_bps, EVERYTHING, 0.0).level is level


def test_less_and_less_takes_from_the_last_first_and_no_pixel_of_the_patient() -> None:
    levels = []
    for target_bps in range(5_000_000, 30_000, -10_000):
        allocation = allocate(target_bps, EVERYTHING, 0.0)
        levels.append(allocation.level)
        assert of(allocation, AUDIO).bitrate_bps == 91_000
        patient = of(allocation, PATIENT)
        assert patient.scale == 1.0
        if of(allocation, OWN).bitrate_bps:
            assert patient.bitrate_bps == 2_500_000
        if patient.frames_per_s > 8:
            assert of(allocation, SCREEN).bitrate_bps >= 100_000
    assert levels == sorted(levels)
    assert set(levels) == set(Level)


def test_the_patients_frames_fall_before_its_bits_per_frame() -> None:
    for target_bps in (500_000, 800_000, 1_200_000, 2_000_000):
        patient = of(allocate(target_bps, (AUDIO, PATIENT), 0.0), PATIENT)
        assert 8 <= patient.frames_per_s < 30
        # No frame has less than at the full rate's floor of 8 per second.
        assert patient.bitrate_bps / patient.frames_per_s >= 300_000 / 8 - 1


def test_below_its_floor_a_patients_picture_pauses_late() -> None:
    just = 91_000 + STILL_SHARE * 300_000
    assert of(allocate(just + 1, (AUDIO, PATIENT), 0.0), PATIENT).frames_per_s == 2.0
    assert of(allocate(just - 1, (AUDIO, PATIENT), 0.0), PATIENT).bitrate_bps == 0


def test_equals_share_evenly_and_first_come_is_first_kept() -> None:
    allocation = allocate(891_000, (AUDIO, OWN, OTHER), 0.0)
    assert of(allocation, OWN).bitrate_bps == of(allocation, OTHER).bitrate_bps == 400_000
    assert of(allocation, OWN).scale == 0.5
    one = allocate(91_000 + 100_000, (AUDIO, OWN, OTHER), 0.0)
    assert (of(one, OWN).bitrate_bps, of(one, OTHER).bitrate_bps) == (100_000, 0)
    assert one.level is Level.OWN_PICTURE_SMALLER


def test_what_a_publisher_cannot_use_is_for_those_behind_it() -> None:
    modest = Demand("patient", Purpose.PATIENT_PICTURE, 2_500_000, 300_000, usable_bps=600_000)
    allocation = allocate(1_691_000, (AUDIO, modest, OWN), 0.0)
    assert of(allocation, modest).bitrate_bps == 1_600_000
    assert of(allocation, OWN).bitrate_bps == 1_000_000
    busy = Demand("patient", Purpose.PATIENT_PICTURE, 2_500_000, 300_000, usable_bps=1_600_000)
    assert of(allocate(1_691_000, (AUDIO, busy, OWN), 1.0, allocation), OWN).bitrate_bps <= 60_000


def test_nobody_wants_anything() -> None:
    assert allocate(1e6, (), 0.0) == Allocation(Level.FULL, (), 1_000_000)
    assert allocate(1e6, (AUDIO,), 0.0).level is Level.FULL


def test_a_drain_of_half_a_second_takes_no_step() -> None:
    demands = (AUDIO, PATIENT, OWN)
    before = settled(1_500_000, demands, None, 0.0)
    short = before
    for n in range(6):
        short = allocate(750_000, demands, 10 + n / 10, short)
    assert of(short, PATIENT).bitrate_bps < of(before, PATIENT).bitrate_bps
    assert of(short, PATIENT).frames_per_s == of(before, PATIENT).frames_per_s
    after = allocate(1_500_000, demands, 10.6, short)
    assert after == before


def test_what_stays_too_much_is_taken_down_after_some_patience_and_up_after_a_hold() -> None:
    demands = (AUDIO, PATIENT)
    allocation = settled(2_000_000, demands, None, 0.0)
    high = of(allocation, PATIENT).frames_per_s
    steps = []
    for n in range(100):
        now = 10 + n / 10
        allocation = allocate(600_000 if now < 12 else 2_400_000, demands, now, allocation)
        steps.append((now, of(allocation, PATIENT).frames_per_s))
    down_s = next(at for at, fps in steps if fps < high)
    up_s = next(at for at, fps in steps if at > down_s and fps >= high)
    assert down_s == pytest.approx(10 + PATIENCE_S, abs=0.11)
    assert up_s == pytest.approx(max(12.0, down_s + HOLD_S), abs=0.11)


def test_a_paused_picture_comes_back_only_with_some_room() -> None:
    demands = (AUDIO, OWN)
    paused = settled(100_000, demands, None, 0.0)
    assert of(paused, OWN).bitrate_bps == 0
    assert of(settled(91_000 + RISE * 60_000 - 1, demands, paused, 10.0), OWN).bitrate_bps == 0
    assert of(settled(91_000 + RISE * 60_000 + 1, demands, paused, 10.0), OWN).bitrate_bps > 0
    patient = settled(150_000, (AUDIO, PATIENT), None, 0.0)
    least_bps = STILL_SHARE * 300_000
    assert (
        of(settled(91_000 + RISE * least_bps - 1, (AUDIO, PATIENT), patient, 10.0), PATIENT).bitrate_bps == 0
    )
    assert (
        of(settled(91_000 + RISE * least_bps + 1, (AUDIO, PATIENT), patient, 10.0), PATIENT).bitrate_bps > 0
    )


@pytest.mark.parametrize("mean_bps", [200_000, 400_000, 700_000, 1_500_000, 2_600_000])
def test_a_sawing_estimate_moves_no_step(mean_bps: float) -> None:
    seeded = random.Random(2)
    allocation = settled(mean_bps, EVERYTHING, None, 0.0)
    changes = 0
    for n in range(600):
        saw = 1 + 0.05 * ((n % 40) / 20 - 1) + seeded.gauss(0, 0.005)
        after = allocate(mean_bps * saw, EVERYTHING, 10 + n / 10, allocation)
        steps = [
            [(b.frames_per_s, b.scale, b.bitrate_bps > 0) for b in a.budgets] for a in (allocation, after)
        ]
        changes += steps[0] != steps[1]
        allocation = after
    assert changes <= 4


purposes = st.sampled_from(list(Purpose))
wanted = st.lists(st.tuples(purposes, st.floats(1e4, 5e6), st.floats(0, 1), st.floats(0, 6e6)), max_size=8)


@given(wanted, st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 4)), min_size=1, max_size=20))
def test_no_more_than_the_path_is_reserved_and_all_steps_are_known(
    streams: list[tuple[Purpose, float, float, float]], targets: list[tuple[float, float]]
) -> None:
    demands = tuple(
        Demand(str(n), purpose, full, share * full, usable)
        for n, (purpose, full, share, usable) in enumerate(streams)
    )
    now = 0.0
    allocation: Allocation | None = None
    for target_bps, elapsed_s in targets:
        now += elapsed_s
        allocation = allocate(target_bps, demands, now, allocation)
        reserved = 0.0
        for demand, budget in zip(demands, allocation.budgets, strict=True):
            assert budget.stream_id == demand.stream_id
            assert 0 <= budget.bitrate_bps <= demand.full_bps
            if demand.purpose is Purpose.AUDIO:
                continue
            reserved += min(budget.bitrate_bps, max(demand.usable_bps, demand.floor_bps))
            if budget.bitrate_bps:
                assert budget.frames_per_s in (*FRAME_RATES, FULL_FPS)
                assert budget.scale in SCALES
        assert reserved <= target_bps + 2 * len(demands)
        assert 0 <= allocation.unused_bps <= target_bps


@pytest.mark.parametrize("demands", [EVERYTHING, (OWN, AUDIO), (SCREEN, OTHER)])
def test_the_first_picture_comes_back_with_what_it_needs(demands: tuple[Demand, ...]) -> None:
    paused = settled(1.0, demands, allocate(5e6, demands, 0.0), 1.0)
    assert paused.level is Level.AUDIO_ONLY
    back = allocate(first_picture_bps(demands), demands, 20.0, paused)
    first = min((d for d in demands if d is not AUDIO), key=lambda d: d.purpose)
    assert [b.stream_id for b in back.budgets if b.bitrate_bps and b.purpose is not Purpose.AUDIO] == [
        first.stream_id
    ]


def test_without_pictures_none_can_come_back() -> None:
    assert first_picture_bps((AUDIO,)) == 0.0
