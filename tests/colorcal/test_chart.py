"""The finder: where it has to find, where it has to find nothing, and following a chart in video."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from bench.color_scene.negatives import KINDS, negative
from bench.color_scene.render import Scene, Setup, render
from colorcal.chart import detect_chart, track_chart
from colorcal.interface import ChartDetection


@cache
def scene(**setup: object) -> Scene:
    return render(Setup(**setup))  # type: ignore[arg-type]


def error_in_pitches(found: ChartDetection | None, truth: Scene, pitch_px: float) -> float:
    assert found is not None
    return float(np.hypot(*(found.centers - truth.centers).T).max() / pitch_px)


@pytest.mark.parametrize("rotation_deg", [0.0, 37.0, 90.0, 180.0, -121.0])
def test_any_rotation(rotation_deg: float) -> None:
    truth = scene(rotation_deg=rotation_deg, width=960, height=640)
    assert error_in_pitches(detect_chart(truth.rgb), truth, 55) < 0.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tilt(seed: int) -> None:
    truth = scene(tilt_deg=45.0, rotation_deg=25.0, seed=seed)
    assert error_in_pitches(detect_chart(truth.rgb), truth, 55) < 0.15


def test_far_chart() -> None:
    truth = scene(pitch_px=25.0, rotation_deg=12.0)
    assert error_in_pitches(detect_chart(truth.rgb), truth, 25) < 0.2


@pytest.mark.parametrize("cover", [{"finger": True}, {"glare": 0.8}, {"finger": True, "glare": 0.8}])
def test_finger_and_glare(cover: dict[str, float]) -> None:
    truth = scene(seed=5, rotation_deg=-20.0, **cover)
    assert error_in_pitches(detect_chart(truth.rgb), truth, 55) < 0.2


@pytest.mark.parametrize("light", ["Incandescent", "FL12", "LED-B2"])
def test_cast_by_a_lamp(light: str) -> None:
    truth = scene(light=light, camera="bells 1", cast=(1.4, 1.0, 0.7), gradient=0.4, width=960, height=640)
    assert error_in_pitches(detect_chart(truth.rgb), truth, 55) < 0.1


def test_in_a_video_the_finders_take_turns_and_one_of_them_finds_a_far_chart() -> None:
    near, far = scene(pitch_px=25.0, rotation_deg=12.0), scene(pitch_px=14.0)
    assert detect_chart(far.rgb) is not None
    by_turn = [detect_chart(far.rgb, turn=turn) is not None for turn in range(4)]
    assert by_turn == [True, False, True, False]
    assert all(detect_chart(near.rgb, turn=turn) is not None for turn in range(2))


def test_pitch_confidence_and_layout() -> None:
    truth = scene(width=960, height=640)
    found = detect_chart(truth.rgb)
    assert found is not None
    assert found.patch_pitch_px == pytest.approx(55, rel=0.03)
    assert 0.5 < found.confidence <= 1
    assert found.layout == "classic"


def test_sixteen_bits_are_like_eight() -> None:
    truth = scene(width=960, height=640)
    eight, sixteen = detect_chart(truth.rgb), detect_chart(truth.rgb.astype(np.uint16) * 257)
    assert eight is not None
    assert sixteen is not None
    assert eight.centers == pytest.approx(sixteen.centers)


def test_large_still() -> None:
    truth = scene(width=960, height=640, rotation_deg=10.0)
    still = cv2.resize(truth.rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    found = detect_chart(np.asarray(still, np.uint8))
    assert found is not None
    assert np.hypot(*(found.centers / 4 - truth.centers).T).max() / 55 < 0.1


@pytest.mark.parametrize("seed", range(2 * len(KINDS) + 2))
def test_nothing_where_no_chart_is(seed: int) -> None:
    assert detect_chart(negative(seed)) is None


def test_a_mirrored_chart_is_not_one() -> None:
    truth = scene(width=960, height=640)
    assert detect_chart(np.ascontiguousarray(truth.rgb[:, ::-1])) is None


def test_track_follows_a_hand() -> None:
    truth = scene(rotation_deg=10.0)
    first = detect_chart(truth.rgb)
    assert first is not None
    moved = np.roll(truth.rgb, (9, -14), axis=(0, 1))
    followed = track_chart(moved, first)
    assert followed is not None
    assert np.abs(followed.centers - first.centers - np.array((-14, 9))).max() < 2.0


def test_track_says_when_the_chart_is_gone() -> None:
    truth = scene(rotation_deg=10.0)
    first = detect_chart(truth.rgb)
    assert first is not None
    assert track_chart(np.full_like(truth.rgb, 120), first) is None
    outside = ChartDetection(first.centers + 5000, 1.0, "classic", first.patch_pitch_px)
    assert track_chart(truth.rgb, outside) is None
