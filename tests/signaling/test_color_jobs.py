"""Color work as worker processes do it: the real functions on rendered pictures with and without a chart."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from media.simulated.scene import Scene, SceneOptions
from signaling.color_jobs import (
    Following,
    Picture,
    derive_corrected,
    derive_shown,
    lut_bytes,
    measure,
    warm_up,
)
from signaling.color_workers import ColorWorkers
from signaling.compose import color_functions
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


def test_a_frame_without_a_chart_is_not() -> None:
    blank = np.full((240, 320, 3), 128, np.uint8)
    assert measure(FUNCTIONS, blank, Following(), 0.0) == (None, Following())
    assert warm_up(FUNCTIONS)


def test_pictures_of_a_still(frame: Picture) -> None:
    png = io.BytesIO()
    Image.fromarray(frame).save(png, "PNG")
    shown = derive_shown(FUNCTIONS, png.getvalue())
    assert Image.open(io.BytesIO(shown.thumbnail)).size == (480, 270)
    assert Image.open(io.BytesIO(shown.display)).size == (1920, 1080)
    assert shown.quality["chart_visible"]
    assert shown.quality["verdict"] in ("accept", "not_measurable")
    assert shown.detection is not None
    corrected = derive_corrected(FUNCTIONS, png.getvalue(), shown.detection)
    assert corrected is not None
    assert Image.open(io.BytesIO(corrected.jpeg)).size == (1920, 1080)
    assert corrected.report["layout"] == "classic"


async def test_in_a_worker_process_a_still_without_a_chart_is_uncalibrated() -> None:
    workers = ColorWorkers(1)
    try:
        shown = await workers.run(derive_shown, FUNCTIONS, still())
        assert shown.detection is None
        assert (shown.quality["chart_visible"], shown.quality["px_per_mm"]) == (False, None)
    finally:
        await workers.stop()
