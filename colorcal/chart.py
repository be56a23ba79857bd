"""Find a chart in a picture, turned and tilted as it may be, and follow it in video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.card import CENTERS_MM
from colorcal.card_finder import find_cards
from colorcal.card_markers import read_batch
from colorcal.chart_reference import nominal_card
from colorcal.color_math import Floats, to_uint8
from colorcal.errors import check_picture
from colorcal.gaps import frame_share
from colorcal.interface import ChartDetection
from colorcal.lattice import fit_homography
from colorcal.layouts import DeclaredChart
from colorcal.matching import COLOR_CHECKER
from colorcal.mcc_finder import lay_with_mcc
from colorcal.patch_grid import Laid, PatchGrids, sample_cells, trusted_match
from colorcal.reference import PATCHES

_LONG_SIDES_PX: Final = (880, 1760)
"""Working sizes: the first is enough from a phone's video, the second for a far chart in a still."""
_MARKER_LONG_SIDES_PX: Final = (1280, 2560)
_ENOUGH_MARKERS: Final = 3
_FEWEST_MARKERS: Final = 2
"""Two alone place the far end of the card less well than its patches do."""
_FALLBACK_LONG_SIDE_PX: Final = 800
_TRACK_PITCH_PX: Final = 20.0
_MARKERS_REACH_PITCHES: Final = 2.6
"""From the outer patches' centers of a card to beyond its markers; a ColorChecker needs less around it."""
_MAX_ASPECT: Final = 60
_CARD: Final = DeclaredChart("card")


def detect_chart(
    rgb: NDArray[np.uint8] | NDArray[np.uint16],
    declared: DeclaredChart | None = None,
    *,
    turn: int | None = None,
) -> ChartDetection | None:
    """Find the chart, or None: a consult card by its markers, else 24 patches in 6 x 4.

    rgb: H x W x 3, sRGB-encoded uint8 or uint16; ColorInputError if not. declared: which chart it is, where
    the clinic knows; then only that is looked for, and its size is known. turn: in a video, how many frames
    were searched in vain before this one. The first finders look at each frame and find nearly every chart;
    of the others one in turn, for most frames of a call hold none.
    """
    picture = to_uint8(check_picture(rgb))
    height, width = picture.shape[:2]
    if min(height, width) < 40 or max(height, width) > _MAX_ASPECT * min(height, width):
        return None
    always, others = _finders(picture, declared)
    if turn is not None:
        others = [others[turn % len(others)]]
    for find in (*always, *others):
        found = find()
        if found is not None:
            return found
    return None


Finder: TypeAlias = Callable[[], ChartDetection | None]


def _finders(picture: NDArray[np.uint8], declared: DeclaredChart | None) -> tuple[list[Finder], list[Finder]]:
    """Finders for every picture, and those that find what is small, soft or half covered."""
    card = _CARD if declared is None else declared
    may_be_card = card.layout == _CARD.layout
    first, *larger = [partial(_lay, picture, scale, declared) for scale in _scales(picture, _LONG_SIDES_PX)]
    always: list[Finder] = [first]
    others: list[Finder] = [*larger, partial(_last_resort, picture, declared)]
    if may_be_card:
        always.insert(0, partial(_detect_by_markers, picture, _ENOUGH_MARKERS, card))
    return always, others


def _lay(picture: NDArray[np.uint8], scale: float, declared: DeclaredChart | None) -> ChartDetection | None:
    """A ColorChecker or a card on the lattices of the picture at a working size."""
    small = _resized(picture, scale)
    grids = PatchGrids(small)
    is_card = declared is not None and declared.layout == _CARD.layout
    if not is_card and (laid := grids.lay(COLOR_CHECKER)) is not None:
        return _checker(picture, laid, _ratio(picture, small), declared)
    if declared is None or is_card:
        return _lay_card(picture, small, grids, declared or _CARD)
    return None


def _last_resort(picture: NDArray[np.uint8], declared: DeclaredChart | None) -> ChartDetection | None:
    """A card by two of its markers, or a ColorChecker by OpenCV's finder."""
    if declared is None or declared.layout == _CARD.layout:
        card = _detect_by_markers(picture, _FEWEST_MARKERS, declared or _CARD)
        if card is not None or declared is not None:
            return card
    small = _resized(picture, *_scales(picture, (_FALLBACK_LONG_SIDE_PX,)))
    laid = lay_with_mcc(small)
    return None if laid is None else _checker(picture, laid, _ratio(picture, small), declared)


