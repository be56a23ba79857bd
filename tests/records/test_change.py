"""Change of a lesion: told beyond its limits and its error, never without a scale or a calibration."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.change import Change, Difference, Verdict, compare, difference
from records.clinical import Basis, LesionColor, Measurement, Quantity, RegionColor, Size

SCALE = Quantity(0.05, 0.001)
BASIS = Basis("annotation", 1, SCALE, "chart", "good", 1.5, "test")
NONE, MORE, LESS = Verdict.NO_MEASURABLE_CHANGE, Verdict.INCREASED, Verdict.DECREASED
APART = Verdict.NOT_COMPARABLE


def disk(diameter_mm: float, uncertainty_mm: float = 0.1) -> Measurement:
    """A measured disk."""
    area = math.pi / 4 * diameter_mm**2
    size = Size(
        Quantity(diameter_mm, uncertainty_mm),
        Quantity(diameter_mm, uncertainty_mm),
        Quantity(area, math.pi / 2 * diameter_mm * uncertainty_mm),
    )
    return Measurement(BASIS, size, None)


def colored(a: float, uncertainty: float = 1.0, grade: str | None = "good") -> Measurement:
    """A measured color of this redness."""
    region = RegionColor(
        Quantity(60, uncertainty),
        Quantity(a, uncertainty),
        Quantity(15, uncertainty),
        Quantity(1, 0.1),
        Quantity(0.2, 0.01),
        Quantity(0.3, 0.01),
        None,
    )
    color = None if grade is None else LesionColor(region, region, Quantity(0, 1))
    return Measurement(replace(BASIS, calibration_grade=grade), None, color)


def test_grown_by_15_percent_shows_and_not_grown_does_not() -> None:
    grown = compare(disk(6.0), disk(6.9))
    assert (grown.longest_mm.verdict, grown.area_mm2.verdict) == (MORE, MORE)
    assert grown.longest_mm.difference == pytest.approx(0.9)
    same = compare(disk(6.0), disk(6.1))
    assert (same.longest_mm.verdict, same.area_mm2.verdict) == (NONE, NONE)


@pytest.mark.parametrize(
    ("before_mm", "after_mm", "verdict"),
    [
        (6.0, 6.45, NONE),  # below 0.5 mm, though 15 % more area
        (6.0, 6.55, MORE),
        (3.0, 2.4, LESS),
        (40.0, 41.5, NONE),  # below 10 % of the area, though 1.5 mm
        (40.0, 42.5, MORE),
    ],
)
def test_the_larger_limit_counts(before_mm: float, after_mm: float, verdict: Verdict) -> None:
    change = compare(disk(before_mm, 0.0), disk(after_mm, 0.0))
    assert (change.longest_mm.verdict, change.area_mm2.verdict) == (verdict, verdict)


def test_a_change_within_its_error_is_none() -> None:
    assert compare(disk(6.0, 0.5), disk(7.2, 0.5)).longest_mm.verdict is NONE
    assert compare(disk(6.0, 0.1), disk(7.2, 0.1)).longest_mm.verdict is MORE


def test_redness_is_told_beyond_the_calibrations_error() -> None:
    assert compare(colored(10), colored(15)).a.verdict is MORE
    assert compare(colored(10), colored(12)).a.verdict is NONE
    assert compare(colored(10, 3.0), colored(15, 3.0)).a.verdict is NONE
    assert compare(colored(10), colored(15)).longest_mm.verdict is APART


def all_of(change: Change) -> list[Difference]:
    return [getattr(change, name) for name in Change.__dataclass_fields__]


@pytest.mark.parametrize("grade", [None, "refuse"])
def test_without_a_calibration_color_is_not_comparable(grade: str | None) -> None:
    bad = colored(10, grade=grade)
    for change in (compare(bad, colored(20)), compare(colored(20), bad)):
        assert {one.verdict for one in all_of(change)} == {APART}
        assert {one.difference for one in all_of(change)} == {None}


diameters = st.floats(0.5, 200)
errors = st.floats(0, 5)


@given(diameters, errors, diameters, errors)
def test_turned_around_it_is_the_opposite(d1: float, u1: float, d2: float, u2: float) -> None:
    forth, back = compare(disk(d1, u1), disk(d2, u2)), compare(disk(d2, u2), disk(d1, u1))
    opposite = {MORE: LESS, LESS: MORE, NONE: NONE, APART: APART}
    for one, other in zip(all_of(forth), all_of(back), strict=True):
        assert other.verdict is opposite[one.verdict]
        assert one.least == other.least


@given(diameters, errors, diameters, errors)
def test_a_change_is_never_told_within_any_limit(d1: float, u1: float, d2: float, u2: float) -> None:
    change = compare(disk(d1, u1), disk(d2, u2))
    if change.longest_mm.verdict in (MORE, LESS):
        assert abs(d2 - d1) > max(0.5, 2 * math.hypot(u1, u2))
    if change.area_mm2.verdict in (MORE, LESS):
        a1, a2 = math.pi / 4 * d1**2, math.pi / 4 * d2**2
        assert abs(a2 - a1) > 0.1 * min(a1, a2)


@given(st.floats(-50, 50), st.floats(-50, 50), errors, errors)
def test_more_error_never_tells_more(value: float, other: float, u: float, more: float) -> None:
    sure = difference(Quantity(value, u), Quantity(other, u))
    unsure = difference(Quantity(value, u + more), Quantity(other, u))
    assert sure.verdict is not NONE or unsure.verdict is NONE
