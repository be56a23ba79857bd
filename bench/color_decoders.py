"""What a decoder that takes another matrix or range does to corrected skin, and what undoing it leaves.

Part of `./dev bench color --full`: rows of skin dE00 on rendered scenes whose colors are changed as a
mistaken decoder changes them, with one code of noise on each patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

import colorcal
from bench.color_scene.halves import Half
from bench.color_scene.render import draw_setup, render
from bench.harness import Report
from colorcal.color_math import Floats, de00, srgb_to_lab
from colorcal.interface import Grade
from media.yuv import rgb_from_yuv

Decoder = tuple[float, float, bool]
"""Kr, Kb, full range."""

_BT601, _BT709, _BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
MIX_UPS: Final[Mapping[str, tuple[Decoder, Decoder]]] = {
    "BT.601 taken for 709": ((*_BT601, False), (*_BT709, False)),
    "BT.709 taken for 601": ((*_BT709, False), (*_BT601, False)),
    "BT.601 taken for 2020": ((*_BT601, False), (*_BT2020, False)),
    "limited range taken for full": ((*_BT601, False), (*_BT601, True)),
    "full range taken for limited": ((*_BT601, True), (*_BT601, False)),
    "matrix and range": ((*_BT601, False), (*_BT709, True)),
}
STATED: Final[Mapping[str, tuple[Decoder, Decoder]]] = {
    "BT.709, is so": ((*_BT709, False), (*_BT709, False)),
    "BT.601, is so": ((*_BT601, False), (*_BT601, False)),
    "BT.2020, is so": ((*_BT2020, False), (*_BT2020, False)),
    "BT.709, is BT.601": ((*_BT601, False), (*_BT709, False)),
    "BT.601, is BT.709": ((*_BT709, False), (*_BT601, False)),
    "BT.2020, is BT.601": ((*_BT601, False), (*_BT2020, False)),
}
_READINGS: Final = 4
_NOISE: Final = 1 / 255


def seen_by(rgb: Floats, made: Decoder, taken: Decoder) -> Floats:
    """Encoded colors [N, 3], 0 to 1, of a video made for one decoder, as another shows them."""
    right, wrong = rgb_from_yuv(*made), rgb_from_yuv(*taken)
    yuv = (255 * rgb - right[:, 3]) @ np.linalg.inv(right[:, :3]).T
    return np.clip((yuv @ wrong[:, :3].T + wrong[:, 3]) / 255, 0, 1)


class _Scene:
    """A scene whose chart was found and trusted."""

    def __init__(self, half: Half, index: int) -> None:
        scene = render(draw_setup(half, index))
        self.known = colorcal.calibrate(scene.rgb)
        self.trusted = self.known is not None and self.known.report.grade is not Grade.REFUSE
        self._rgb, self._rng = scene.rgb, np.random.default_rng([half.seed, index])
        self.skin, self._truth = scene.skin(), srgb_to_lab(scene.truth)

    @property
    def calibration(self) -> colorcal.FittedCalibration:
        """Of the picture as it was made."""
        assert self.known is not None
        return self.known

    def samples(self) -> colorcal.PatchSamples:
        """Of the picture as it was made."""
        return colorcal.sample_patches(self._rgb, self.calibration.detection.centers)

    def reading(self, made: Decoder, taken: Decoder) -> colorcal.PatchSamples:
        """Of the picture as another decoder shows it."""
        own = self.samples()
        noise = self._rng.normal(0, _NOISE, own.mean.shape)
        mean = np.clip(seen_by(own.mean, made, taken) + noise, 0, 1)
        return colorcal.PatchSamples(mean, own.spread, own.clipped | (mean > 0.985).any(1), own.visible)

    def error(self, skin: Floats) -> Floats:
        """dE00 of each spot of corrected skin."""
        return de00(srgb_to_lab(skin), self._truth)


def measure(report: Report, half: Half, count: int) -> None:
    """Rows for viewers whose decoder differs from the server's, and for videos that state a matrix."""
    scenes = [one for one in (_Scene(half, index) for index in range(count)) if one.trusted]
    for name, mix_up in MIX_UPS.items():
        _viewers(report, name, *mix_up, scenes)
    for name, (made, stated) in STATED.items():
        _stated(report, name, made, stated, scenes)


def _viewers(report: Report, name: str, made: Decoder, taken: Decoder, scenes: list[_Scene]) -> None:
    errors: dict[str, list[Floats]] = {}
    for scene in scenes:
        seen = seen_by(scene.skin, made, taken)
        correction = scene.calibration.correction
        readings = [(scene.samples(), scene.reading(made, taken)) for _ in range(_READINGS)]
        anew = colorcal.calibrate_samples(readings[0][1], scene.calibration.detection)
        results = {
            "no_mix_up": correction(scene.skin),
            "as_it_is": correction(seen),
            "fitted_anew": anew.correction(seen),
        }
        for taken_readings in (1, _READINGS):
            difference = colorcal.compare_decoders(readings[:taken_readings])
            undone = seen if difference is None else difference.undo(seen)
            results[f"undone_{taken_readings}"] = correction(undone)
        for way, skin in results.items():
            errors.setdefault(way, []).append(scene.error(skin))
    _row(report, "viewer's decoder", name, errors, scenes)


def _stated(report: Report, name: str, made: Decoder, stated: Decoder, scenes: list[_Scene]) -> None:
    errors: dict[str, list[Floats]] = {}
    changed = 0
    for scene in scenes:
        seen, samples = seen_by(scene.skin, made, stated), scene.reading(made, stated)
        plain = colorcal.calibrate_samples(samples, scene.calibration.detection).correction(seen)
        mix_up = colorcal.matrix_mix_up(samples, *stated, scene.calibration.detection)
        judged = plain
        if mix_up is not None:
            changed += 1
            own = colorcal.PatchSamples(
                mix_up.undo(samples.mean), samples.spread, samples.clipped, samples.visible
            )
            fitted = colorcal.calibrate_samples(own, scene.calibration.detection)
            judged = fitted.correction(mix_up.undo(seen))
        errors.setdefault("as_stated", []).append(scene.error(plain))
        errors.setdefault("as_judged", []).append(scene.error(judged))
    _row(report, "stated matrix", name, errors, scenes, changed=changed / len(scenes))


def _row(
    report: Report,
    about: str,
    name: str,
    errors: Mapping[str, list[Floats]],
    scenes: list[_Scene],
    **more: float,
) -> None:
    values: dict[str, float] = {}
    for way, of_scenes in errors.items():
        every = np.concatenate(of_scenes)
        values[f"{way}_median"] = float(np.median(every))
        values[f"{way}_p95"] = float(np.percentile(every, 95))
    report.row(about=about, case=name, scenes=len(scenes), **values, **more)
