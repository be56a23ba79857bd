"""Whether two measurements of a lesion differ by more than can be told; pure.

A change is shown only beyond max(10 % of the area, 0.5 mm of a diameter) and beyond its own error, with a
coverage factor of 2 (JCGM 100:2008, 6.3): about 95 %. Both limits hold for each number: as a change of
diameter, 10 % of the area is (sqrt(1.1) - 1) of it; as a change of area, 0.5 mm is that of a disk as wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from records.clinical import Measurement, Quantity, RegionColor

LEAST_AREA_SHARE = 0.10
LEAST_DIAMETER_MM = 0.5
COVERAGE = 2.0


class Verdict(StrEnum):
    """What can be said of one number of two measurements."""

    INCREASED = "increased"
    DECREASED = "decreased"
    NO_MEASURABLE_CHANGE = "no_measurable_change"
    NOT_COMPARABLE = "not_comparable"
    """A scale or a calibration is missing on a side."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Later minus earlier, the least difference that would be told, and the verdict; None: not comparable."""

    verdict: Verdict
    difference: float | None
    least: float | None


NOT_COMPARABLE = Difference(Verdict.NOT_COMPARABLE, None, None)


@dataclass(frozen=True, slots=True)
class Change:
    """What changed of a lesion between two measurements."""

    longest_mm: Difference
    area_mm2: Difference
    lightness: Difference
    a: Difference
    b: Difference
    erythema_index: Difference
    melanin_index: Difference


def compare(earlier: Measurement, later: Measurement) -> Change:
    """Size needs a scale on both sides, color a calibration on both that is not refused."""
    longest = area = NOT_COMPARABLE
    if earlier.size is not None and later.size is not None:
        one, two = earlier.size, later.size
        longest = difference(one.longest_mm, two.longest_mm, _least_mm(one.longest_mm, two.longest_mm))
        area = difference(one.area_mm2, two.area_mm2, _least_mm2(one.area_mm2, two.area_mm2))
    first, second = _calibrated(earlier), _calibrated(later)
    if first is None or second is None:
        return Change(longest, area, *(NOT_COMPARABLE,) * 5)
    return Change(
        longest,
        area,
        lightness=difference(first.lightness, second.lightness),
        a=difference(first.a, second.a),
        b=difference(first.b, second.b),
        erythema_index=difference(first.erythema_index, second.erythema_index),
        melanin_index=difference(first.melanin_index, second.melanin_index),
    )


def difference(earlier: Quantity, later: Quantity, least: float = 0.0) -> Difference:
    """Told beyond `least` and beyond twice the uncertainty of the difference, both sides independent."""
    limit = max(least, COVERAGE * math.hypot(earlier.uncertainty, later.uncertainty))
    by = later.value - earlier.value
    if abs(by) <= limit:
        return Difference(Verdict.NO_MEASURABLE_CHANGE, by, limit)
    return Difference(Verdict.INCREASED if by > 0 else Verdict.DECREASED, by, limit)


def _least_mm(one: Quantity, two: Quantity) -> float:
    mean = (one.value + two.value) / 2
    return max(LEAST_DIAMETER_MM, mean * (math.sqrt(1 + LEAST_AREA_SHARE) - 1))


def _least_mm2(one: Quantity, two: Quantity) -> float:
    mean = (one.value + two.value) / 2
    diameter_mm = 2 * math.sqrt(mean / math.pi)
    return max(
        LEAST_AREA_SHARE * mean, math.pi / 4 * ((diameter_mm + LEAST_DIAMETER_MM) ** 2 - diameter_mm**2)
    )


def _calibrated(measurement: Measurement) -> RegionColor | None:
    if measurement.color is None or measurement.basis.calibration_grade in (None, "refuse"):
        return None
    return measurement.color.inside
