"""Color numbers of a lesion: worked examples, masks, and what the calibration's error does to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from colorcal.color_math import de00, srgb_to_lab
from colorcal.interface import NotEnoughSkin
from colorcal.skin_color import (
    erythema_index,
    ita_deg,
    lesion_mask,
    measure_color,
    measure_outline,
    melanin_index,
    surrounding_mask,
)

SKIN, LESION = (224, 172, 150), (168, 92, 80)


def disk(radius_px: float, center: tuple[float, float] = (150, 120)) -> NDArray[np.float64]:
    turn = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    x, y = center
    return np.column_stack([x + radius_px * np.cos(turn), y + radius_px * np.sin(turn)])


def painted(radius_px: float) -> NDArray[np.uint8]:
    picture = np.full((240, 300, 3), SKIN, np.uint8)
    picture[lesion_mask(disk(radius_px), 240, 300)] = LESION
    return picture


def test_indices_by_hand() -> None:
    """R = 0.5, G = 0.25: log10(2) = 0.30103 for both."""
    assert erythema_index([0.5, 0.25, 0.2]) == pytest.approx(0.30103, abs=1e-5)
    assert melanin_index([0.5, 0.25, 0.2]) == pytest.approx(0.30103, abs=1e-5)
    assert melanin_index([1.0, 1.0, 1.0]) == pytest.approx(0.0)
    assert np.isfinite(erythema_index([0.0, 0.0, 0.0]))


def test_the_typology_angle_by_hand() -> None:
    assert ita_deg([60.0, 12.0, 10.0]) == pytest.approx(45.0)
    assert ita_deg([40.0, 12.0, 10.0]) == pytest.approx(-45.0)


def test_a_mask_has_the_outlines_area() -> None:
    for radius in (5.0, 20.0, 60.0):
        assert lesion_mask(disk(radius), 240, 300).sum() == pytest.approx(math.pi * radius**2, rel=0.03)
    square = lesion_mask(np.array([(10, 10), (20, 10), (20, 20), (10, 20)], float), 40, 40)
    assert square[10:20, 10:20].all()
    assert square.sum() == 100


def test_the_ring_touches_neither_the_lesion_nor_another() -> None:
    inside = lesion_mask(disk(30), 240, 300)
    other = lesion_mask(disk(10, (190, 120)), 240, 300)
    ring = surrounding_mask(inside, other)
    assert ring.any()
    assert not (ring & inside).any()
    assert not (ring & other).any()
    grown = lesion_mask(disk(31.5), 240, 300)
    assert not (ring & grown).any()


def test_a_painted_lesion_has_its_color() -> None:
    measured = measure_outline(painted(30), disk(30), 0.0)
    wanted = srgb_to_lab(np.array(LESION) / 255)
    around = srgb_to_lab(np.array(SKIN) / 255)
    inside, skin = measured.inside, measured.surrounding
    assert (inside.lightness.value, inside.a.value, inside.b.value) == pytest.approx(tuple(wanted))
    assert (skin.lightness.value, skin.a.value, skin.b.value) == pytest.approx(tuple(around))
    assert measured.contrast_de00.value == pytest.approx(float(de00(wanted, around)))
    assert inside.spread_de00.value == pytest.approx(0.0, abs=1e-6)
    assert skin.ita_deg is not None
    assert skin.ita_deg.value == pytest.approx(float(ita_deg(around)))
    assert inside.erythema_index.value > skin.erythema_index.value
    assert inside.melanin_index.value > skin.melanin_index.value


def test_spread_is_told_inside_and_around_apart() -> None:
    picture = painted(40).astype(np.int16)
    noise = np.random.default_rng(3).normal(0, 12, picture.shape)
    mottled = lesion_mask(disk(40), 240, 300)
    picture[mottled] += noise[mottled].astype(np.int16)
    measured = measure_outline(np.clip(picture, 0, 255).astype(np.uint8), disk(40), 1.0)
    assert measured.inside.spread_de00.value > 3
    assert measured.surrounding.spread_de00.value < 0.01


def test_the_calibrations_error_goes_into_every_number() -> None:
    exact, rough = (measure_outline(painted(30), disk(30), error) for error in (0.0, 4.0))
    assert exact.inside.a.uncertainty == pytest.approx(0.0, abs=1e-9)
    assert rough.inside.a.uncertainty == pytest.approx(4.0)
    assert rough.inside.erythema_index.uncertainty > 0.01
    assert rough.contrast_de00.uncertainty == pytest.approx(2.0)


def test_an_outline_at_the_edge_is_measured_by_what_is_there() -> None:
    picture = np.full((240, 300, 3), SKIN, np.uint8)
    measured = measure_outline(picture, disk(30, (5, 5)), 1.0)
    assert measured.contrast_de00.value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("outline", [disk(1.5), disk(20, (-400, 20)), disk(20, (900, 20))])
def test_too_few_pixels_have_no_color(outline: NDArray[np.float64]) -> None:
    with pytest.raises(NotEnoughSkin):
        measure_outline(painted(30), outline, 1.0)


def test_a_lesion_without_skin_around_it_is_not_measured() -> None:
    picture = painted(30)
    inside = np.ones(picture.shape[:2], bool)
    with pytest.raises(NotEnoughSkin):
        measure_color(picture, inside, surrounding_mask(inside), 1.0)
