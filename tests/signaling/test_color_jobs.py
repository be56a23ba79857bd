"""Color work as worker processes do it: the real functions on rendered pictures with and without a chart."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.color_scene.render import Setup, render
from colorcal.card import NOMINAL_LAB
from colorcal.interface import DecoderDifference
from media.interface import StatedMatrix
from media.simulated.scene import Scene, SceneOptions
from media.yuv import rgb_from_yuv
from signaling.color_jobs import (
    VERDICTS,
    Following,
    Picture,
    compare,
    corrected,
    derive_corrected,
    derive_shown,
    lut_bytes,
    measure,
    warm_up,
)
from signaling.color_workers import ColorWorkers
from signaling.compose import color_functions
from signaling.settings import SettingsError
from signaling.views import report_view
from tests.signaling.clinic import still

FUNCTIONS = color_functions()


@pytest.fixture(scope="module")
def frame() -> Picture:
    return Scene(SceneOptions(width_px=1920, height_px=1080)).frame(0.0)


def test_lut_bytes_have_red_fastest() -> None:
    size = 3
    lut = np.zeros((size, size, size, 3), np.uint8)
    for r in range(size):
        for g in range(size):
            for b in range(size):
                lut[r, g, b] = (r, 10 * g, 100 + b)
    data = lut_bytes(lut)
    r, g, b = 2, 1, 0
    at = ((b * size + g) * size + r) * 3
    assert tuple(data[at : at + 3]) == (2, 10, 100)


def test_a_frame_with_a_chart_is_measured_and_followed(frame: Picture) -> None:
    outcome, following = measure(FUNCTIONS, frame, Following(), 0.0)
    assert outcome is not None
    assert outcome.report["grade"] in ("good", "usable")
    assert outcome.lut is not None
    assert len(outcome.lut) == outcome.size**3 * 3
    assert following.detection is not None
    again, after = measure(FUNCTIONS, frame, pickle.loads(pickle.dumps(following)), 0.5)
    assert again is not None
    assert after.detection is not None
    assert np.abs(after.detection.centers - following.detection.centers).max() < 5


BT709 = StatedMatrix(0.2126, 0.0722, full_range=False)


def as_bt709(frame: Picture) -> Picture:
    """A picture of BT.601 that was decoded as BT.709."""
    right, wrong = (rgb_from_yuv(kr, kb, False) for kr, kb in ((0.299, 0.114), (BT709.kr, BT709.kb)))
    yuv = (frame - right[:, 3]) @ np.linalg.inv(right[:, :3]).T
    return np.clip(yuv @ wrong[:, :3].T + wrong[:, 3], 0, 255).round().astype(np.uint8)


def test_a_stream_that_states_a_wrong_matrix_is_seen_through(frame: Picture) -> None:
    right, _ = measure(FUNCTIONS, frame, Following(), 0.0)
    following = Following()
    for turn in range(VERDICTS + 1):
        mended, following = measure(FUNCTIONS, as_bt709(frame), following, 0.5 * turn, BT709)
    assert len(following.verdicts) == VERDICTS
    assert following.mix_up is not None
    assert right is not None
    assert mended is not None
    assert "is undone" in mended.report["words_en"]
    # What is calibrated, and what viewers are compared with, are the camera's own colors.
    assert right.chart is not None
    assert mended.chart is not None
    assert np.median(np.abs(right.chart.samples.mean - mended.chart.samples.mean)) < 0.005
    # The same stream without its tag, or with another one, is judged anew.
    _, after = measure(FUNCTIONS, frame, following, 3.0)
    assert (after.verdicts, after.mix_up) == ((), None)


def test_one_verdict_of_several_is_not_enough() -> None:
    against = DecoderDifference(np.eye(3), np.zeros(3), 2.0, 0.0)
    assert Following(verdicts=(against, None, None)).mix_up is None
    assert Following(verdicts=(against, None, against)).mix_up is against


def test_a_viewer_is_compared_by_colorcal(frame: Picture) -> None:
    outcome, following = measure(FUNCTIONS, frame, Following(), 0.0)
    assert outcome is not None
    assert outcome.chart is not None
    assert following.shown is not None
    seen = FUNCTIONS.sample_patches(as_bt709(frame), outcome.chart.centers)
    difference = compare(FUNCTIONS, [(outcome.chart.samples, seen)] * 2)
    assert difference is not None
    assert difference.explained
    assert not difference.agrees
    own = corrected(following.shown, difference)
    assert own.lut != outcome.lut
    assert own.lut is not None
    assert len(own.lut) == own.size**3 * 3


def test_without_the_chart_a_change_of_light_is_told(frame: Picture) -> None:
    """The chart is covered in the second frame; from the third on, the light is warmer."""
    _, following = measure(FUNCTIONS, frame, Following(), 0.0)
    assert following.detection is not None
    centers, margin = following.detection.centers, following.detection.patch_pitch_px
    low, high = (centers.min(0) - margin).astype(int), (centers.max(0) + margin).astype(int)
    covered = frame.copy()
    covered[max(low[1], 0) : high[1], max(low[0], 0) : high[0]] = covered[5, 5]
    warm = np.clip(covered * (1.12, 1.0, 0.8), 0, 255).astype(np.uint8)
    said = []
    for number, picture in enumerate((covered, covered, warm, warm, warm)):
        following = pickle.loads(pickle.dumps(following))
        outcome, following = measure(FUNCTIONS, picture, following, 0.5 * (number + 1))
        assert outcome is None
        said.append(following.changed)
    assert said == [None, None, None, "color", "color"]
    outcome, following = measure(FUNCTIONS, frame, following, 4.0)
    assert outcome is not None
    assert following.changed is None


def test_a_card_in_hand_has_the_scale_of_the_frame_at_hand(tmp_path: Path) -> None:
    prints = tmp_path / "prints.json"
    prints.write_text(json.dumps({"batches": [{"batch": 7, "lab_d50": NOMINAL_LAB.tolist()}]}), "utf-8")
    functions = pickle.loads(pickle.dumps(color_functions(card_prints=str(prints))))
    following, scales = Following(), []
    for number, pitch_px in enumerate((40.0, 44.0)):
        picture = render(Setup(layout="card", print_number=7, pitch_px=pitch_px)).rgb
        outcome, following = measure(functions, picture, following, 0.5 * number)
        assert outcome is not None
        assert outcome.report["layout"] == "card"
        assert "measured Lab" in outcome.report["reference"]
        scales.append(report_view(outcome.report).scale_mm_per_px)
    assert scales == pytest.approx([15 / 40, 15 / 44], rel=0.02)


def test_what_a_clinic_declares_is_what_its_pictures_are(frame: Picture) -> None:
    outcome, _ = measure(color_functions("classic", 44.0), frame, Following(), 0.0)
    assert outcome is not None
    view = report_view(outcome.report)
    assert view.layout == "classic"
    assert view.scale_low_mm_per_px is not None
    assert view.scale_mm_per_px is not None
    assert view.scale_low_mm_per_px < view.scale_mm_per_px


def test_reports_of_an_older_record_are_still_read(frame: Picture) -> None:
    outcome, _ = measure(FUNCTIONS, frame, Following(), 0.0)
    assert outcome is not None
    older = {
        key: value
        for key, value in outcome.report.items()
        if key not in ("scale_low_mm_per_px", "scale_high_mm_per_px", "reference")
    }
    assert report_view(older).scale_low_mm_per_px is None


@pytest.mark.parametrize(
    ("layout", "pitch_mm", "prints", "setting"),
    [
        ("auto", 44.0, "", "chart_pitch_mm"),
        ("classic", 0.5, "", "chart_pitch_mm"),
        ("auto", 0.0, "/nowhere/prints.json", "card_prints"),
    ],
)
def test_settings_that_cannot_be_are_named(layout: str, pitch_mm: float, prints: str, setting: str) -> None:
    with pytest.raises(SettingsError) as caught:
        color_functions(layout, pitch_mm, prints)
    assert caught.value.setting == setting


def test_a_frame_without_a_chart_is_not() -> None:
    blank = np.full((240, 320, 3), 128, np.uint8)
    assert measure(FUNCTIONS, blank, Following(), 0.0) == (None, Following(in_vain=1))
    assert warm_up(FUNCTIONS)


def test_pictures_of_a_still(frame: Picture) -> None:
    png = io.BytesIO()
    Image.fromarray(frame).save(png, "PNG")
    shown = derive_shown(FUNCTIONS, png.getvalue())
    assert Image.open(io.BytesIO(shown.thumbnail)).size == (480, 270)
    assert Image.open(io.BytesIO(shown.display)).size == (1920, 1080)
    assert shown.quality["chart_visible"]
    assert shown.quality["verdict"] in ("accept", "not_measurable")
    assert shown.quality["correctable"]
    assert shown.detection is not None
    corrected = derive_corrected(FUNCTIONS, png.getvalue(), shown.detection)
    assert corrected is not None
    assert derive_corrected(FUNCTIONS, png.getvalue(), None) == corrected
    assert Image.open(io.BytesIO(corrected.jpeg)).size == (1920, 1080)
    assert corrected.report["layout"] == "classic"


async def test_in_a_worker_process_a_still_without_a_chart_is_uncalibrated() -> None:
    workers = ColorWorkers(1)
    try:
        shown = await workers.run(derive_shown, FUNCTIONS, still())
        assert shown.detection is None
        assert (shown.quality["chart_visible"], shown.quality["px_per_mm"]) == (False, None)
        assert not shown.quality["correctable"]
    finally:
        await workers.stop()
