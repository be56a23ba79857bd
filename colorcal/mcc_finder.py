"""OpenCV's own chart finder, for where no lattice is seen; its proposals pass the same gate."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorcal.matching import COLOR_CHECKER
from colorcal.patch_grid import Laid, sample_cells, trusted_match
from colorcal.reference import COLUMNS, PATCHES


def lay_with_mcc(picture: NDArray[np.uint8]) -> Laid | None:
    """A ColorChecker in a picture uint8 [H, W, 3] of about 800 px, or None."""
    detector = cv2.mcc.CCheckerDetector.create()
    parameters = cv2.mcc.DetectorParametersMCC()
    parameters.minContoursAreaRate = 0.0003
    detector.setDetectionParams(parameters)
    detector.setColorChartType(cv2.mcc.MCC24)
    try:
        if not detector.process(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), 1):
            return None
        corners = np.asarray(detector.getBestColorChecker().getColorCharts(), float)
    except cv2.error:
        return None
    if corners.shape != (PATCHES * 4, 2) or not np.isfinite(corners).all():
        return None
    centers = corners.reshape(PATCHES, 4, 2).mean(axis=1)
    pitch = float(np.hypot(*(centers[COLUMNS - 1] - centers[0]))) / (COLUMNS - 1)
    colors, visible = sample_cells(picture, centers, pitch)
    match = trusted_match(np.stack([colors, colors[::-1]]), np.stack([visible, visible[::-1]]), COLOR_CHECKER)
    if match is None:
        return None
    laid = Laid(centers if match.index == 0 else centers[::-1], match.confidence)
    return laid if laid.plausible else None
