"""The fidelity bench's ruler: known damage gives known scores, and a frame's number survives scaling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.fidelity_scene import HEIGHT_PX, LOOP_FRAMES, MACULE_DE00, WIDTH_PX, LesionScene, read_marker
from bench.fidelity_score import Decoded, number_of, score, to_rgb
from colorcal.color_math import de00
from media.emphasis import SKIN, emphasize_i420
from media.simulated.i420 import i420_from_rgb
from media.simulated.skin import Tone


@pytest.fixture(scope="module")
def scene() -> LesionScene:
    return LesionScene(Tone.TAN)


def decoded(i420: NDArray[np.uint8]) -> Decoded:
    return Decoded(WIDTH_PX, HEIGHT_PX, i420.tobytes())


@pytest.mark.parametrize("width", [1280, 960, 640, 480, 320])
def test_every_number_is_read_at_every_size(scene: LesionScene, width: int) -> None:
    size = (width, width * 9 // 16)
    for number in (0, 1, 21, 42, LOOP_FRAMES - 1):
        luma = i420_from_rgb(scene.frame(number / 30))[:HEIGHT_PX]
        small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        assert read_marker(small) == number


def test_a_picture_without_a_number_has_none() -> None:
    assert read_marker(np.full((720, 1280), 90, np.uint8)) is None


def test_a_lossless_path_keeps_what_420_leaves(scene: LesionScene) -> None:
    frame = decoded(i420_from_rgb(scene.frame(3 / 30)))
    number = number_of(frame)
    assert number == 3
    result = score(scene, to_rgb(frame, None), number)
    assert 0.90 < result.kept < 0.97
    assert result.de00 < 0.15
    assert 0.9 < result.texture < 1.1


def test_emphasis_alone_costs_nothing(scene: LesionScene) -> None:
    picture = i420_from_rgb(scene.frame(3 / 30))
    plain = score(scene, to_rgb(decoded(picture), None), 3)
    emphasize_i420(picture, SKIN)
    there_and_back = score(scene, to_rgb(decoded(picture), SKIN), 3)
    assert there_and_back.kept == pytest.approx(plain.kept, abs=0.001)
    assert there_and_back.de00 == pytest.approx(plain.de00, abs=0.01)
    # Not undone, macules stand out more than they do: a ruler that cannot tell would measure nothing.
    assert score(scene, to_rgb(decoded(picture), None), 3).kept > 2


def test_half_the_contrast_reads_as_half(scene: LesionScene) -> None:
    clean = scene.clean(3).astype(np.float32)
    flat = cv2.GaussianBlur(clean, (0, 0), 40)
    halved = score(scene, np.asarray((clean + flat) / 2, np.float32), 3)
    assert halved.kept == pytest.approx(0.5, abs=0.06)
    assert halved.texture == pytest.approx(0.5, abs=0.05)
    assert score(scene, clean, 3).kept == pytest.approx(1.0)


def test_macules_differ_from_skin_by_what_is_said(scene: LesionScene) -> None:
    lab = cv2.cvtColor(scene.clean(0).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    found = []
    for x, y in scene.centers_at(0)[14:70:5]:
        away = np.hypot(columns - x, rows - y)
        inside, around = lab[away < 4].mean(axis=0), lab[(away > 10) & (away < 18)].mean(axis=0)
        found.append(float(de00(inside.astype(float), around.astype(float))))
    assert np.median(found) == pytest.approx(MACULE_DE00, abs=0.6)
