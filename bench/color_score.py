"""What `./dev bench color` makes of corrected skin: errors in dE00, by tone, of redness, and over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bench.color_peers import Outcome
from bench.color_scene.halves import TONES
from bench.color_scene.render import Scene
from bench.color_scene.skin import ERYTHEMA
from bench.harness import Report
from colorcal.color_math import Floats, de00, srgb_decode, srgb_encode, srgb_to_lab

MISPLACED_PITCHES: Final = 0.3
"""A chart counts as found when no center is further off than this share of the patches' distance."""


@dataclass(slots=True)
class Score:
    """Errors of one method over all scenes. Scenes that it could not correct count as left alone.

    Arrays over scenes: dE00 of each spot, before and after the one gain of the whole scene's skin that brings
    its luminance to the truth's, and a* of each spot, corrected and true.
    """

    scenes: int = 0
    found: int = 0
    misplaced: int = 0
    errors: list[Floats] = field(default_factory=list)
    gain_errors: list[Floats] = field(default_factory=list)
    redness: list[Floats] = field(default_factory=list)
    true_redness: list[Floats] = field(default_factory=list)

    def add(self, scene: Scene, outcome: Outcome) -> None:
        """Count one scene."""
        self.scenes += 1
        if outcome.centers is not None:
            off = np.hypot(*(outcome.centers - scene.centers).T).max() / scene.setup.pitch_px
            self.found += bool(off <= MISPLACED_PITCHES)
            self.misplaced += bool(off > MISPLACED_PITCHES)
        lab, truth = srgb_to_lab(outcome.skin), srgb_to_lab(scene.truth)
        self.errors.append(de00(lab, truth))
        self.gain_errors.append(de00(srgb_to_lab(_with_one_gain(outcome.skin, scene.truth)), truth))
        self.redness.append(lab[:, 1])
        self.true_redness.append(truth[:, 1])

    def write(self, report: Report, prefix: str, *, finds: bool) -> None:
        """The figures of this method, and a row for each tone group."""
        report.figure(f"{prefix}scenes", self.scenes)
        if finds:
            report.figure(f"{prefix}found", self.found / self.scenes)
            report.figure(f"{prefix}misplaced", self.misplaced)
        errors = np.array(self.errors).reshape(-1, len(TONES), len(ERYTHEMA))
        gain_errors = np.array(self.gain_errors).reshape(errors.shape)
        for name, values in (("de00", errors), ("de00_gain", gain_errors)):
            report.figure(f"{prefix}{name}_median", float(np.median(values)))
            report.figure(f"{prefix}{name}_p95", float(np.percentile(values, 95)))
        by_tone = np.median(errors, axis=(0, 2))
        report.figure(f"{prefix}tone_gap", float(by_tone.max() - by_tone.min()))
        error, ordered = self._erythema()
        report.figure(f"{prefix}erythema_error", float(error.mean()))
        report.figure(f"{prefix}erythema_order", float(ordered.mean()))
        for tone, name in enumerate(TONES):
            report.row(
                method=prefix.rstrip("_") or "colorcal",
                tone=name,
                de00_median=float(by_tone[tone]),
                de00_p95=float(np.percentile(errors[:, tone], 95)),
                de00_gain_median=float(np.median(gain_errors[:, tone])),
                de00_gain_p95=float(np.percentile(gain_errors[:, tone], 95)),
                erythema_error=float(error[:, tone].mean()),
                erythema_order=float(ordered[:, tone].mean()),
            )

    def _erythema(self) -> tuple[Floats, Floats]:
        """Error of the a* that marked inflammation adds to healthy skin, and whether its three steps rise
        as they do in truth; both [scenes, tones]."""
        shape = (-1, len(TONES), len(ERYTHEMA))
        seen, true = np.array(self.redness).reshape(shape), np.array(self.true_redness).reshape(shape)
        error = np.abs((seen[..., -1] - seen[..., 0]) - (true[..., -1] - true[..., 0]))
        rises = (np.diff(seen, axis=-1) > 0) == (np.diff(true, axis=-1) > 0)
        return error, rises.all(axis=-1).astype(np.float64)


def _with_one_gain(skin: Floats, truth: Floats) -> Floats:
    light, true_light = srgb_decode(skin), srgb_decode(truth)
    gain = true_light[:, 1].sum() / max(float(light[:, 1].sum()), 1e-6)
    return srgb_encode(np.clip(light * gain, 0, 1))


def jitter(skin: list[Floats]) -> float:
    """Mean dE00 between consecutive frames of the skin [N, 3] of a sequence."""
    lab = srgb_to_lab(np.array(skin))
    return float(de00(lab[1:], lab[:-1]).mean())
