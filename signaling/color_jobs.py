"""Color work for a worker process: measure one frame, derive a still's pictures; functions that pickle.

The parts' own functions come as arguments: they travel by name, so a worker imports only what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from colorcal.interface import (
    Calibration,
    ChartDetection,
    DecoderDifference,
    Grade,
    LightChange,
    PatchSamples,
    StillQuality,
)
from media.interface import StatedMatrix
from signaling.messages import OutdatedName
from signaling.viewing import Reading, SeenChart
from signaling.views import quality_values, report_values

LUT_SIZE = 33
THUMBNAIL_PX = 480
DISPLAY_PX = 2560
VERDICTS = 3
"""Charts that judge what a stream states of its matrix: it does not change in the middle of a call."""

Picture = NDArray[np.uint8]
TrackChart = Callable[[Picture, ChartDetection], ChartDetection | None]
Calibrate = Callable[[Picture, ChartDetection], Calibration | None]
JudgeStill = Callable[[Picture, ChartDetection | None, float | None], StillQuality]
SamplePatches = Callable[[Picture, NDArray[np.float64]], PatchSamples]
CalibrateSamples = Callable[[PatchSamples, ChartDetection], Calibration]
MatrixMixUp = Callable[[PatchSamples, float, float, bool, ChartDetection], DecoderDifference | None]
CompareDecoders = Callable[[Sequence[Reading]], DecoderDifference | None]
ToSrgb = Callable[[bytes], Picture]
EncodeDerived = Callable[..., bytes]


class DetectChart(Protocol):
    """Finds a chart."""

    def __call__(self, rgb: Picture, *, turn: int | None = None) -> ChartDetection | None:
        """turn: of a video, how many frames were searched in vain before this one."""


class Steady(Protocol):
    """A filter over the calibrations of one camera, that pickles."""

    def update(self, calibration: Any, now_s: float) -> Calibration | None:
        """Take a new calibration, or None without a chart; the one to show, or None before the first."""


class LightWatch(Protocol):
    """Notices without a chart that a camera or its light have changed since a calibration; pickles."""

    def calibrated(self, rgb: Picture) -> None:
        """A calibration was made from this frame."""

    def look(self, rgb: Picture, calibration: Any) -> LightChange | None:
        """What has changed up to this frame since then."""


@dataclass(frozen=True, slots=True)
class ColorFunctions:
    """What colorcal and the record's images offer."""

    detect_chart: DetectChart
    track_chart: TrackChart
    make_steady: Callable[[], Steady]
    make_light_watch: Callable[[], LightWatch]
    calibrate: Calibrate
    judge_still: JudgeStill
    sample_patches: SamplePatches
    calibrate_samples: CalibrateSamples
    matrix_mix_up: MatrixMixUp
    compare_decoders: CompareDecoders
    to_srgb: ToSrgb
    encode_derived: EncodeDerived


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame's calibration. lut: size^3 * 3 bytes, red fastest; None when the grade refuses it.

    chart: what a viewer's decoder can be compared with; None where the correction is for another decoder."""

    report: Mapping[str, Any]
    lut: bytes | None
    size: int = LUT_SIZE
    chart: SeenChart | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a still is looked at as: JPEG pictures and its quality as JSON values.

    detection: the chart to correct it by, None where none can be trusted.
    """

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
    """What a camera's last frames leave for its next one: where the chart was, the filter, what is shown.

    verdicts: of its first charts about the matrix that its stream states. changed: what the last frame says
    has changed since the calibration in use. in_vain: how many frames were searched since the chart was seen.
    """

    detection: ChartDetection | None = None
    steady: Steady | None = None
    shown: Calibration | None = None
    light: LightWatch | None = None
    changed: OutdatedName | None = None
    in_vain: int = 0
    stated: StatedMatrix | None = None
    verdicts: tuple[DecoderDifference | None, ...] = ()

    @property
    def mix_up(self) -> DecoderDifference | None:
        """How the tap's pictures differ from what the camera made, where most charts say so."""
        against = [one for one in self.verdicts if one is not None]
        return against[-1] if 2 * len(against) > len(self.verdicts) else None


def warm_up(functions: ColorFunctions) -> bool:
    """Import what the functions need, and run them once on nothing."""
    return functions.detect_chart(np.zeros((72, 128, 3), np.uint8)) is None


