"""Calibrate from a picture: detection, samples, estimate and report, as one value to keep and send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from colorcal.apply import AnyCorrection, FastTable, apply_exactly, quantise, sample_lut
from colorcal.chart import detect_chart
from colorcal.chart_reference import ChartReference, candidates
from colorcal.correction import Correction, Mixture
from colorcal.decoder import DecodedCorrection
from colorcal.errors import ColorInputError, check_picture, check_size
from colorcal.estimate import estimate
from colorcal.interface import CalibrationReport, ChartDetection, DecoderDifference
from colorcal.patches import PatchSamples, sample_patches
from colorcal.reference import PATCHES
from colorcal.report import make_report, with_decoder

_FAST_NODES = 33
Prints: TypeAlias = Mapping[int, ChartReference]
"""Measured print batches of the consult card by their number (card_prints.read_prints)."""


class FittedCalibration:
    """A colorcal.interface.Calibration: a few dozen numbers, no picture; equal parameters, equal results.

    LUTs are made when first asked for and are left out of a pickle.
    """

    def __init__(
        self,
        correction: Correction | Mixture,
        report: CalibrationReport,
        detection: ChartDetection,
        difference: DecoderDifference | None = None,
    ) -> None:
        """difference: of the decoder whose pictures are corrected from the one that was calibrated."""
        self._correction = correction
        self._report = report
        self._detection = detection
        self._difference = difference
        self._table: FastTable | None = None

    @property
    def report(self) -> CalibrationReport:
        """Grade, residuals and words."""
        return self._report

    @property
    def detection(self) -> ChartDetection:
        """Where the chart was."""
        return self._detection

    @property
    def correction(self) -> Correction | Mixture:
        """The fitted parameters, for the decoder that was calibrated."""
        return self._correction

    def decoded_with(self, difference: DecoderDifference) -> FittedCalibration:
        """The same calibration for what another decoder shows of the video; the report says so."""
        report = with_decoder(self._report, difference.de00)
        return FittedCalibration(self._correction, report, self._detection, difference)

    def with_scale_of(self, report: CalibrationReport) -> FittedCalibration:
        """The same correction with the millimetres of another frame."""
        known = replace(
            self._report,
            scale_mm_per_px=report.scale_mm_per_px,
            scale_low_mm_per_px=report.scale_low_mm_per_px,
            scale_high_mm_per_px=report.scale_high_mm_per_px,
        )
        return FittedCalibration(self._correction, known, self._detection, self._difference)

    def apply(self, rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Correct a picture: H x W x 3, sRGB-encoded, the type it came with."""
        picture = check_picture(rgb)
        if picture.dtype == np.uint16:
            return apply_exactly(self._whole(), cast("NDArray[np.uint16]", picture))
        if self._table is None:
            self._table = FastTable(sample_lut(self._whole(), _FAST_NODES))
        return self._table(cast("NDArray[np.uint8]", picture))

    def lut(self, size: int = 33) -> NDArray[np.uint8]:
        """The correction as a 3D LUT, uint8 [size, size, size, 3], indexed [r, g, b]; size 2 to 129."""
        return quantise(sample_lut(self._whole(), check_size(size)))

    def _whole(self) -> AnyCorrection:
        if self._difference is None:
            return self._correction
        return DecodedCorrection(self._difference, self._correction)

    def __getstate__(self) -> dict[str, Any]:
        """The parameters alone."""
        return {
            "_correction": self._correction,
            "_report": self._report,
            "_detection": self._detection,
            "_difference": self._difference,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore from parameters."""
        self.__init__(state["_correction"], state["_report"], state["_detection"], state["_difference"])  # type: ignore[misc]


def calibrate(
    rgb: NDArray[np.uint8] | NDArray[np.uint16],
    detection: ChartDetection | None = None,
    prints: Prints | None = None,
) -> FittedCalibration | None:
    """Calibrate from a picture, or None where no chart is found in it.

    rgb: H x W x 3, sRGB-encoded uint8 or uint16. detection: where the chart is, when already known.
    prints: what was measured of the consult card; a card of no such batch is taken as nominal, and graded
    "usable" at most.
    Raises ColorInputError for anything else. A chart that is badly seen still gives a result, whose
    report's grade is "refuse".
    """
    picture = check_picture(rgb)
    found = detect_chart(picture) if detection is None else _check_detection(detection)
    if found is None:
        return None
    return calibrate_samples(sample_patches(picture, found.centers), found, prints)


def calibrate_samples(
    samples: PatchSamples, detection: ChartDetection, prints: Prints | None = None
) -> FittedCalibration:
    """Calibrate from patch colors measured elsewhere, as by a viewer on its own decoded picture."""
    made = estimate(samples, candidates(detection, prints))
    return FittedCalibration(made.correction, make_report(samples, made, detection), detection)


def _check_detection(detection: Any) -> ChartDetection:
    if not isinstance(detection, ChartDetection):
        raise ColorInputError("color.bad_detection", "a detection is a ChartDetection")
    centers = np.asarray(detection.centers, dtype=np.float64)
    if centers.shape != (PATCHES, 2) or not np.isfinite(centers).all() or np.abs(centers).max() > 1e6:
        raise ColorInputError("color.bad_detection", "a detection holds 24 finite centers in px")
    return detection