def track_chart(
    rgb: NDArray[np.uint8] | NDArray[np.uint16], previous: ChartDetection
) -> ChartDetection | None:
    """Find a chart again near its place in the frame before, at a fraction of detect_chart's cost.

    None when it moved by more than about one patch, or is gone: then detect_chart has to look everywhere.
    """
    picture = check_picture(rgb)
    height, width = picture.shape[:2]
    centers = previous.centers
    if centers.shape != (PATCHES, 2) or not np.isfinite(centers).all() or previous.patch_pitch_px < 4:
        return None
    is_card = previous.layout == _CARD.layout
    margin = (_MARKERS_REACH_PITCHES if is_card else 1.6) * previous.patch_pitch_px
    low = np.floor(np.clip(centers.min(axis=0) - margin, 0, (width, height))).astype(int)
    high = np.ceil(np.clip(centers.max(axis=0) + margin, 0, (width, height))).astype(int)
    if (high - low).min() < 24:
        return None
    region = to_uint8(np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]))
    found = _detect_by_markers(region, _ENOUGH_MARKERS, _CARD) if is_card else None
    if found is None:
        small = _resized(region, min(1.0, _TRACK_PITCH_PX / previous.patch_pitch_px))
        grids = PatchGrids(small)
        if is_card:
            found = _lay_card(region, small, grids, _CARD)
        elif (laid := grids.lay(COLOR_CHECKER)) is not None:
            found = _as_found(laid, _ratio(region, small), None)
    if found is None:
        return None
    return replace(
        found,
        centers=found.centers + low,
        layout=previous.layout,
        pitch_mm=previous.pitch_mm,
        pitch_error=previous.pitch_error,
    )


def _as_found(laid: Laid, ratio: Floats, declared: DeclaredChart | None) -> ChartDetection:
    """What was found on a smaller picture, as what it was declared to be: else a ColorChecker of any size."""
    placed = Laid(laid.centers * ratio, laid.confidence)
    found = ChartDetection(placed.centers, placed.confidence, "classic", placed.pitch_px)
    if declared is None:
        return found
    return replace(
        found, layout=declared.layout, pitch_mm=declared.pitches_mm, pitch_error=declared.pitch_error
    )


def _checker(
    picture: NDArray[np.uint8], laid: Laid, ratio: Floats, declared: DeclaredChart | None
) -> ChartDetection:
    """A ColorChecker; one that cannot be the declared one has no size."""
    found = _as_found(laid, ratio, declared)
    if declared is None or declared.fits(frame_share(picture, found.centers)):
        return found
    return replace(found, pitch_mm=None)


def _detect_by_markers(
    picture: NDArray[np.uint8], fewest: int, declared: DeclaredChart
) -> ChartDetection | None:
    """The card of which so many markers agree and whose patches follow."""
    for scale in _scales(picture, _MARKER_LONG_SIDES_PX):
        small = _resized(picture, scale)
        for sighting in find_cards(small):
            laid = Laid(sighting.centers, 0.0)
            if sighting.markers < fewest or not laid.plausible:
                continue
            colors, visible = sample_cells(small, laid.centers, laid.pitch_px)
            match = trusted_match(colors[None], visible[None], nominal_card())
            if match is not None:
                laid = replace(laid, confidence=match.confidence)
                placed = _as_found(laid, _ratio(picture, small), declared)
                return replace(placed, print_batch=sighting.print_batch)
    return None


def _lay_card(
    picture: NDArray[np.uint8], small: NDArray[np.uint8], grids: PatchGrids, declared: DeclaredChart
) -> ChartDetection | None:
    """The card by its patches, where its markers are too soft to be found: they still have to be there."""
    ratio = _ratio(picture, small)

    def batch(laid: Laid) -> int | None:
        homography = fit_homography(CENTERS_MM, laid.centers * ratio)
        return None if homography is None else read_batch(picture, homography)

    laid = grids.lay(nominal_card(), lambda laid: batch(laid) is not None)
    print_batch = None if laid is None else batch(laid)
    if laid is None or print_batch is None:
        return None
    return replace(_as_found(laid, ratio, declared), print_batch=print_batch)


def _scales(picture: NDArray[np.uint8], long_sides_px: tuple[int, ...]) -> list[float]:
    """By how much a picture shrinks to each working size: none enlarged, none hardly larger than the last."""
    scales: list[float] = []
    for long_side_px in long_sides_px:
        scale = min(1.0, long_side_px / max(picture.shape[:2]))
        if not scales or scale > 1.2 * scales[-1]:
            scales.append(scale)
    return scales


def _resized(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _ratio(picture: NDArray[np.uint8], small: NDArray[np.uint8]) -> Floats:
    return np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]])