def measure(
    functions: ColorFunctions,
    rgb: Picture,
    following: Following,
    now_s: float,
    stated: StatedMatrix | None = None,
) -> tuple[Measured | None, Following]:
    """Find the chart in a frame, near its last place first, and fit a correction; None without a chart.

    now_s: the frame's time on any clock that does not go back. stated: what the frame was converted with,
    where its stream says so; the chart may prove that wrong.
    """
    found = functions.track_chart(rgb, following.detection) if following.detection is not None else None
    detection = found or functions.detect_chart(rgb, turn=following.in_vain)
    if detection is None:
        changed = _changed(following, rgb)
        return None, replace(following, changed=changed, in_vain=following.in_vain + 1)
    samples = functions.sample_patches(rgb, detection.centers)
    following = replace(following, in_vain=0)
    following = _weigh_matrix(functions, samples, detection, stated, following)
    if following.mix_up is not None:
        samples = replace(samples, mean=following.mix_up.undo(samples.mean))
    calibration = functions.calibrate_samples(samples, detection)
    height, width = rgb.shape[:2]
    chart = SeenChart(detection.centers, detection.patch_pitch_px, (width, height), samples, now_s)
    steady = following.steady or functions.make_steady()
    following = replace(following, steady=steady)
    if calibration.report.grade is Grade.REFUSE:
        following = replace(following, changed=_changed(following, rgb))
        return Measured(report_values(calibration.report), None, chart=chart), following
    light = following.light or functions.make_light_watch()
    light.calibrated(rgb)
    following = replace(following, light=light, changed=None)
    shown = steady.update(calibration, now_s) or calibration
    # color is kept steady, but millimetres are those of the frame at hand
    shown = shown.with_scale_of(calibration.report)
    return replace(corrected(shown, following.mix_up), chart=chart), replace(following, shown=shown)


def _weigh_matrix(
    functions: ColorFunctions,
    samples: PatchSamples,
    detection: ChartDetection,
    stated: StatedMatrix | None,
    following: Following,
) -> Following:
    """Let the camera's first charts judge the stated matrix; what was shown by another verdict goes."""
    verdicts = following.verdicts if stated == following.stated else ()
    if stated is not None and len(verdicts) < VERDICTS:
        mix_up = functions.matrix_mix_up(samples, stated.kr, stated.kb, stated.full_range, detection)
        verdicts = (*verdicts, mix_up)
    weighed = replace(following, detection=detection, stated=stated, verdicts=verdicts)
    same = (weighed.mix_up is None) == (following.mix_up is None)
    return weighed if same else replace(weighed, steady=None, shown=None)


def corrected(shown: Calibration, difference: DecoderDifference | None = None) -> Measured:
    """A calibration as it goes to viewers who see pictures that differ so from those it was made on."""
    fitted = shown if difference is None else shown.decoded_with(difference)
    return Measured(report_values(fitted.report), lut_bytes(fitted.lut(LUT_SIZE)))


def compare(functions: ColorFunctions, readings: Sequence[Reading]) -> DecoderDifference | None:
    """How a viewer's picture differs from the one that is calibrated, by what both show of the chart."""
    return functions.compare_decoders(readings)


def _changed(following: Following, rgb: Picture) -> OutdatedName | None:
    """What is no longer as it was when the calibration in use was made, as far as a frame tells."""
    if following.shown is None or following.light is None:
        return None
    change = following.light.look(rgb, following.shown)
    return change.value if change is not None else None


def lut_bytes(lut: Picture) -> bytes:
    """uint8 [r, g, b, 3] to bytes with red fastest, as LutEvent has them."""
    return np.ascontiguousarray(lut.transpose(2, 1, 0, 3)).tobytes()


def derive_shown(functions: ColorFunctions, original: bytes) -> Shown:
    """Thumbnail and display picture of an original, and what it is good for."""
    rgb = functions.to_srgb(original)
    detection = functions.detect_chart(rgb)
    calibration = functions.calibrate(rgb, detection) if detection is not None else None
    mm_per_px = calibration.report.scale_mm_per_px if calibration is not None else None
    quality = functions.judge_still(rgb, detection, mm_per_px)
    correctable = calibration is not None and calibration.report.grade is not Grade.REFUSE
    return Shown(
        functions.encode_derived(rgb, THUMBNAIL_PX),
        functions.encode_derived(rgb, DISPLAY_PX),
        quality_values(quality, correctable=correctable),
        detection if correctable else None,
    )


def derive_corrected(
    functions: ColorFunctions, original: bytes, detection: ChartDetection | None
) -> Corrected | None:
    """The original corrected by the chart in it; None where that cannot be trusted: uncalibrated.

    detection: the chart, or None where it has to be found again.
    """
    rgb = functions.to_srgb(original)
    detection = detection or functions.detect_chart(rgb)
    calibration = functions.calibrate(rgb, detection) if detection is not None else None
    if calibration is None or calibration.report.grade is Grade.REFUSE:
        return None
    picture = np.asarray(calibration.apply(rgb), np.uint8)
    return Corrected(functions.encode_derived(picture), report_values(calibration.report))
