"""What a calibration is worth: residuals, expected error on skin, light, grade, and words for a clinician."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import (
    XYZ_TO_RGB,
    Floats,
    cct_k,
    de00,
    linear_rgb_to_lab,
    srgb_to_lab,
    xyz_to_xy,
)
from colorcal.estimate import Estimate
from colorcal.interface import CalibrationReport, ChartDetection, Grade
from colorcal.patches import PatchSamples
from colorcal.scale import chart_scale
from colorcal.spectra import D65_TO_LINEAR_RGB

_DROPPED_WEIGHT: Final = 0.25
_PLAIN_DE00: Final = 1.5
"""Residual of patches on a chart that is well seen."""
_MOST_FORESEEN_DE00: Final = 4.0
_GOOD_DE00: Final = 3.0
_USABLE_DE00: Final = 6.0
_GOOD_DROPPED: Final = 5
_USABLE_DROPPED: Final = 10

_WORDS: Final = {
    Grade.GOOD: (
        "Color is calibrated: expected skin color error {expected:.1f} (dE00). Fit for judging color.",
        "颜色已校准：预计肤色误差 {expected:.1f}（dE00），可用于判断颜色。",
    ),
    Grade.USABLE: (
        "Color is roughly calibrated: expected skin color error {expected:.1f} (dE00). "
        "Judge fine differences in redness with care.",
        "颜色已大致校准：预计肤色误差 {expected:.1f}（dE00），判断细微红斑差异时请谨慎。",
    ),
    Grade.REFUSE: (
        "Color cannot be trusted: the chart is badly seen (expected error {expected:.1f} dE00).",
        "颜色不可信：色卡成像不佳（预计误差 {expected:.1f} dE00）。",
    ),
}
_DROPPED_WORDS: Final = (
    " {count} chart patches were covered or shiny and left out: tilt the chart away from the lamp.",
    "有 {count} 个色块被遮挡或反光，已忽略：请转动色卡避开灯光。",
)
_CLIPPED_WORDS: Final = (
    " {count} chart patches are overexposed: use softer light or move away from the lamp.",
    "有 {count} 个色块过曝：请使用较柔和的光线或远离灯光。",
)
_DECODER_WORDS: Final = (
    " The video is shown in other colors than it was made in (dE00 {de00:.1f} on the chart): "
    "that was measured, and is undone.",
    "视频显示的颜色与制作时不同（色卡上 dE00 {de00:.1f}）：已测得并还原。",
)
_NOT_MEASURED_WORDS: Final = (
    " This card's print batch was never measured: its colors are taken as they should be.",
    "此色卡的印刷批次未经测量：按标称颜色计算。",
)


def make_report(samples: PatchSamples, made: Estimate, detection: ChartDetection) -> CalibrationReport:
    """Judge an estimate on the patches it was made from and on its own uncertainty."""
    fit = made.fit
    target = linear_rgb_to_lab(fit.reference.reflectance @ D65_TO_LINEAR_RGB)
    dropped = np.flatnonzero((fit.weights < _DROPPED_WEIGHT) | ~samples.visible)
    judged = np.ones(len(target), bool)
    judged[dropped] = False
    if judged.sum() < 3:
        judged[:] = True
    raw = float(np.median(de00(srgb_to_lab(samples.mean), target)[judged]))
    evened = made.correction.even_light(samples.mean, fit.lighting)
    residual = float(np.median(de00(linear_rgb_to_lab(made.correction.from_linear(evened)), target)[judged]))
    strange = _strangeness(samples, made, target, judged, residual)
    clipped = np.flatnonzero(samples.clipped)
    # what the spread cannot know: patches that disagree with every camera of the prior
    misfit = np.maximum(strange - _PLAIN_DE00, 0.0)
    expected = np.hypot(fit.reference.understated * made.skin_de00, misfit)
    middle, low, high = (float(v) for v in (expected.mean(), *np.quantile(expected, (0.1, 0.9))))
    grade = _grade(middle, strange, len(dropped), len(clipped), measured=fit.reference.measured)
    xy = _illuminant_xy(made.fit.gains)
    words_en, words_zh = _words(grade, middle, len(dropped), len(clipped), measured=fit.reference.measured)
    scale = None
    if detection.pitch_mm is not None:
        scale = chart_scale(detection.centers, detection.pitch_mm, detection.pitch_error)
    return CalibrationReport(
        grade=grade,
        layout=detection.layout,
        residual_de00=residual,
        raw_de00=raw,
        expected_de00=middle,
        expected_de00_low=min(low * 0.6, middle),
        expected_de00_high=max(high * 1.9, middle),
        clipped_patches=tuple(int(i) for i in clipped),
        dropped_patches=tuple(int(i) for i in dropped),
        illuminant_xy=xy,
        illuminant_cct_k=cct_k(*xy),
        scale_mm_per_px=None if scale is None else scale.mm_per_px,
        words_en=words_en,
        words_zh=words_zh,
        scale_low_mm_per_px=None if scale is None else scale.low,
        scale_high_mm_per_px=None if scale is None else scale.high,
        reference=fit.reference.name,
    )


def with_decoder(report: CalibrationReport, de00: float) -> CalibrationReport:
    """The report for a picture whose own decoder is off by so much, which its correction undoes."""
    english, chinese = (words.format(de00=de00) for words in _DECODER_WORDS)
    return replace(report, words_en=report.words_en + english, words_zh=report.words_zh + chinese)


def _strangeness(
    samples: PatchSamples, made: Estimate, target: Floats, judged: NDArray[np.bool_], residual: float
) -> float:
    """The residual without what the fitted camera itself foresees of it.

    A correction that is right for skin is wrong for some pigments and inks, as far as this camera sees them
    otherwise than the eye does: that is known, and no reason for distrust.
    """
    foreseen = np.clip(samples.mean + made.fit.residual, 0, 1)
    evened = made.correction.even_light(foreseen, made.fit.lighting)
    expected = de00(linear_rgb_to_lab(made.correction.from_linear(evened)), target)[judged]
    return residual - float(np.clip(np.median(expected) - _PLAIN_DE00, 0, _MOST_FORESEEN_DE00))


def _grade(expected: float, residual: float, dropped: int, clipped: int, *, measured: bool) -> Grade:
    if not np.isfinite(expected + residual):
        return Grade.REFUSE
    if expected > _USABLE_DE00 or residual > 6 or dropped > _USABLE_DROPPED or clipped > 8:
        return Grade.REFUSE
    doubtful = expected > _GOOD_DE00 or residual > 3 or dropped > _GOOD_DROPPED or clipped > 3
    if doubtful or not measured:
        return Grade.USABLE
    return Grade.GOOD


def _illuminant_xy(gains: Floats) -> tuple[float, float]:
    """Chromaticity of the cast that the picture shows on a white surface, taken as sRGB light."""
    xyz = np.linalg.inv(XYZ_TO_RGB) @ (gains / gains.max())
    x, y = xyz_to_xy(xyz)
    return float(x), float(y)


def _words(grade: Grade, expected: float, dropped: int, clipped: int, *, measured: bool) -> tuple[str, str]:
    english, chinese = (text.format(expected=expected) for text in _WORDS[grade])
    for (en, zh), count in ((_DROPPED_WORDS, dropped), (_CLIPPED_WORDS, clipped)):
        if count:
            english += en.format(count=count)
            chinese += zh.format(count=count)
    if not measured:
        english += _NOT_MEASURED_WORDS[0]
        chinese += _NOT_MEASURED_WORDS[1]
    return english, chinese
