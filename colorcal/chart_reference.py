"""What the patches of a chart reflect, and how well that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np

from colorcal.card import NOMINAL_LAB
from colorcal.color_math import WHITE_D50, Floats, lab_to_xyz, srgb_encode
from colorcal.inks import reflectance_of_lab
from colorcal.interface import ChartDetection
from colorcal.reference import Batch, lab_d50
from colorcal.spectra import CHART_REFLECTANCE, D65_TO_LINEAR_RGB, WAVELENGTHS_NM, daylight, xyz_weights

NOMINAL_ERROR: Final = 0.03
"""Of a card that nobody measured: what office printers and papers differ by, in encoded units."""
CARD_UNDERSTATED: Final = 1.0
LAB_ERROR: Final = 0.006
"""Of a card of which Lab was measured: what the recovered spectra miss under other lights."""


@dataclass(frozen=True, eq=False)
class ChartReference:
    """Reflectances of the 24 patches.

    name: as reports give it. reflectance: float64 [24, 31]. error: standard deviation, in encoded units, by
    which a real chart's patches differ, beyond what well-made charts do. skin_de00: what that adds to the
    expected error on skin, in dE00. understated: factor by which the fit's own spread understates its error
    on skin with such a chart (docs/color.md). measured: whether charts like this one ever were.
    """

    name: str
    reflectance: Floats
    error: float = 0.0
    skin_de00: float = 0.8
    understated: float = 1.7
    measured: bool = True

    @cached_property
    def encoded(self) -> Floats:
        """As sRGB under D65, 0 to 1 [24, 3]."""
        return srgb_encode(np.clip(self.reflectance @ D65_TO_LINEAR_RGB, 0, 1))


@cache
def chart_reflectance(batch: Batch) -> Floats:
    """Reflectance [24, 31] of a ColorChecker: measured for the older pigments, bent smoothly for the newer.

    The bend is the least smooth change that carries the published difference of the two batches' Lab.
    """
    if batch is Batch.BEFORE_2014:
        return CHART_REFLECTANCE
    change = lab_to_xyz(lab_d50(Batch.AFTER_2014), WHITE_D50) / lab_to_xyz(
        lab_d50(Batch.BEFORE_2014), WHITE_D50
    )
    weights = xyz_weights(daylight(5003.0))
    bumps: Floats = np.exp(-0.5 * ((WAVELENGTHS_NM - np.array([[450.0], [545.0], [620.0]])) / 45) ** 2)
    bent = []
    for reflectance, ratio in zip(CHART_REFLECTANCE, change, strict=True):
        xyz = reflectance @ weights
        slope = (bumps * reflectance) @ weights
        bent.append(reflectance * (1 + np.linalg.solve(slope.T, xyz * (ratio - 1)) @ bumps))
    return np.asarray(np.clip(np.array(bent), 0.005, 1.0), np.float64)


@cache
def color_checker(batch: Batch) -> ChartReference:
    """A ColorChecker of a batch."""
    return ChartReference(f"ColorChecker, {batch.value}", chart_reflectance(batch))


@cache
def nominal_card() -> ChartReference:
    """The consult card as it should be printed."""
    return ChartReference(
        "consult card, not measured",
        reflectance_of_lab(NOMINAL_LAB),
        NOMINAL_ERROR,
        2.5,
        CARD_UNDERSTATED,
        measured=False,
    )


def candidates(
    detection: ChartDetection, prints: Mapping[int, ChartReference] | None
) -> tuple[ChartReference, ...]:
    """What the found chart may be: both batches of a ColorChecker; the card's own print batch.

    prints: measured print batches of the card by their number. A card of no such batch is as nominal.
    """
    if detection.layout != "card":
        return tuple(color_checker(batch) for batch in Batch)
    found = (prints or {}).get(detection.print_batch or 0)
    return (nominal_card() if found is None else found,)
