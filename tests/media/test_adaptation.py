"""From Publications to demands, and from budgets to layers and publishers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.adaptation import (
    AUDIO_BPS,
    HEADERS,
    LEAST_AUDIO_BPS,
    OWN_FLOOR_BPS,
    PATIENT_FLOOR_BPS,
    SCREEN_FLOOR_BPS,
    best,
    demand,
    layer_target,
)
from media.congestion.allocation import Budget, Purpose
from media.interface import Kind, PublicationInfo, Source
from media.layers import EVERYTHING, LayerTarget

CAMERA = PublicationInfo("p", "r", "a", Kind.VIDEO, Source.CAMERA, "VP8")
BUDGET = Budget("p", Purpose.PATIENT_PICTURE, 1_000_000, 15.0)


def test_the_patients_camera_goes_before_a_screen_and_other_cameras() -> None:
    patient = demand(replace(CAMERA, is_patient=True), 2.5e6, 1e6)
    screen = demand(replace(CAMERA, source=Source.SCREEN, is_patient=True), 2.5e6, 1e6)
    own = demand(CAMERA, 2.5e6, 1e6)
    sound = demand(replace(CAMERA, source=Source.MICROPHONE, is_patient=True), 2.5e6, 1e6)
    assert sound.purpose < patient.purpose < screen.purpose < own.purpose
    assert (patient.floor_bps, screen.floor_bps, own.floor_bps) == (
        PATIENT_FLOOR_BPS,
        SCREEN_FLOOR_BPS,
        OWN_FLOOR_BPS,
    )
    assert (patient.full_bps, sound.full_bps) == (2.5e6, AUDIO_BPS)
    assert 1.5e6 < patient.usable_bps < 1.8e6


def test_a_floor_is_no_higher_than_the_most_that_may_be_sent() -> None:
    assert demand(replace(CAMERA, is_patient=True), 200_000, 0.0).floor_bps == 200_000


@pytest.mark.parametrize(
    ("sent_bps", "target"),
    [
        (0.0, EVERYTHING),
        (1e6, EVERYTHING),
        (1.5e6, EVERYTHING._replace(max_temporal=1)),
        (2.5e6, EVERYTHING._replace(max_temporal=0)),
    ],
)
def test_temporal_layers_go_while_more_comes_than_fits(sent_bps: float, target: LayerTarget) -> None:
    assert layer_target(BUDGET, sent_bps / HEADERS) == target


@pytest.mark.parametrize(
    ("share", "before", "after"), [(0.75, True, True), (0.9, False, True), (1.0, False, False)]
)
def test_what_a_publisher_follows_soon_is_left_to_the_pacer(share: float, before: bool, after: bool) -> None:
    sent_bps = BUDGET.bitrate_bps / share / HEADERS
    targets = [layer_target(BUDGET, sent_bps, thinned=thinned) for thinned in (False, True)]
    assert [target.max_temporal is not None for target in targets] == [before, after]


@pytest.mark.parametrize(
    ("payload_bps", "held_bps"), [(0, LEAST_AUDIO_BPS), (40_000, 75_200), (200_000, AUDIO_BPS)]
)
def test_for_sound_is_held_what_comes_and_a_voice_at_least(payload_bps: float, held_bps: float) -> None:
    sound = replace(CAMERA, kind=Kind.AUDIO, source=Source.MICROPHONE)
    assert demand(sound, 2.5e6, payload_bps).full_bps == held_bps


def test_an_own_picture_shrinks_and_nothing_is_paused() -> None:
    own = Budget("p", Purpose.OWN_PICTURE, 200_000, 30.0, 0.25)
    assert layer_target(own, 1e6) == EVERYTHING._replace(max_spatial=0)
    assert layer_target(replace(own, scale=0.5), 1e6) == EVERYTHING._replace(max_spatial=1)
    assert layer_target(replace(own, bitrate_bps=0, scale=0.0), 1e6).paused


def test_a_publisher_makes_what_the_best_can_take() -> None:
    slow = Budget("p", Purpose.PATIENT_PICTURE, 300_000, 8.0)
    assert best([slow, BUDGET, replace(slow, bitrate_bps=0, frames_per_s=0.0)]) == (1_000_000, 15.0)
    assert best([]) == (0, 0.0)
