"""The charts that are found, 24 patches in 6 x 4 each, and what is known of their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from colorcal.card import PITCH_MM as CARD_PITCH_MM
from colorcal.errors import ColorInputError


@dataclass(frozen=True, slots=True)
class Layout:
    """A product, or our own card.

    pitch_mm: distance of neighbouring patches' centers in a row and in a column; None where a product's name
    does not fix it. pitch_error: by how much, relatively, one such chart may differ from it.
    frame_shares: least and largest width of the frame between patches, as gaps.frame_share() reads it on
    rendered charts of these proportions. row_over_column: the row's pitch over the column's.
    """

    name: str
    pitch_mm: tuple[float, float] | None
    pitch_error: float
    frame_shares: tuple[float, float] = (0.0, 0.25)
    row_over_column: float = 1.0


# Passport: the recognition chart that ArgyllCMS has for it, which is in mm. Nano: a caliper's reading of one
# chart. Classic and Mini came in several sizes under one name: a clinic measures its own.
LAYOUTS: Final = {
    layout.name: layout
    for layout in (
        Layout("classic", None, 0.01),
        Layout("mini", None, 0.01),
        Layout("passport", (15.0, 15.0), 0.01),
        Layout("nano", (5.90, 5.03), 0.03, (0.22, 1.0), 5.90 / 5.03),
        Layout("card", (CARD_PITCH_MM, CARD_PITCH_MM), 0.01),
    )
}
MEASURED_PITCH_ERROR: Final = 0.01
"""Of a pitch that was measured with a ruler over the five distances of a row."""
_PITCHES_MM: Final = (2.0, 100.0)


@dataclass(frozen=True, slots=True)
class DeclaredChart:
    """Which chart a clinic says it uses: what a picture cannot tell.

    pitch_mm: distance of neighbouring patches' centers in a row, as measured on that very chart; None: what
    is known of the product. Raises ColorInputError for an unknown layout and an impossible pitch.
    """

    layout: str
    pitch_mm: float | None = None

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ColorInputError("color.unknown_layout", f"a layout is one of {', '.join(LAYOUTS)}")
        if self.pitch_mm is not None and not _PITCHES_MM[0] <= self.pitch_mm <= _PITCHES_MM[1]:
            raise ColorInputError("color.bad_pitch", "patches are 2 to 100 mm apart")

    @property
    def pitches_mm(self) -> tuple[float, float] | None:
        """Distance of patches' centers in a row and in a column; None where nobody knows."""
        layout = LAYOUTS[self.layout]
        if self.pitch_mm is None:
            return layout.pitch_mm
        return self.pitch_mm, self.pitch_mm / layout.row_over_column

    def fits(self, frame_share: float | None) -> bool:
        """Whether a chart whose frame is this wide may be the declared one; None: nothing is known."""
        least, largest = LAYOUTS[self.layout].frame_shares
        return frame_share is None or least <= frame_share <= largest

    @property
    def pitch_error(self) -> float:
        """Relative standard error of the pitches."""
        return LAYOUTS[self.layout].pitch_error if self.pitch_mm is None else MEASURED_PITCH_ERROR
