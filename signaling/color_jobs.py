"""Color work for a worker process: measure one frame, derive a still's pictures; functions that pickle.

The parts' own functions come as arguments: they travel by name, so a worker imports only what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from colorcal.interface import Calibration, ChartDetection, Grade, StillQuality
from signaling.views import quality_values, report_values

LUT_SIZE = 33
THUMBNAIL_PX = 480
DISPLAY_PX = 2560

Picture = NDArray[np.uint8]
DetectChart = Callable[[Picture], ChartDetection | None]
TrackChart = Callable[[Picture, ChartDetection], ChartDetection | None]
Calibrate = Callable[[Picture, ChartDetection], Calibration | None]
JudgeStill = Callable[[Picture, ChartDetection | None, float | None], StillQuality]
ToSrgb = Callable[[bytes], Picture]
EncodeDerived = Callable[..., bytes]


class Steady(Protocol):
    """A filter over the calibrations of one camera, that pickles."""

    def update(self, calibration: Any, now_s: float) -> Calibration | None:
        """Take a new calibration; the one to show, or None before the first."""


@dataclass(frozen=True, slots=True)
class ColorFunctions:
    """What colorcal and the record's images offer."""

    detect_chart: DetectChart
    track_chart: TrackChart
    make_steady: Callable[[], Steady]
    calibrate: Calibrate
    judge_still: JudgeStill
    to_srgb: ToSrgb
    encode_derived: EncodeDerived


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame's calibration. lut: size^3 * 3 bytes, red fastest; None when the grade refuses it."""

    report: Mapping[str, Any]
    lut: bytes | None
    size: int = LUT_SIZE


@dataclass(frozen=True, slots=True)
class Shown:
    """What a still is looked at as: JPEG pictures, its quality as JSON values, and the chart in it."""

    thumbnail: bytes
    display: bytes
    quality: Mapping[str, Any]
    detection: ChartDetection | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A still's corrected picture as JPEG, with the report behind it."""

    jpeg: bytes
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Following:
    """What a camera's last frames leave for its next one: where the chart was, and the filter."""

    detection: ChartDetection | None = None
    steady: Steady | None = None


def warm_up(functions: ColorFunctions) -> bool:
    """Import what the functions need, and run them once on nothing."""
    return functions.detect_chart(np.zeros((72, 128, 3), np.uint8)) is None


def measure(
    functions: ColorFunctions, rgb: Picture, following: Following, now_s: float
) -> tuple[Measured | None, Following]:
    """Find the chart in a frame, near its last place first, and fit a correction; None without a chart.

    now_s: the frame's time on any clock that does not go back.
    """
    found = functions.track_chart(rgb, following.detection) if following.detection is not None else None
    detection = found or functions.detect_chart(rgb)
    calibration = functions.calibrate(rgb, detection) if detection is not None else None
    if calibration is None:
        return None, following
    steady = following.steady or functions.make_steady()
    after = Following(detection, steady)
    if calibration.report.grade is Grade.REFUSE:
        return Measured(report_values(calibration.report), None), after
    shown = steady.update(calibration, now_s) or calibration
    return Measured(report_values(shown.report), lut_bytes(shown.lut(LUT_SIZE))), after


def lut_bytes(lut: Picture) -> bytes:
    """uint8 [r, g, b, 3] to bytes with red fastest, as LutEvent has them."""
    return np.ascontiguousarray(lut.transpose(2, 1, 0, 3)).tobytes()


def derive_shown(functions: ColorFunctions, original: bytes) -> Shown:
    """Thumbnail and display picture of an original, and what it is good for."""
    rgb = functions.to_srgb(original)
    detection = functions.detect_chart(rgb)
    calibration = functions.calibrate(rgb, detection) if detection is not None else None
    mm_per_px = calibration.report.scale_mm_per_px if calibration is not None else None
    return Shown(
        functions.encode_derived(rgb, THUMBNAIL_PX),
        functions.encode_derived(rgb, DISPLAY_PX),
        quality_values(functions.judge_still(rgb, detection, mm_per_px)),
        detection,
    )


def derive_corrected(
    functions: ColorFunctions, original: bytes, detection: ChartDetection
) -> Corrected | None:
    """The original corrected by the chart in it; None where that cannot be trusted: uncalibrated."""
    rgb = functions.to_srgb(original)
    calibration = functions.calibrate(rgb, detection)
    if calibration is None or calibration.report.grade is Grade.REFUSE:
        return None
    corrected = np.asarray(calibration.apply(rgb), np.uint8)
    return Corrected(functions.encode_derived(corrected), report_values(calibration.report))
