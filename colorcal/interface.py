"""The values that color calibration hands to other parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

_AGREE_DE00: Final = 0.5
"""Two decoders that agree differ by less: in rounding, and in how they interpolate chroma."""
_EXPLAINED_DE00: Final = 1.0
"""What an explanation may leave, as the median over the patches."""


class Grade(StrEnum):
    """How far a calibration may be trusted: diagnosis, orientation, or not at all."""

    GOOD = "good"
    USABLE = "usable"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class ChartDetection:
    """A chart found in a picture.

    centers: float64 [24, 2], x and y in px, reference order (dark skin first, black last).
    """

    centers: NDArray[np.float64]
    confidence: float
    """0 to 1: how well the measured patches follow the reference."""
    layout: str
    """"classic", "mini", "passport", "nano" or "card". A ColorChecker is "classic" unless another was
    declared: its size cannot be told from a picture."""
    patch_pitch_px: float
    pitch_mm: tuple[float, float] | None = None
    """Distance of neighbouring patches' centers in a row and in a column, where it is known."""
    pitch_error: float = 0.0
    """Relative standard error of pitch_mm."""
    print_batch: int | None = None
    """Of a consult card, as its markers name it; None: not read."""


class LightChange(StrEnum):
    """What is no longer as it was when the calibration was made."""

    COLOR = "color"
    EXPOSURE = "exposure"


class StillVerdict(StrEnum):
    """What to do with a still."""

    ACCEPT = "accept"
    RETAKE = "retake"
    NOT_MEASURABLE = "not_measurable"
    """Fit to look at, not to measure on."""


class StillReason(StrEnum):
    """Why a still is not simply accepted; the most serious first."""

    BLURRED = "blurred"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    GLARE = "glare"
    TILTED = "tilted"
    NO_CHART = "no_chart"
    NO_SCALE = "no_scale"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class StillQuality:
    """A still's quality in numbers, and in words with one instruction at most.

    blur_px: distance over which edges rise from 10 to 90 %; None where no edge is. blur_mm: the same by the
    scale. brightness: encoded value, 0 to 1, of the chart's white, else of the brightest hundredth.
    overexposed_share, glare_share: clipped share of what looks like skin, in large and in small spots.
    tilt_deg: angle between the line of sight and the chart's normal.
    """

    verdict: StillVerdict
    reason: StillReason | None
    blur_px: float | None
    blur_mm: float | None
    brightness: float
    overexposed_share: float
    glare_share: float
    px_per_mm: float | None
    tilt_deg: float | None
    chart_visible: bool
    words_en: str
    words_zh: str


@dataclass(frozen=True, slots=True)
class PatchSamples:
    """Encoded colors of the patches, 0 to 1, in reference order.

    mean: float64 [24, 3]. spread: robust standard deviation within a patch, float64 [24, 3].
    clipped: bool [24], a channel at its upper end. visible: bool [24], the patch lies in the picture.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    clipped: NDArray[np.bool_]
    visible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DecoderDifference:
    """What a picture's own decoder made of it: reference = matrix @ seen + offset, encoded, 0 to 1.

    matrix: float64 [3, 3]. offset: float64 [3]. de00: median CIEDE2000 over the patches between what is seen
    and the reference. residual_de00: the same once the difference is undone.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    de00: float
    residual_de00: float

    @property
    def agrees(self) -> bool:
        """The decoders show the same colors."""
        return self.de00 < _AGREE_DE00

    @property
    def explained(self) -> bool:
        """Undoing it leads back to the reference."""
        return self.residual_de00 < _EXPLAINED_DE00

    def undo(self, encoded: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the reference decoder would show instead of these colors [N, 3], 0 to 1."""
        return np.clip(encoded @ self.matrix.T + self.offset, 0, 1)


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What is known about one calibration, in numbers and in words for a person."""

    grade: Grade
    layout: str
    residual_de00: float
    """Median CIEDE2000 of the corrected patches against the reference."""
    raw_de00: float
    """Median CIEDE2000 of the uncorrected patches against the reference."""
    expected_de00: float
    """Expected CIEDE2000 on skin."""
    expected_de00_low: float
    expected_de00_high: float
    clipped_patches: tuple[int, ...]
    dropped_patches: tuple[int, ...]
    illuminant_xy: tuple[float, float]
    """CIE 1931 chromaticity of the estimated illuminant."""
    illuminant_cct_k: float | None
    scale_mm_per_px: float | None
    """In the chart's plane, in its middle, the mean over directions; None: the chart's size is unknown."""
    words_en: str
    words_zh: str
    scale_low_mm_per_px: float | None = None
    """The smallest and the largest over the chart and over directions, with the error of the chart's size."""
    scale_high_mm_per_px: float | None = None
    reference: str = ""
    """Which reference values were taken."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A measured value and its standard uncertainty, in the same unit."""

    value: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class RegionColor:
    """Color of a region of a corrected picture: CIE Lab under D65, spread, and indices of skin."""

    lightness: Uncertain
    a: Uncertain
    b: Uncertain
    spread_de00: Uncertain
    """Mean CIEDE2000 of its pixels against their mean."""
    erythema_index: Uncertain
    melanin_index: Uncertain
    ita_deg: Uncertain | None
    """Individual typology angle; None where it has no meaning (a color without yellow)."""


@dataclass(frozen=True, slots=True)
class LesionColor:
    """Color inside an outline, around it, and the CIEDE2000 between both means."""

    inside: RegionColor
    surrounding: RegionColor
    contrast_de00: Uncertain


class NotEnoughSkin(ValueError):
    """A region has too few pixels to tell its color."""


class Calibration(Protocol):
    """A fitted correction from one picture, to be applied to pictures of the same camera and light."""

    @property
    def report(self) -> CalibrationReport:
        """Grade, residuals and words."""

    @property
    def detection(self) -> ChartDetection:
        """Where the chart was."""

    def decoded_with(self, difference: DecoderDifference) -> Calibration:
        """The same for what another decoder shows of the video; its report says so."""

    def with_scale_of(self, report: CalibrationReport) -> Calibration:
        """The same correction with the millimetres of another frame."""

    def apply(self, rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Correct a picture: H x W x 3, sRGB-encoded, the type it came with."""

    def lut(self, size: int = 33) -> NDArray[np.uint8]:
        """The correction as a 3D LUT, uint8 [size, size, size, 3], indexed [r, g, b]."""


class ColorMeasure(Protocol):
    """Color of a lesion in a corrected picture (colorcal.skin_color); CPU-bound: call in a thread."""

    def __call__(
        self, corrected: NDArray[np.uint8], outline_px: NDArray[np.float64], expected_de00: float
    ) -> LesionColor:
        """corrected: uint8 sRGB [H, W, 3]; outline_px: closed, [N, 2]. Raises NotEnoughSkin."""
