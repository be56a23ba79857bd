"""Color work for a worker process: measure one frame, derive a still's pictures; functions that pickle.

The parts' own functions come as arguments: they travel by name, so a worker imports only what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorcal.interface import Calibration, ChartDetection, Grade
from signaling.views import report_values

LUT_SIZE = 33
THUMBNAIL_PX = 480
DISPLAY_PX = 2560

Picture = NDArray[np.uint8]
DetectChart = Callable[[Picture], ChartDetection | None]
Calibrate = Callable[[Picture, ChartDetection], Calibration | None]
ToSrgb = Callable[[bytes], Picture]
EncodeDerived = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class ColorFunctions:
    """What colorcal and the record's images offer."""

    detect_chart: DetectChart
    calibrate: Calibrate
    to_srgb: ToSrgb
    encode_derived: EncodeDerived


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame's calibration. lut: size^3 * 3 bytes, red fastest; None when the grade refuses it."""

    report: Mapping[str, Any]
    lut: bytes | None
    size: int = LUT_SIZE


@dataclass(frozen=True, slots=True)
class Corrected:
    """A still's corrected picture as JPEG, with the report behind it."""

    jpeg: bytes
    report: Mapping[str, Any]


def warm_up(functions: ColorFunctions) -> bool:
    """Import what the functions need, and run them once on nothing."""
    return functions.detect_chart(np.zeros((72, 128, 3), np.uint8)) is None


def measure(functions: ColorFunctions, rgb: Picture) -> Measured | None:
    """Find the chart in a frame and fit a correction; None without a chart."""
    detection = functions.detect_chart(rgb)
    if detection is None:
        return None
    calibration = functions.calibrate(rgb, detection)
    if calibration is None:
        return None
    trusted = calibration.report.grade is not Grade.REFUSE
    return Measured(
        report_values(calibration.report), lut_bytes(calibration.lut(LUT_SIZE)) if trusted else None
    )


def lut_bytes(lut: Picture) -> bytes:
    """uint8 [r, g, b, 3] to bytes with red fastest, as LutEvent has them."""
    return np.ascontiguousarray(lut.transpose(2, 1, 0, 3)).tobytes()


def derive_shown(functions: ColorFunctions, original: bytes) -> tuple[bytes, bytes]:
    """Thumbnail and display picture of an original, as JPEG."""
    rgb = functions.to_srgb(original)
    return functions.encode_derived(rgb, THUMBNAIL_PX), functions.encode_derived(rgb, DISPLAY_PX)


def derive_corrected(functions: ColorFunctions, original: bytes) -> Corrected | None:
    """The original corrected by the chart in it; None without a chart that can be trusted: uncalibrated."""
    rgb = functions.to_srgb(original)
    detection = functions.detect_chart(rgb)
    if detection is None:
        return None
    calibration = functions.calibrate(rgb, detection)
    if calibration is None or calibration.report.grade is Grade.REFUSE:
        return None
    corrected = np.asarray(calibration.apply(rgb), np.uint8)
    return Corrected(functions.encode_derived(corrected), report_values(calibration.report))
