"""The consult card's definition: what the markers carry, what is printed where, and whether it can be."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorcal import card
from colorcal.color_math import de00
from colorcal.reference import COLUMNS, PATCHES, ROWS

batches = st.integers(0, card.MAX_BATCH)


@given(batches, batches)
def test_any_two_corners_tell_the_batch(one: int, other: int) -> None:
    same = sum(a == b for a, b in zip(card.marker_ids(one), card.marker_ids(other), strict=True))
    assert same == 4 if one == other else same <= 1


def test_every_corner_has_ids_of_its_own() -> None:
    ids = [{card.marker_ids(batch)[corner] for batch in range(card.MAX_BATCH + 1)} for corner in range(4)]
    assert all(not one & other for one, other in combinations(ids, 2))
    assert max(max(one) for one in ids) < 50
    assert len(card.batches_by_ids()) == card.MAX_BATCH + 1


def test_markers_are_opencv_s() -> None:
    modules = card.marker_modules(17)
    assert modules.shape == (card.MARKER_MODULES, card.MARKER_MODULES)
    assert modules[0].all()
    assert modules[:, -1].all()
    assert not modules[1:-1, 1:-1].all()


@pytest.mark.parametrize("batch", [0, 7, card.MAX_BATCH])
def test_a_quiet_zone_of_one_module_is_kept_around_every_marker(batch: int) -> None:
    for corner in range(4):
        corners = card.marker_corners_mm(corner)
        left, top = corners.min(axis=0) - card.MODULE_MM
        right, bottom = corners.max(axis=0) + card.MODULE_MM
        assert left >= 0
        assert top >= 0
        assert right <= card.WIDTH_MM
        assert bottom <= card.HEIGHT_MM
        own = (corners.min(axis=0) - 1e-6, corners.max(axis=0) + 1e-6)
        for one in card.rectangles(batch):
            inside = own[0][0] <= one.left and one.left + one.width <= own[1][0]
            inside = inside and own[0][1] <= one.top and one.top + one.height <= own[1][1]
            apart = one.left + one.width <= left + 1e-9 or one.left >= right - 1e-9
            apart = apart or one.top + one.height <= top + 1e-9 or one.top >= bottom - 1e-9
            assert inside or apart


def test_everything_lies_on_the_card() -> None:
    for one in card.rectangles(3):
        assert one.left >= 0
        assert one.top >= 0
        assert one.left + one.width <= card.WIDTH_MM
        assert one.top + one.height <= card.HEIGHT_MM


def test_ruler_is_what_it_says() -> None:
    (left, _), length = card.RULER_MM
    ticks = sorted(
        one.left + one.width / 2 for one in card.rectangles(1) if one.ink == card.BLACK and one.width < 1
    )
    assert len(ticks) == length + 1
    assert ticks[0] == pytest.approx(left)
    assert np.diff(ticks) == pytest.approx(1.0)


def test_patches_are_in_the_order_that_everything_downstream_expects() -> None:
    lab = card.NOMINAL_LAB
    assert lab.shape == (PATCHES, 3) == (ROWS * COLUMNS, 3)
    assert (np.diff(lab[card.WHITE :, 0]) < -10).all()
    assert np.hypot(lab[18:, 1], lab[18:, 2]).max() < 3
    assert (np.diff(lab[:6, 0]) > 0).all()
    assert (lab[6:12, 1] > lab[:6, 1] + 5).all()
    off = np.array([[de00(one, other) for other in lab] for one in lab]) + 100 * np.eye(PATCHES)
    assert off.min() > 3


def test_inks_are_within_srgb_and_white_is_the_bare_paper() -> None:
    rgb = card.ink_rgb(card.NOMINAL_LAB)
    assert rgb[card.WHITE] == pytest.approx(np.ones(3), abs=1e-6)
    assert (rgb >= 0.1).all()
    assert (np.delete(rgb, card.WHITE, axis=0) < 0.96).all()
