"""The consult card as a PDF: a sheet to print, with the card at true size, and a sheet for what was measured.

Vectors in DeviceRGB, which printers take as sRGB; the fonts are embedded.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from colorcal import card_words as words
from colorcal.card import (
    BLACK,
    FIRST_CENTER_MM,
    FRAME,
    FRAME_LAB,
    HEIGHT_MM,
    MARKER_CENTERS_MM,
    MAX_BATCH,
    NOMINAL_LAB,
    PATCHES,
    RULER_MM,
    WIDTH_MM,
    ink_rgb,
    rectangles,
)
from colorcal.errors import ColorInputError

_PAGE_WIDTH_MM: Final = A4[0] / mm
_CARD_LEFT_MM: Final = (_PAGE_WIDTH_MM - WIDTH_MM) / 2
_CARD_TOP_MM: Final = 38.0
_LEFT_MM: Final = 18.0
_RIGHT_MM: Final = _PAGE_WIDTH_MM - _LEFT_MM
_REGULAR: Final = "Card"
_BOLD: Final = "CardBold"
_QUIET_INK: Final = (0.35, 0.37, 0.40)
_INK: Final = (0.08, 0.09, 0.11)


def card_pdf(batch: int) -> bytes:
    """Two A4 pages, printable on Letter too. batch: 1 to MAX_BATCH, or 0 for none; else ColorInputError."""
    if isinstance(batch, bool) or not isinstance(batch, int) or not 0 <= batch <= MAX_BATCH:
        raise ColorInputError("color.bad_batch", f"a print batch is a whole number from 0 to {MAX_BATCH}")
    _register_fonts()
    data = BytesIO()
    page = _Page(Canvas(data, pagesize=A4, invariant=1, pageCompression=1))
    page.canvas.setTitle(f"TrueHue consult card, {_batch_words(batch)[0]}")
    page.canvas.setSubject("Print at 100 %")
    page.canvas.setCreator("TrueHue")
    _card_sheet(page, batch)
    page.canvas.showPage()
    _measurement_sheet(page, batch)
    page.canvas.showPage()
    page.canvas.save()
    return data.getvalue()


@cache
def _register_fonts() -> None:
    for name, file in ((_REGULAR, "card-regular.ttf"), (_BOLD, "card-bold.ttf")):
        data = (files("colorcal") / "fonts" / file).read_bytes()
        pdfmetrics.registerFont(TTFont(name, BytesIO(data)))


class _Page:
    """A canvas in mm from the upper left corner."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas

    def fill(self, left: float, top: float, width: float, height: float, rgb: Any) -> None:
        self.canvas.setFillColorRGB(*(float(value) for value in rgb))
        self.canvas.rect(left * mm, A4[1] - (top + height) * mm, width * mm, height * mm, stroke=0, fill=1)

    def line(self, left: float, top: float, right: float, bottom: float, width_mm: float = 0.15) -> None:
        self.canvas.setStrokeColorRGB(*_QUIET_INK)
        self.canvas.setLineWidth(width_mm * mm)
        self.canvas.line(left * mm, A4[1] - top * mm, right * mm, A4[1] - bottom * mm)

    def text(
        self,
        left: float,
        baseline: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        quiet: bool = False,
        align: str = "left",
    ) -> None:
        """size in pt."""
        self.canvas.setFillColorRGB(*(_QUIET_INK if quiet else _INK))
        self.canvas.setFont(_BOLD if bold else _REGULAR, size)
        draw = {
            "left": self.canvas.drawString,
            "right": self.canvas.drawRightString,
            "center": self.canvas.drawCentredString,
        }[align]
        draw(left * mm, A4[1] - baseline * mm, text)

    def paragraph(self, left: float, baseline: float, width: float, text: str, size: float) -> float:
        """Lines that fit the width; the baseline after the last."""
        for line in _lines(text, width * mm, size):
            self.text(left, baseline, line, size)
            baseline += 0.5 * size
        return baseline


