"""The PDF as a printer sees it: true size, the right colors, markers that are found, fonts inside."""

from __future__ import annotations

from functools import cache

import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

import colorcal
from colorcal import card
from colorcal.card_pdf import card_pdf
from colorcal.errors import ColorInputError
from colorcal.interface import ChartDetection

DPI = 150
PX_PER_MM = DPI / 25.4


@cache
def sheet(batch: int, page: int = 0) -> NDArray[np.uint8]:
    document = pypdfium2.PdfDocument(card_pdf(batch))
    picture = document[page].render(scale=DPI / 72).to_numpy()
    document.close()
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[..., 2::-1])


def found(batch: int) -> ChartDetection:
    detection = colorcal.detect_chart(sheet(batch))
    assert detection is not None
    return detection


@pytest.mark.parametrize("batch", [0, 7, card.MAX_BATCH])
def test_the_printed_card_is_found_with_its_batch(batch: int) -> None:
    assert (found(batch).layout, found(batch).print_batch) == ("card", batch)


def test_it_is_printed_at_true_size() -> None:
    assert found(7).patch_pitch_px == pytest.approx(card.PITCH_MM * PX_PER_MM, rel=2e-3)
    calibration = colorcal.calibrate(sheet(7), found(7))
    assert calibration is not None
    assert calibration.report.scale_mm_per_px == pytest.approx(1 / PX_PER_MM, rel=3e-3)


def test_patches_have_the_inks_of_the_definition() -> None:
    samples = colorcal.sample_patches(sheet(7), found(7).centers)
    assert np.abs(samples.mean - card.ink_rgb(card.NOMINAL_LAB)).max() < 0.004
    assert samples.spread.max() < 0.002


def test_nothing_comes_near_the_markers() -> None:
    """One module of white around each, though words stand between them."""
    origin = found(7).centers[0] - np.array(card.FIRST_CENTER_MM) * PX_PER_MM
    for corner in range(4):
        corners = card.marker_corners_mm(corner)
        low, high = corners.min(axis=0), corners.max(axis=0)
        edges = np.array([low - card.MODULE_MM, low, high, high + card.MODULE_MM])
        # a pixel or two of each edge are mixed
        x, y = np.round(edges * PX_PER_MM + origin + np.array([[2], [-2], [3], [-1]])).astype(int).T
        ring = sheet(7)[y[0] : y[3], x[0] : x[3]].copy()
        ring[y[1] - y[0] : y[2] - y[0], x[1] - x[0] : x[2] - x[0]] = 255
        assert ring.min() > 250


def test_words_are_text_in_both_languages_and_fonts_are_inside() -> None:
    data = card_pdf(7)
    document = pypdfium2.PdfDocument(data)
    words = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert len(document) == 2
    for expected in (
        "Consult card",
        "会诊色卡",
        "100 %",
        "荧光增白剂",
        "Print batch",
        "inflamed, tan",
        "测量日期",
    ):
        assert expected in words.replace("\r\n", "")
    assert data.count(b"/FontFile2") >= 2
    document.close()


def test_every_character_has_a_glyph() -> None:
    from importlib.resources import files
    from io import BytesIO

    from reportlab.pdfbase.ttfonts import TTFont

    from colorcal import card_words

    text = {letter for name, value in vars(card_words).items() if name.isupper() for letter in str(value)}
    text |= {chr(code) for code in range(32, 127)}
    for name in ("card-regular.ttf", "card-bold.ttf"):
        glyphs = TTFont(name, BytesIO((files("colorcal") / "fonts" / name).read_bytes())).face.charToGlyph
        assert not {letter for letter in text if ord(letter) not in glyphs}


def test_equal_batches_give_equal_bytes() -> None:
    assert card_pdf(7) == card_pdf(7)
    assert card_pdf(7) != card_pdf(8)


@pytest.mark.parametrize("batch", [-1, card.MAX_BATCH + 1, True, 1.0, "7"])
def test_an_impossible_batch_is_refused(batch: object) -> None:
    with pytest.raises(ColorInputError) as caught:
        card_pdf(batch)  # type: ignore[arg-type]
    assert caught.value.error_id == "color.bad_batch"
