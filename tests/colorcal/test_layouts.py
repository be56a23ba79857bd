"""Declared charts: sizes that are known, sizes that a clinic measured, and nonsense."""

from __future__ import annotations

import pytest

from colorcal.errors import ColorInputError
from colorcal.layouts import LAYOUTS, DeclaredChart


def test_five_layouts_of_which_three_have_a_size() -> None:
    assert set(LAYOUTS) == {"classic", "mini", "passport", "nano", "card"}
    known = {name for name in LAYOUTS if DeclaredChart(name).pitches_mm is not None}
    assert known == {"passport", "nano", "card"}


def test_a_measured_pitch_goes_before_the_product_s() -> None:
    assert DeclaredChart("classic", 44.2).pitches_mm == (44.2, 44.2)
    across, down = DeclaredChart("nano", 6.0).pitches_mm or (0, 0)
    assert across == 6.0
    assert down == pytest.approx(6.0 * 5.03 / 5.90)
    assert DeclaredChart("nano", 6.0).pitch_error < DeclaredChart("nano").pitch_error


def test_a_wide_frame_is_a_nano_s_alone() -> None:
    assert [name for name in LAYOUTS if DeclaredChart(name).fits(0.3)] == ["nano"]
    assert "nano" not in [name for name in LAYOUTS if DeclaredChart(name).fits(0.17)]
    assert all(DeclaredChart(name).fits(None) for name in LAYOUTS)


@pytest.mark.parametrize(
    ("layout", "pitch_mm", "error_id"),
    [
        ("sg", None, "color.unknown_layout"),
        ("classic", 0.1, "color.bad_pitch"),
        ("card", 1e9, "color.bad_pitch"),
    ],
)
def test_nonsense_is_refused(layout: str, pitch_mm: float | None, error_id: str) -> None:
    with pytest.raises(ColorInputError) as caught:
        DeclaredChart(layout, pitch_mm)
    assert caught.value.error_id == error_id
