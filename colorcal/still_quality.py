"""What a still is good for: accept it, take it again and how, or use it without measuring."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.color_math import Floats, to_uint8
from colorcal.edge_width import sharpest_width_px, step_width_px
from colorcal.errors import check_picture
from colorcal.interface import ChartDetection, StillQuality, StillReason, StillVerdict
from colorcal.lattice import fit_homography
from colorcal.patches import sample_patches
from colorcal.reference import COLUMNS, GREYS, GRID, ROWS

_WORKING_PX: Final = 1280
_MIDDLE_PX: Final = 2048
"""Without a chart, sharpness is judged in the middle of the picture, this much of it."""
_MAX_BLUR_SHARE: Final = 0.003
"""Widest edge, of the longer side; on small pictures at least so many px:"""
_MAX_BLUR_PX: Final = 5.0
_DARK_WHITE: Final = 0.45
"""The chart's white patch below this encoded value: too dark."""
_DARK_HIGHLIGHTS: Final = 0.22
"""Without a chart, the brightest hundredth of the picture below this. Dark skin alone is not too dark."""
_CLIPPED: Final = 250
_MAX_OVEREXPOSED: Final = 0.08
_MAX_GLARE: Final = 0.004
_MAX_CLIPPED_PATCHES: Final = 6
_MAX_TILT_DEG: Final = 35.0
_MEASURABLE_PX_PER_MM: Final = 12.0
_MEASURABLE_BLUR_MM: Final = 0.25
_LARGE_SPOT: Final = 0.02
"""A clipped spot that covers more of the skin is skin that is overexposed, a smaller one is a reflection."""


_WORDS: Final[dict[StillReason | None, tuple[str, str]]] = {
    None: ("The photo is sharp and evenly lit, and can be measured.", "照片清晰、光线均匀，可用于测量。"),
    StillReason.BLURRED: (
        "The photo is blurred. Take it again: hold the phone still, and tap the skin to focus.",
        "照片模糊。请重拍：拿稳手机，并点按皮肤处对焦。",
    ),
    StillReason.DARK: (
        "The photo is too dark. Take it again nearer to a window or under a brighter lamp.",
        "照片太暗。请靠近窗户或在更亮的灯下重拍。",
    ),
    StillReason.OVEREXPOSED: (
        "The photo is too bright. Take it again a little further from the lamp, or in softer light.",
        "照片过亮。请离灯稍远，或在较柔和的光线下重拍。",
    ),
    StillReason.GLARE: (
        "The skin reflects a lamp. Take it again from a slightly different direction.",
        "皮肤有反光。请换一个角度重拍。",
    ),
    StillReason.TILTED: (
        "The photo was taken at an angle. Take it again with the phone held straight above the skin.",
        "拍摄角度过斜。请将手机正对皮肤重拍。",
    ),
    StillReason.NO_CHART: (
        "Fit to look at. Without a color card in view, neither color nor size can be measured.",
        "可供查看。画面中没有色卡，无法测量颜色和大小。",
    ),
    StillReason.NO_SCALE: (
        "Fit to look at. The size of the color card is not known, so lengths cannot be measured.",
        "可供查看。色卡尺寸未知，无法测量长度。",
    ),
    StillReason.TOO_FAR: (
        "Fit to look at. For measuring, a photo from closer up is needed.",
        "可供查看。如需测量，请靠近后再拍一张。",
    ),
}
_RETAKE: Final = (
    StillReason.BLURRED, StillReason.DARK, StillReason.OVEREXPOSED, StillReason.GLARE, StillReason.TILTED,
)  # fmt: skip


def judge_still(
    rgb: NDArray[np.uint8] | NDArray[np.uint16],
    detection: ChartDetection | None,
    mm_per_px: float | None = None,
    *,
    row_over_column: float = 1.0,
) -> StillQuality:
    """Judge a still: H x W x 3, sRGB-encoded uint8 or uint16. Raises ColorInputError for anything else.

    detection: the chart in it, if any. mm_per_px: the scale in the chart's plane, if known.
    row_over_column: distance of the chart's patches along a row over the one along a column.
    """
    picture = to_uint8(check_picture(rgb))
    blur_px = _blur_px(picture, detection)
    brightness, patches_clipped = _brightness(picture, detection)
    overexposed, glare = _clipped_skin(picture, detection)
    tilt_deg = None if detection is None else _tilt_deg(detection.centers, row_over_column)
    px_per_mm = 1 / mm_per_px if mm_per_px else None
    blur_mm = blur_px * mm_per_px if blur_px is not None and mm_per_px else None
    longer = max(picture.shape[:2])
    dark_below = _DARK_HIGHLIGHTS if detection is None else _DARK_WHITE
    holds = {
        StillReason.BLURRED: blur_px is not None and blur_px > max(_MAX_BLUR_PX, _MAX_BLUR_SHARE * longer),
        StillReason.DARK: brightness < dark_below,
        StillReason.OVEREXPOSED: overexposed > _MAX_OVEREXPOSED or patches_clipped > _MAX_CLIPPED_PATCHES,
        StillReason.GLARE: glare > _MAX_GLARE,
        StillReason.TILTED: tilt_deg is not None and tilt_deg > _MAX_TILT_DEG,
        StillReason.NO_CHART: detection is None,
        StillReason.NO_SCALE: px_per_mm is None,
        StillReason.TOO_FAR: (px_per_mm or 0) < _MEASURABLE_PX_PER_MM
        or blur_mm is None
        or blur_mm > _MEASURABLE_BLUR_MM,
    }
    reason = next((one for one in StillReason if holds[one]), None)
    words_en, words_zh = _WORDS[reason]
    return StillQuality(
        verdict=_verdict(reason),
        reason=reason,
        blur_px=blur_px,
        blur_mm=blur_mm,
        brightness=brightness,
        overexposed_share=overexposed,
        glare_share=glare,
        px_per_mm=px_per_mm,
        tilt_deg=tilt_deg,
        chart_visible=detection is not None,
        words_en=words_en,
        words_zh=words_zh,
    )


