"""The frame between patches: read alike through blur and tilt, and what a wrong declaration comes to."""

from __future__ import annotations

import numpy as np
import pytest

import colorcal
from bench.color_scene.render import Scene, Setup, render
from colorcal.gaps import frame_share
from colorcal.reference import GRID


def scene(layout: str, **setup: float) -> Scene:
    return render(Setup(layout=layout, width=960, height=640, camera="bells 1", **setup))  # type: ignore[arg-type]


@pytest.mark.parametrize(("layout", "share"), [("classic", 0.14), ("passport", 0.174), ("nano", 0.29)])
@pytest.mark.parametrize("trouble", [{}, {"blur_px": 3.0}, {"tilt_deg": 40.0, "rotation_deg": 30.0}])
def test_width_is_read_through_blur_and_tilt(layout: str, share: float, trouble: dict[str, float]) -> None:
    truth = scene(layout, pitch_px=45.0, **trouble)
    assert frame_share(truth.rgb, truth.centers) == pytest.approx(share, abs=0.045)


def test_sixteen_bits_are_like_eight() -> None:
    truth = scene("nano", pitch_px=45.0)
    eight, sixteen = (
        frame_share(one, truth.centers) for one in (truth.rgb, truth.rgb.astype(np.uint16) * 257)
    )
    assert eight == pytest.approx(sixteen)


def test_where_nothing_is_seen_nothing_is_said() -> None:
    dark = np.full((300, 400, 3), 10, np.uint8)
    assert frame_share(dark, GRID * 50 + 50) is None
    assert frame_share(dark, GRID * 50 + 5000) is None
    assert frame_share(dark[:1, :1], np.full((24, 2), np.nan)) is None


@pytest.mark.parametrize(
    ("there", "declared", "known"),
    [
        ("nano", "nano", True),
        ("nano", "passport", False),
        ("passport", "nano", False),
        ("passport", "passport", True),
    ],
)
def test_a_chart_that_cannot_be_the_declared_one_has_no_scale(there: str, declared: str, known: bool) -> None:
    truth = scene(there, pitch_px=50.0, rotation_deg=15.0)
    found = colorcal.detect_chart(truth.rgb, colorcal.DeclaredChart(declared))
    assert found is not None
    assert found.layout == declared
    assert (found.pitch_mm is not None) == known
