"""`./dev bench color`: charts found, skin color error and cost on rendered scenes, beside OpenCV."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import colorcal
from bench import harness
from bench.color_scenes import Scene, negative, random_setup, render
from colorcal.color_math import Floats, de00, srgb_decode, srgb_encode, srgb_to_lab
from colorcal.reference import Batch, linear_rgb

_SCENES, _NEGATIVES = 200, 500
_QUICK_SCENES, _QUICK_NEGATIVES = 12, 24
_MISPLACED_PITCHES = 0.3
_EDGE_PX = 8


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = harness.parse("color", __doc__ or "", arguments)
    cv2.setNumThreads(1)
    scenes = _QUICK_SCENES if options.quick else _SCENES
    negatives = _QUICK_NEGATIVES if options.quick else _NEGATIVES
    conditions = harness.machine("opencv-python-headless", "colour-science", "numpy")
    report = harness.Report("color", conditions | {"scenes": scenes, "threads": 1})
    rng = np.random.default_rng(20260)
    scores = {"": _Score(), "mcc_": _Score(), "none_": _Score()}
    corrections: dict[str, Callable[[Scene], _Outcome]] = {"": _ours, "mcc_": _opencv, "none_": _nothing}
    for _ in range(scenes):
        setup = random_setup(rng)
        scene = render(setup)
        for prefix, correct in corrections.items():
            scores[prefix].add(scene, correct(scene), setup.pitch_px)
    for prefix, score in scores.items():
        score.write(report, prefix, scenes)
    false_finds = {"": 0, "mcc_": 0}
    for seed in range(negatives):
        picture = negative(seed)
        false_finds[""] += colorcal.detect_chart(picture) is not None
        false_finds["mcc_"] += _opencv_centers(picture) is not None
    report.figure("negatives", negatives)
    for prefix, count in false_finds.items():
        report.figure(f"{prefix}false_finds", count)
    _costs(report, 3 if options.quick else 25)
    report.finish(options)


class _Outcome:
    """What a method made of a scene: chart centers, or None, and corrected skin [N, 3], encoded."""

    def __init__(self, centers: Floats | None, skin: Floats | None) -> None:
        self.centers = centers
        self.skin = skin


class _Score:
    """Errors of one method over all scenes; scenes it could not correct count as left alone."""

    def __init__(self) -> None:
        self.found = self.misplaced = 0
        self.errors: list[Floats] = []
        self.gain_errors: list[Floats] = []

    def add(self, scene: Scene, outcome: _Outcome, pitch_px: float) -> None:
        if outcome.centers is not None:
            off = np.hypot(*(outcome.centers - scene.centers).T).max() / pitch_px
            self.found += bool(off <= _MISPLACED_PITCHES)
            self.misplaced += bool(off > _MISPLACED_PITCHES)
        skin = _skin(scene) if outcome.skin is None else outcome.skin
        truth = srgb_to_lab(scene.skin_truth)
        self.errors.append(de00(srgb_to_lab(skin), truth))
        light = srgb_decode(skin)
        gain = srgb_decode(scene.skin_truth)[:, 1].sum() / max(float(light[:, 1].sum()), 1e-6)
        self.gain_errors.append(de00(srgb_to_lab(srgb_encode(np.clip(light * gain, 0, 1))), truth))

    def write(self, report: harness.Report, prefix: str, scenes: int) -> None:
        if prefix != "none_":
            report.figure(f"{prefix}found", self.found / scenes)
            report.figure(f"{prefix}misplaced", self.misplaced / scenes)
        for name, errors in (("de00", self.errors), ("de00_gain", self.gain_errors)):
            report.figure(f"{prefix}{name}_median", float(np.median(errors)))
            report.figure(f"{prefix}{name}_p95", float(np.percentile(errors, 95)))
        by_tone = np.median(np.array(self.errors), axis=0)
        report.figure(f"{prefix}tone_gap", float(by_tone.max() - by_tone.min()))
        for tone, error in enumerate(by_tone):
            report.row(method=prefix.rstrip("_") or "ours", tone=tone, de00_median=float(error))


def _skin(scene: Scene) -> Floats:
    means = [
        scene.rgb[y + _EDGE_PX : y + side - _EDGE_PX, x + _EDGE_PX : x + side - _EDGE_PX].mean(axis=(0, 1))
        for x, y, side in scene.skin_boxes
    ]
    return np.array(means) / 255


def _nothing(scene: Scene) -> _Outcome:
    return _Outcome(None, None)


def _ours(scene: Scene) -> _Outcome:
    calibration = colorcal.calibrate(scene.rgb)
    if calibration is None:
        return _Outcome(None, None)
    return _Outcome(calibration.detection.centers, calibration.correction(_skin(scene)))


def _opencv(scene: Scene) -> _Outcome:
    """OpenCV's chart finder and a linear 3 x 3 on decoded sRGB: the usual way."""
    centers = _opencv_centers(scene.rgb)
    if centers is None:
        return _Outcome(None, None)
    patches = srgb_decode(colorcal.sample_patches(scene.rgb, centers).mean)
    matrix, *_ = np.linalg.lstsq(patches, linear_rgb(Batch.BEFORE_2014), rcond=None)
    skin = np.clip(srgb_decode(_skin(scene)) @ matrix, 0, 1)
    return _Outcome(centers, srgb_encode(skin))


def _opencv_centers(picture: NDArray[np.uint8]) -> Floats | None:
    detector = cv2.mcc.CCheckerDetector.create()
    parameters = cv2.mcc.DetectorParametersMCC()
    # its default sees no patch below 0.3 % of the picture: these scenes hold smaller ones
    parameters.minContoursAreaRate = 0.0003
    detector.setDetectionParams(parameters)
    detector.setColorChartType(cv2.mcc.MCC24)
    if not detector.process(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), 1):
        return None
    corners: Any = detector.getBestColorChecker().getColorCharts()
    centers: Floats = np.asarray(corners, np.float64).reshape(24, 4, 2).mean(axis=1)
    return centers


def _costs(report: harness.Report, repetitions: int) -> None:
    """Median cost in ms at 720p, interleaved, on one thread."""
    scene = render(random_setup(np.random.default_rng(5), rotation_deg=20.0, tilt_deg=20.0, pitch_px=50.0))
    calibration = colorcal.calibrate(scene.rgb)
    if calibration is None:
        raise harness.PeerDidNotRun("the chart of the timed scene was not found")
    detection = calibration.detection

    def fit() -> object:
        fitted = colorcal.calibrate(scene.rgb, detection)
        return None if fitted is None else fitted.lut()

    steps: dict[str, Callable[[], object]] = {
        "detect_ms": lambda: colorcal.detect_chart(scene.rgb),
        "track_ms": lambda: colorcal.track_chart(scene.rgb, detection),
        "estimate_ms": fit,
        "apply_ms": lambda: calibration.apply(scene.rgb),
        "mcc_detect_ms": lambda: _opencv_centers(scene.rgb),
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repetitions + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            taken[name].append(1e3 * (time.perf_counter() - start))
    for name, times in taken.items():
        report.figure(name, float(np.median(times[1:])))


if __name__ == "__main__":
    main(sys.argv[1:])