def _lines(text: str, width_pt: float, size: float) -> list[str]:
    """Break at spaces, and between Chinese characters but before their punctuation."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and pdfmetrics.stringWidth((line + piece).rstrip(), _REGULAR, size) > width_pt:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for character in text:
        is_wide = ord(character) > 0x2E80
        glued = bool(pieces) and (
            character in "，。：；、）”"
            or not (is_wide or ord(pieces[-1][-1]) > 0x2E80 or pieces[-1][-1] == " ")
        )
        if glued:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _batch_words(batch: int) -> tuple[str, str]:
    if batch == 0:
        return words.NO_BATCH
    return f"{words.BATCH[0].lower()} {batch}", f"{words.BATCH[1]} {batch}"


def _card_sheet(page: _Page, batch: int) -> None:
    english, chinese = _batch_words(batch)
    _heading(page, words.TITLE, f"{english}  ·  {chinese}")
    _cutting_line(page)
    _card(page, batch)
    top = _CARD_TOP_MM + HEIGHT_MM + 15
    middle = _PAGE_WIDTH_MM / 2
    column = middle - _LEFT_MM - 5
    bottoms = []
    for index, left in enumerate((_LEFT_MM, middle + 5)):
        baseline = top
        for title, steps in words.STEPS[index::2]:
            page.text(left, baseline, title, 11, bold=True)
            baseline += 6.5
            for number, step in enumerate(steps, 1):
                page.text(left, baseline, f"{number}", 9, bold=True)
                baseline = page.paragraph(left + 5, baseline, column - 5, step, 9) + 1.6
            baseline += 5
        bottoms.append(baseline)
    page.line(middle, top - 4, middle, max(bottoms) - 9)


def _heading(page: _Page, title: tuple[str, str], right: str) -> None:
    page.text(_LEFT_MM, 22, f"TrueHue  {title[0]}", 15, bold=True)
    page.text(_LEFT_MM, 28, title[1], 11, quiet=True)
    page.text(_RIGHT_MM, 22, right, 10, align="right")


def _cutting_line(page: _Page) -> None:
    canvas = page.canvas
    canvas.saveState()
    canvas.setDash([1.2 * mm, 1.2 * mm])
    canvas.setStrokeColorRGB(0.55, 0.57, 0.60)
    canvas.setLineWidth(0.15 * mm)
    bottom = A4[1] - (_CARD_TOP_MM + HEIGHT_MM) * mm
    canvas.rect(_CARD_LEFT_MM * mm, bottom, WIDTH_MM * mm, HEIGHT_MM * mm)
    canvas.restoreState()
    below = _CARD_TOP_MM + HEIGHT_MM + 4
    page.text(_CARD_LEFT_MM + WIDTH_MM, below, " · ".join(words.CUT), 7, quiet=True, align="right")


def _card(page: _Page, batch: int) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return _CARD_LEFT_MM + x, _CARD_TOP_MM + y

    inks = {**{index: ink_rgb(lab) for index, lab in enumerate(NOMINAL_LAB)}, FRAME: ink_rgb(FRAME_LAB)}
    inks[BLACK] = ink_rgb((0.0, 0.0, 0.0))
    for one in rectangles(batch):
        page.fill(*at(one.left, one.top), one.width, one.height, inks[one.ink])
    field_left = FIRST_CENTER_MM[0] - 7.5
    page.text(*at(field_left, 9.6), "TrueHue", 12, bold=True)
    page.text(*at(field_left + 20, 9.6), " ".join(words.TITLE), 8.5, quiet=True)
    (left, top), length = RULER_MM
    for centimetre in range(0, round(length) + 1, 10):
        page.text(*at(left + centimetre, top + 6.0), f"{centimetre}", 5, align="center")
    page.text(*at(left + length + 4.5, top + 6.0), "mm", 5, quiet=True, align="center")
    right_x, left_x = MARKER_CENTERS_MM[1][0], MARKER_CENTERS_MM[0][0]
    for line, baseline in zip((*words.BESIDE[0], *words.BESIDE[1]), (40.4, 43.1, 47.3, 50.1), strict=True):
        page.text(*at(left_x, baseline), line, 5.4, quiet=True, align="center")
    page.text(*at(right_x, 38.6), words.BATCH[0], 5.4, quiet=True, align="center")
    page.text(*at(right_x, 46.6), f"{batch}" if batch else "–", 18, bold=True, align="center")
    page.text(*at(right_x, 50.8), words.BATCH[1], 5.4, quiet=True, align="center")


def _measurement_sheet(page: _Page, batch: int) -> None:
    english, chinese = _batch_words(batch)
    _heading(page, words.MEASURED_TITLE, f"{english}  ·  {chinese}")
    top = 40.0
    for index, (in_english, in_chinese) in enumerate(words.FIELDS):
        left = _LEFT_MM + (index % 2) * 90
        baseline = top + (index // 2) * 9
        page.text(left, baseline, f"{in_english} {in_chinese}", 8, quiet=True)
        page.line(left + 40, baseline + 0.8, left + 84, baseline + 0.8)
    head = top + 33
    nominal_x, measured_x, step = 100.0, 135.0, 19.0
    page.text(nominal_x + 12, head, " ".join(words.COLUMNS[0]), 8, bold=True, align="center")
    page.text(measured_x + 1.5 * step, head, " ".join(words.COLUMNS[1]), 8, bold=True, align="center")
    for index, name in enumerate(("L*", "a*", "b*")):
        page.text(nominal_x + 12 * index, head + 5, name, 8, quiet=True, align="center")
        page.text(measured_x + step * (index + 0.5), head + 5, name, 8, quiet=True, align="center")
    row, first = 6.6, head + 7
    for index, ((name, lab), chinese_name) in enumerate(zip(PATCHES, words.PATCH_NAMES_ZH, strict=True)):
        y = first + index * row
        page.line(_LEFT_MM, y, _RIGHT_MM, y, 0.1)
        page.fill(_LEFT_MM + 7, y + 1, 8, row - 2, ink_rgb(lab))
        baseline = y + 4.5
        page.text(_LEFT_MM + 4.5, baseline, f"{index + 1}", 8, align="right")
        page.text(_LEFT_MM + 18, baseline, name, 8)
        page.text(_LEFT_MM + 48, baseline, chinese_name, 8, quiet=True)
        for place, value in enumerate(lab):
            page.text(nominal_x + 12 * place, baseline, f"{value:.0f}", 8, align="center")
    bottom = first + len(PATCHES) * row
    page.line(_LEFT_MM, bottom, _RIGHT_MM, bottom, 0.1)
    for index in range(4):
        page.line(measured_x + step * index, first, measured_x + step * index, bottom, 0.1)
    baseline = bottom + 7
    for text in (*words.HOW_TO_MEASURE, words.KEPT_AS[0] % (batch or 1), words.KEPT_AS[1]):
        baseline = page.paragraph(_LEFT_MM, baseline, _RIGHT_MM - _LEFT_MM, text, 7.5) + 0.6
