"""What `./dev bench color` says of other charts than the Classic: found, misplaced, skin by their colors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

import colorcal
from bench.color_scene.halves import SCORING
from bench.color_scene.prints import lab_of, measured
from bench.color_scene.render import Scene, Setup, draw_setup, render
from bench.color_score import MISPLACED_PITCHES
from bench.harness import PeerDidNotRun, Report
from colorcal.card_prints import from_lab, from_spectra
from colorcal.chart_reference import ChartReference
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import ChartDetection
from colorcal.spectra import WAVELENGTHS_NM

_CHECKERS: Final = ("mini", "passport", "nano")
_CARD_LONGEST_PITCH_PX: Final = 60.0
"""A card is larger than its patches: above this, its corners leave a picture of 720 lines."""
_FIRST_SCENE: Final = 20_000


@dataclass(slots=True)
class _Tally:
    scenes: int = 0
    found: int = 0
    misplaced: int = 0
    errors: list[Floats] = field(default_factory=list)
    batches: int = 0

    def write(self, report: Report, prefix: str) -> None:
        errors = np.concatenate(self.errors)
        report.figure(f"{prefix}found", self.found / self.scenes)
        report.figure(f"{prefix}misplaced", self.misplaced)
        report.figure(f"{prefix}de00_median", float(np.median(errors)))
        report.figure(f"{prefix}de00_p95", float(np.percentile(errors, 95)))


def score_layouts(report: Report, scenes: int) -> None:
    """Figures of every layout. scenes: of each ColorChecker; twice as many of the card."""
    for layout in _CHECKERS:
        tally = _Tally()
        for index in range(scenes):
            scene = render(draw_setup(SCORING, _FIRST_SCENE + index, layout=layout))
            _count(tally, scene, colorcal.detect_chart(scene.rgb), {})
        tally.write(report, f"{layout}_")
    tallies = {prefix: _Tally() for prefix in ("card_", "card_lab_", "card_nominal_")}
    for index in range(2 * scenes):
        scene = render(_card_setup(_FIRST_SCENE + index))
        found = colorcal.detect_chart(scene.rgb)
        for prefix, prints in _prints(scene.setup.print_number).items():
            _count(tallies[prefix], scene, found, prints)
    for prefix, tally in tallies.items():
        tally.write(report, prefix)
    report.figure("card_batches_right", tallies["card_"].batches / tallies["card_"].scenes)


def card_steps() -> Mapping[str, Callable[[], object]]:
    """What a card costs to find and to follow at 720p, by the name of the figure."""
    picture = render(replace(_card_setup(3), pitch_px=50.0, finger=False, glare=0.0, motion_px=0.0)).rgb
    found = colorcal.detect_chart(picture)
    if found is None or found.layout != "card":
        raise PeerDidNotRun("the card of the timed scene was not found")
    return {
        "card_detect_ms": lambda: colorcal.detect_chart(picture),
        "card_track_ms": lambda: colorcal.track_chart(picture, found),
    }


def _card_setup(index: int) -> Setup:
    setup = draw_setup(SCORING, index, layout="card")
    return replace(setup, pitch_px=min(setup.pitch_px, _CARD_LONGEST_PITCH_PX))


def _prints(number: int) -> Mapping[str, Mapping[int, ChartReference]]:
    """What a clinic may know of a print batch: its spectra, its Lab, nothing."""
    spectra = measured(number)
    return {
        "card_": {number: from_spectra(number, spectra)},
        "card_lab_": {number: from_lab(number, lab_of(spectra, WAVELENGTHS_NM))},
        "card_nominal_": {},
    }


def _count(
    tally: _Tally, scene: Scene, found: ChartDetection | None, prints: Mapping[int, ChartReference]
) -> None:
    calibration = None if found is None else colorcal.calibrate(scene.rgb, found, prints)
    tally.scenes += 1
    skin = scene.skin()
    if calibration is not None:
        off = calibration.detection.centers - scene.centers
        misplaced = np.hypot(*off.T).max() > MISPLACED_PITCHES * scene.setup.pitch_px
        tally.misplaced += bool(misplaced)
        tally.found += not misplaced
        tally.batches += calibration.detection.print_batch == scene.setup.print_number
        skin = scene.skin(np.asarray(calibration.apply(scene.rgb), np.uint8))
    tally.errors.append(de00(srgb_to_lab(skin), srgb_to_lab(scene.truth)))
