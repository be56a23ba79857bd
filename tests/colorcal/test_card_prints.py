"""Measured print batches: what a clinic's JSON may hold, and that anything else is refused in words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorcal.card import NOMINAL_LAB
from colorcal.card_prints import read_prints
from colorcal.errors import ColorInputError

LAB = NOMINAL_LAB.tolist()
SPECTRA = {
    "wavelengths_nm": list(range(380, 740, 10)),
    "reflectance": [[y] * 36 for y in (0.5 * (1 - np.arange(24) / 30)).tolist()],
}


def text(*batches: Any) -> str:
    return json.dumps({"batches": list(batches)})


def test_lab_and_spectra_are_read() -> None:
    nm = np.arange(380, 741, 5)
    lab = read_prints(text({"batch": 7, "lab_d50": LAB, "label": "matte", "measured_on": "2026-11-20"}))
    assert list(lab) == [7]
    assert lab[7].measured
    assert lab[7].error > 0
    assert "batch 7" in lab[7].name
    grid = np.arange(400, 701, 10)
    spectra = [np.interp(nm, grid, row).tolist() for row in lab[7].reflectance]
    both = read_prints(
        text(
            {"batch": 7, "lab_d50": LAB},
            {"batch": 120, "wavelengths_nm": nm.tolist(), "reflectance": spectra},
        ).encode()
    )
    assert sorted(both) == [7, 120]
    assert both[120].reflectance == pytest.approx(lab[7].reflectance)
    assert both[120].error == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "one key"),
        ('{"batches": {}}', "a list"),
        (text(3), "a batch has"),
        (text({"batch": 0, "lab_d50": LAB}), "1 to 120"),
        (text({"batch": True, "lab_d50": LAB}), "1 to 120"),
        (text({"batch": 7.0, "lab_d50": LAB}), "1 to 120"),
        (text({"batch": 7}), "lab_d50"),
        (text({"batch": 7, "lab_d50": LAB, **SPECTRA}), "lab_d50"),
        (text({"batch": 7, "lab_d50": LAB[:23]}), "24 lists"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [1, 2]]}), "3 numbers"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [1, 2, "3"]]}), "3 numbers"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [1, 2, None]]}), "3 numbers"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [1, 2, float("nan")]]}), "3 numbers"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [1, 2, 10**400]]}), "3 numbers"),
        (text({"batch": 7, "lab_d50": [*LAB[:23], [500, 2, 3]]}), "between"),
        (text({"batch": 7, "lab_d50": LAB[::-1]}), "order"),
        (text({"batch": 7, **SPECTRA}), "order"),
        (text({"batch": 7, **SPECTRA, "wavelengths_nm": list(range(420, 780, 10))}), "400"),
        (text({"batch": 7, **SPECTRA, "wavelengths_nm": [380] * 36}), "rise"),
        (text({"batch": 7, **SPECTRA, "reflectance": [[2.0] * 36] * 24}), "between"),
        (text({"batch": 7, "lab_d50": LAB}, {"batch": 7, "lab_d50": LAB}), "twice"),
        (text({"batch": 7, "lab_d50": LAB, "colour": 1}), "nothing else"),
    ],
)
def test_anything_else_is_refused(content: str, words: str) -> None:
    with pytest.raises(ColorInputError, match=words) as caught:
        read_prints(content)
    assert caught.value.error_id == "color.bad_prints"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(json_values, st.sampled_from(["batch", "lab_d50", "wavelengths_nm", "reflectance", "label"]))
def test_no_value_in_any_place_crashes(value: Any, key: str) -> None:
    content = text({"batch": 7, "lab_d50": LAB, key: value})
    with suppress(ColorInputError):
        assert set(read_prints(content)) == {value if key == "batch" else 7}


@given(st.binary(max_size=60))
def test_no_bytes_crash(data: bytes) -> None:
    with pytest.raises(ColorInputError):
        read_prints(data)
