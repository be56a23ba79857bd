"""Measured print batches of the consult card, from the JSON in which a clinic keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from colorcal.card import MAX_BATCH, NOMINAL_LAB, PATCHES
from colorcal.chart_reference import CARD_UNDERSTATED, LAB_ERROR, ChartReference
from colorcal.color_math import WHITE_D50, Floats, de00, xyz_to_lab
from colorcal.errors import ColorInputError
from colorcal.inks import reflectance_of_lab
from colorcal.spectra import WAVELENGTHS_NM, daylight, xyz_weights

_MOST_DE00: Final = 25.0
"""Patches further than this from their nominal color were measured in another order, or are not ours."""
_LAB_SKIN_DE00: Final = 1.0
_MAX_STEP_NM: Final = 20.0
_KEYS: Final = {"batch", "label", "measured_on", "instrument", "lab_d50", "wavelengths_nm", "reflectance"}


def read_prints(text: str | bytes) -> Mapping[int, ChartReference]:
    """Print batches by their number.

    The JSON is `{"batches": [...]}`. Each has `batch`, 1 to 120, and the 24 patches in the card's order:
    `lab_d50`, 24 times L*, a*, b* (D50, 2 degree observer), or `reflectance`, 24 spectra from 0 to 1, at
    `wavelengths_nm`, which rise from 400 or below to 700 or above in steps of 20 at most. `label`,
    `measured_on` and `instrument` are for people. Raises ColorInputError("color.bad_prints").
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad("this is no JSON") from error
    if (
        not isinstance(document, dict)
        or set(document) != {"batches"}
        or not isinstance(document["batches"], list)
    ):
        raise _bad('an object with the one key "batches", a list, is expected')
    prints: dict[int, ChartReference] = {}
    for entry in document["batches"]:
        number = _number(entry)
        if number in prints:
            raise _bad(f"batch {number} is there twice")
        prints[number] = _reference(number, entry)
    return prints


def from_lab(number: int, lab: Floats) -> ChartReference:
    """A batch of which the Lab (D50) [24, 3] were measured."""
    return ChartReference(
        f"consult card, batch {number}, measured Lab",
        reflectance_of_lab(lab),
        LAB_ERROR,
        _LAB_SKIN_DE00,
        CARD_UNDERSTATED,
    )


def from_spectra(number: int, reflectance: Floats) -> ChartReference:
    """A batch of which the reflectances [24, 31] were measured."""
    return ChartReference(
        f"consult card, batch {number}, measured spectra", reflectance, understated=CARD_UNDERSTATED
    )


def _number(entry: Any) -> int:
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        raise _bad(f"a batch has {', '.join(sorted(_KEYS))}, and nothing else")
    number = entry.get("batch")
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_BATCH:
        raise _bad(f'"batch" is a whole number from 1 to {MAX_BATCH}')
    return number


def _reference(number: int, entry: Mapping[str, Any]) -> ChartReference:
    words = f"batch {number}"
    if ("lab_d50" in entry) == ("reflectance" in entry) or ("wavelengths_nm" in entry) != (
        "reflectance" in entry
    ):
        raise _bad(f'{words} has "lab_d50", or "reflectance" with "wavelengths_nm"')
    if "lab_d50" in entry:
        lab = _table(entry["lab_d50"], 3, (-150.0, 150.0), f"{words}: lab_d50")
        _check_colors(lab, words)
        return from_lab(number, lab)
    nm = _table([entry["wavelengths_nm"]], None, (200.0, 1200.0), f"{words}: wavelengths_nm", rows=1)[0]
    steps = np.diff(nm)
    if nm[0] > 400 or nm[-1] < 700 or not len(steps) or steps.min() <= 0 or steps.max() > _MAX_STEP_NM:
        raise _bad(f"{words}: wavelengths_nm rise from 400 to 700 in steps of at most {_MAX_STEP_NM:.0f}")
    measured = _table(entry["reflectance"], len(nm), (0.0, 1.5), f"{words}: reflectance")
    reflectance = np.array([np.interp(WAVELENGTHS_NM, nm, row) for row in measured])
    weights = xyz_weights(daylight(5003.0))
    lab = xyz_to_lab(reflectance @ weights / weights.sum(axis=0) * WHITE_D50, WHITE_D50)
    _check_colors(lab, words)
    return from_spectra(number, reflectance)


def _table(
    value: Any, columns: int | None, limits: tuple[float, float], words: str, rows: int = len(PATCHES)
) -> Floats:
    if not isinstance(value, list) or len(value) != rows or not all(isinstance(row, list) for row in value):
        raise _bad(f"{words} is a list of {rows} lists")
    for row in value:
        fits = len(row) == columns if columns is not None else 2 <= len(row) <= 2000
        if not fits or not all(_is_finite(number) for number in row):
            raise _bad(f"{words} holds {columns or 'many'} numbers in each list")
    table = np.array(value, np.float64)
    if table.min() < limits[0] or table.max() > limits[1]:
        raise _bad(f"{words} lies between {limits[0]:.0f} and {limits[1]:g}")
    return table


def _is_finite(number: Any) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return abs(number) < 1e9 and math.isfinite(number)


def _check_colors(lab: Floats, words: str) -> None:
    far = de00(lab, NOMINAL_LAB)
    worst = int(np.argmax(far))
    if far[worst] > _MOST_DE00:
        raise _bad(
            f"{words}: patch {worst + 1} ({PATCHES[worst][0]}) is {far[worst]:.0f} dE00 away from its "
            "nominal color; are the patches in the card's order?"
        )


def _bad(words: str) -> ColorInputError:
    return ColorInputError("color.bad_prints", f"print batches: {words}")
