"""The methods that `./dev bench color` compares, each from a picture to its corrected skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

import colorcal
from colorcal.color_math import Floats
from colorcal.reference import PATCHES

Picture = NDArray[np.uint8]
Measure = Callable[[Picture], Floats]
"""Mean encoded color [N, 3], 0 to 1, of each spot of skin in a picture."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Chart centers [24, 2] px, or None where none was found; corrected skin [N, 3], encoded, 0 to 1."""

    centers: Floats | None
    skin: Floats


class Peer(Protocol):
    """A method; it sees every `every`th picture. finds: whether it looks for charts at all."""

    finds: bool
    every: int

    def find(self, picture: Picture) -> Floats | None:
        """Centers [24, 2] px of the chart, or None."""

    def correct(self, picture: Picture, measure: Measure) -> Outcome:
        """Find the chart and correct skin by it; the skin as it came where none is found."""


class Ours:
    """colorcal, as a still is corrected."""

    finds = True
    every = 1

    def find(self, picture: Picture) -> Floats | None:
        """See Peer."""
        found = colorcal.detect_chart(picture)
        return None if found is None else found.centers

    def correct(self, picture: Picture, measure: Measure) -> Outcome:
        """See Peer."""
        calibration = colorcal.calibrate(picture)
        if calibration is None:
            return Outcome(None, measure(picture))
        corrected = np.asarray(calibration.apply(picture), np.uint8)
        return Outcome(calibration.detection.centers, measure(corrected))


class OpenCv:
    """OpenCV 5: mcc finds, ccm corrects with its 3 x 3 over decoded sRGB, as its documentation shows."""

    finds = True
    every = 1

    def find(self, picture: Picture) -> Floats | None:
        """See Peer."""
        detector = cv2.mcc.CCheckerDetector.create()
        parameters = cv2.mcc.DetectorParametersMCC()
        # its default sees no patch below 0.3 % of the picture: these scenes hold smaller ones
        parameters.minContoursAreaRate = 0.0003
        detector.setDetectionParams(parameters)
        detector.setColorChartType(cv2.mcc.MCC24)
        if not detector.process(np.ascontiguousarray(picture[..., ::-1]), 1):
            return None
        corners: Any = detector.getBestColorChecker().getColorCharts()
        return np.asarray(np.asarray(corners, np.float64).reshape(PATCHES, 4, 2).mean(axis=1), np.float64)

    def correct(self, picture: Picture, measure: Measure) -> Outcome:
        """See Peer."""
        centers = self.find(picture)
        if centers is None:
            return Outcome(None, measure(picture))
        patches = colorcal.sample_patches(picture, centers).mean.reshape(PATCHES, 1, 3)
        model = cv2.ccm.ColorCorrectionModel(patches, cv2.ccm.COLORCHECKER_MACBETH)
        model.setColorSpace(cv2.ccm.COLOR_SPACE_SRGB)
        model.setCcmType(cv2.ccm.CCM_LINEAR)
        model.setDistance(cv2.ccm.DISTANCE_CIE2000)
        model.setLinearization(cv2.ccm.LINEARIZATION_GAMMA)
        model.setLinearizationGamma(2.2)
        try:
            model.compute()
        except cv2.error:
            return Outcome(centers, measure(picture))
        skin = measure(picture).astype(np.float32)[:, None]
        corrected = np.asarray(model.correctImage(skin), np.float64)[:, 0]
        return Outcome(centers, np.clip(np.nan_to_num(corrected), 0, 1))


class Nothing:
    """The picture as it came."""

    finds = False
    every = 1

    def find(self, picture: Picture) -> Floats | None:
        """See Peer."""
        return None

    def correct(self, picture: Picture, measure: Measure) -> Outcome:
        """See Peer."""
        return Outcome(None, measure(picture))
