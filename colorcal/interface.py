"""The values that color calibration hands to other parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


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
    """"classic", "mini", "passport", "nano" or "card"."""
    patch_pitch_px: float


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
    words_en: str
    words_zh: str


class Calibration(Protocol):
    """A fitted correction from one picture, to be applied to pictures of the same camera and light."""

    @property
    def report(self) -> CalibrationReport:
        """Grade, residuals and words."""

    @property
    def detection(self) -> ChartDetection:
        """Where the chart was."""

    def apply(self, rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Correct a picture: H x W x 3, sRGB-encoded, the type it came with."""

    def lut(self, size: int = 33) -> NDArray[np.uint8]:
        """The correction as a 3D LUT, uint8 [size, size, size, 3], indexed [r, g, b]."""
