"""`truehue color correct`: one picture corrected by the chart in it, and what is known about that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from signaling.color_jobs import ColorFunctions


@dataclass(frozen=True, slots=True)
class CorrectedPicture:
    """The corrected picture as a file's bytes, None where no chart was found, and the report for JSON."""

    encoded: bytes | None
    report: dict[str, Any]
    words: str


def correct_picture(functions: ColorFunctions, original: bytes, *, as_png: bool) -> CorrectedPicture:
    """Correct a JPEG, PNG, WebP or HEIC by the chart in it; raises NotAnImage of the record's images.

    The report holds `detected`, `centers` (24 times x, y in px of the upright picture, or None), `grade` and
    `expected_de00` (None without a chart), and, with a chart, its layout, scale, confidence and words.
    """
    rgb = functions.to_srgb(original)
    detection = functions.detect_chart(rgb)
    calibration = None if detection is None else functions.calibrate(rgb, detection)
    if detection is None or calibration is None:
        nothing = {"detected": False, "centers": None, "grade": None, "expected_de00": None}
        return CorrectedPicture(None, nothing, "No chart was found: the picture is uncalibrated.")
    corrected = np.asarray(calibration.apply(rgb), np.uint8)
    known = calibration.report
    report = {
        "detected": True,
        "centers": [[round(float(x), 2), round(float(y), 2)] for x, y in detection.centers],
        "grade": known.grade.value,
        "expected_de00": known.expected_de00,
        "expected_de00_low": known.expected_de00_low,
        "expected_de00_high": known.expected_de00_high,
        "residual_de00": known.residual_de00,
        "layout": detection.layout,
        "confidence": detection.confidence,
        "clipped_patches": list(known.clipped_patches),
        "dropped_patches": list(known.dropped_patches),
        "illuminant_cct_k": known.illuminant_cct_k,
        "print_batch": detection.print_batch,
        "reference": known.reference,
        "scale_mm_per_px": known.scale_mm_per_px,
        "scale_low_mm_per_px": known.scale_low_mm_per_px,
        "scale_high_mm_per_px": known.scale_high_mm_per_px,
        "words": {"en": known.words_en, "zh": known.words_zh},
    }
    encoded = _png(corrected) if as_png else functions.encode_derived(corrected)
    return CorrectedPicture(encoded, report, known.words_en)


def _png(rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    _, data = cv2.imencode(".png", rgb[..., ::-1])
    return data.tobytes()
