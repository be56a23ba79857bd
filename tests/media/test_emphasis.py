"""Stretching chroma and the way back: within rounding, without clipping, plane by plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.emphasis import (
    CENTERS,
    SKIN,
    SOFTNESSES,
    emphasize_i420,
    forward_table,
    inverse_table,
    is_undoable,
    stretch,
)
from media.interface import ChromaEmphasis

centers = st.integers(CENTERS.start, CENTERS.stop - 1)
softnesses = st.integers(SOFTNESSES.start, SOFTNESSES.stop - 1)


@given(centers, softnesses)
def test_every_code_that_has_one_of_its_own_comes_back_as_it_was(center: int, softness: int) -> None:
    forward = forward_table(center, softness)
    off = np.abs(inverse_table(center, softness)[forward] - np.arange(256))
    shared = np.bincount(forward, minlength=256)[forward]
    assert (off[shared == 1] == 0).all()
    # Far from the center some codes share one, and come back as their middle.
    assert (off <= (shared - 1) / 2).all()
    assert shared.max() <= 6


@given(centers, softnesses)
def test_what_lies_between_is_close_to_the_true_inverse(center: int, softness: int) -> None:
    table = inverse_table(center, softness).astype(float)
    assert (np.diff(table) >= 0).all()
    assert np.abs(stretch(table, center, softness) - np.arange(256)).max() <= 1.5


@given(centers, softnesses)
def test_nothing_is_clipped_and_no_order_is_lost(center: int, softness: int) -> None:
    table = forward_table(center, softness)
    assert (table[0], table[255]) == (0, 255)
    assert (np.diff(table.astype(int)) >= 0).all()


def test_skin_gets_a_code_for_every_code() -> None:
    for center in (SKIN.center_u, SKIN.center_v):
        near = forward_table(center, SKIN.softness)[center - 30 : center + 31]
        assert len(set(near.tolist())) == 61


def test_the_page_has_the_same_values() -> None:
    # The same numbers stand in consult_ui/src/color/emphasis.test.ts.
    assert forward_table(115, 8)[::32].tolist() == [0, 12, 30, 65, 170, 213, 233, 246]
    assert forward_table(142, 8)[::32].tolist() == [0, 9, 22, 41, 83, 189, 225, 243]
    assert inverse_table(115, 8)[::32].tolist() == pytest.approx(
        [0.5, 67.0, 95.5, 108.33334, 116.0, 124.0, 140.0, 175.5], abs=1e-4
    )


def test_only_chroma_is_rewritten_each_plane_around_its_center() -> None:
    picture = np.full((6, 4), 90, np.uint8)
    picture[4], picture[5] = SKIN.center_u, SKIN.center_v
    emphasize_i420(picture, SKIN)
    assert (picture[:4] == 90).all()
    assert (picture[4] == forward_table(SKIN.center_u, SKIN.softness)[SKIN.center_u]).all()
    assert (picture[5] == forward_table(SKIN.center_v, SKIN.softness)[SKIN.center_v]).all()


@pytest.mark.parametrize(
    ("emphasis", "undoable"),
    [
        (SKIN, True),
        (ChromaEmphasis(2, 115, 142, 8), False),
        (ChromaEmphasis(1, 0, 142, 8), False),
        (ChromaEmphasis(1, 115, 255, 8), False),
        (ChromaEmphasis(1, 115, 142, 1), False),
    ],
)
def test_what_can_be_undone(emphasis: ChromaEmphasis, undoable: bool) -> None:
    assert is_undoable(emphasis) is undoable