def _verdict(reason: StillReason | None) -> StillVerdict:
    if reason is None:
        return StillVerdict.ACCEPT
    return StillVerdict.RETAKE if reason in _RETAKE else StillVerdict.NOT_MEASURABLE


def _blur_px(picture: NDArray[np.uint8], detection: ChartDetection | None) -> float | None:
    """Of the chart's edges, which are steps; without one, of the sharpest edges in the middle."""
    height, width = picture.shape[:2]
    if detection is None:
        left, top = max(0, (width - _MIDDLE_PX) // 2), max(0, (height - _MIDDLE_PX) // 2)
        middle = picture[top : top + _MIDDLE_PX, left : left + _MIDDLE_PX]
        return sharpest_width_px(np.ascontiguousarray(middle))
    left, top, right, bottom = _around(detection, width, height)
    if right - left < 8 or bottom - top < 8:
        return None
    return step_width_px(np.ascontiguousarray(picture[top:bottom, left:right]))


def _around(detection: ChartDetection, width: int, height: int) -> tuple[int, int, int, int]:
    """The chart's box in a picture: left, top, right, bottom."""
    pitch = detection.patch_pitch_px
    low = np.clip(detection.centers.min(axis=0) - pitch, 0, (width, height)).astype(int)
    high = np.clip(detection.centers.max(axis=0) + pitch, 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _brightness(picture: NDArray[np.uint8], detection: ChartDetection | None) -> tuple[float, int]:
    """How bright what should be white is, 0 to 1, and how many patches are clipped."""
    if detection is None:
        step = max(1, max(picture.shape[:2]) // _WORKING_PX)
        grey = cv2.cvtColor(np.ascontiguousarray(picture[::step, ::step]), cv2.COLOR_RGB2GRAY)
        return float(np.percentile(grey, 99)) / 255, 0
    samples = sample_patches(picture, detection.centers)
    return float(samples.mean[GREYS[0]].mean()), int((samples.clipped & samples.visible).sum())


def _clipped_skin(picture: NDArray[np.uint8], detection: ChartDetection | None) -> tuple[float, float]:
    """Share of what looks like skin that is clipped, in large spots and in small ones.

    A clipped spot belongs to skin when most of what lies around it looks like skin.
    """
    scale = min(1.0, _WORKING_PX / max(picture.shape[:2]))
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    skin = _looks_like_skin(small)
    clipped = (small.max(axis=2) >= _CLIPPED) & ~skin | (small.min(axis=2) >= _CLIPPED)
    if detection is not None:
        left, top, right, bottom = (round(side * scale) for side in _around(detection, *picture.shape[1::-1]))
        skin[top:bottom, left:right] = False
        clipped[top:bottom, left:right] = False
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clipped.astype(np.uint8), connectivity=8)
    spots = [one for one in range(1, count) if _lies_on_skin(one, labels, stats[one], skin)]
    areas = np.array([stats[one, cv2.CC_STAT_AREA] for one in spots], np.float64)
    whole = float(skin.sum() + areas.sum())
    if whole < 0.01 * skin.size:
        return 0.0, 0.0
    large = areas > _LARGE_SPOT * whole
    return float(areas[large].sum() / whole), float(areas[~large].sum() / whole)


def _looks_like_skin(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Skin of any tone by its chroma alone (Chai and Ngan 1999, doi 10.1109/76.767122), a little widened."""
    ycc = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    red, blue = ycc[..., 1], ycc[..., 2]
    skin: NDArray[np.bool_] = (red >= 133) & (red <= 180) & (blue >= 77) & (blue <= 128) & (ycc[..., 0] >= 20)
    return skin


def _lies_on_skin(
    label: int, labels: NDArray[Any], stats: NDArray[Any], skin: NDArray[np.bool_], margin: int = 10
) -> bool:
    left, top = stats[cv2.CC_STAT_LEFT], stats[cv2.CC_STAT_TOP]
    rows = slice(max(0, top - margin), top + stats[cv2.CC_STAT_HEIGHT] + margin)
    columns = slice(max(0, left - margin), left + stats[cv2.CC_STAT_WIDTH] + margin)
    spot = (labels[rows, columns] == label).astype(np.uint8)
    wide = cv2.dilate(spot, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    around = (wide > 0) & (labels[rows, columns] == 0)
    return bool(around.any() and skin[rows, columns][around].mean() > 0.5)


def _tilt_deg(centers: Floats, row_over_column: float) -> float | None:
    """Angle from which the chart is seen: its squares' foreshortening in the middle of it."""
    homography = fit_homography(GRID * (row_over_column, 1.0), centers)
    if homography is None:
        return None
    middle = np.array([(COLUMNS - 1) / 2 * row_over_column, (ROWS - 1) / 2, 1.0])
    x, y, w = homography @ middle
    slope = (homography[:2, :2] - np.outer((x, y), homography[2, :2]) / w) / w
    long, short = np.linalg.svd(slope, compute_uv=False)
    return float(np.degrees(np.arccos(np.clip(short / max(long, 1e-9), 0, 1))))
