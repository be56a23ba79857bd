"""From patch samples to a correction that is right for skin, and to how right it is expected to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np

from colorcal.camera_fit import CameraFit, fit_camera
from colorcal.camera_prior import MODES, response_prior
from colorcal.chart_reference import ChartReference, color_checker
from colorcal.color_math import Floats, de00, linear_rgb_to_lab
from colorcal.correction import FEATURES, Correction, features
from colorcal.patches import PatchSamples
from colorcal.reference import Batch
from colorcal.skin import library
from colorcal.spectra import D65_TO_LINEAR_RGB

_POSTERIOR_DRAWS: Final = 10
_SKIN_WEIGHT: Final = 1.0
_CHART_WEIGHT: Final = 0.002
_GREY_WEIGHT: Final = 0.002
_GREYS: Final = (0.03, 0.09, 0.19, 0.36, 0.59, 0.9)
_RIDGE: Final = 1e-7
_COLOR_CHECKERS: Final = tuple(color_checker(batch) for batch in Batch)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A correction with the fit behind it; skin_de00: expected error on each skin draw."""

    correction: Correction
    fit: CameraFit
    skin_de00: Floats


@lru_cache(maxsize=16)
def _targets(reference: ChartReference) -> tuple[Floats, Floats, Floats]:
    """Reflectances [N, 31], their linear sRGB under D65 [N, 3] and weights [N]: skin, chart, greys."""
    skin, chart = library(), reference.reflectance
    greys = np.repeat(np.array(_GREYS)[:, None], skin.shape[1], axis=1)
    reflectance = np.vstack([skin, chart, greys])
    target = reflectance @ D65_TO_LINEAR_RGB
    luminance = np.maximum(target @ (0.2127, 0.7152, 0.0722), 0.01)
    groups = ((skin, _SKIN_WEIGHT), (chart, _CHART_WEIGHT), (greys, _GREY_WEIGHT))
    share = np.concatenate([np.full(len(group), weight / len(group)) for group, weight in groups])
    # lightness grows with the cube root of luminance: errors in the dark weigh more
    return reflectance, target, share * luminance ** (-4 / 3)


def _skin_matrix(design: Floats, target: Floats, weights: Floats) -> Floats:
    """Weighted least squares [FEATURES, 3], the root terms shrunk towards none.

    On the most probable camera alone: over many, as over any noisy input, a regression would pull every tone
    towards the mean one.
    """
    scaled = design * weights[:, None]
    plain = design[:, :3]
    linear = np.linalg.solve(plain.T @ scaled[:, :3] + 1e-6 * np.eye(3), scaled[:, :3].T @ target)
    start = np.vstack([linear, np.zeros((FEATURES - 3, 3))])
    normal = design.T @ scaled
    ridge = _RIDGE * np.trace(normal) * np.eye(FEATURES)
    result: Floats = np.linalg.solve(normal + ridge, scaled.T @ target + ridge @ start)
    return result


@cache
def _draws() -> Floats:
    """Fixed standard normal draws, paired with their negatives [D, MODES]."""
    half = np.random.default_rng(7).standard_normal((_POSTERIOR_DRAWS // 2, MODES))
    return np.vstack([half, -half])


def estimate(samples: PatchSamples, references: Sequence[ChartReference] = _COLOR_CHECKERS) -> Estimate:
    """Fit every chart that it may be, keep the most probable, and fit skin on what that camera would see."""
    fits = [fit_camera(samples, reference) for reference in references]
    fit = min(fits, key=lambda one: one.cost)
    reflectance, target, weights = _targets(fit.reference)
    prior = response_prior()
    root = np.linalg.cholesky(fit.modes_cov + 1e-12 * np.eye(MODES))
    coefficients = np.vstack([fit.modes, fit.modes + _draws() @ root.T])
    responses = prior.mean + np.tensordot(coefficients, prior.modes, axes=1)
    seen = np.maximum(np.einsum("dcl,nl->dnc", responses, reflectance), 1e-5)
    design = features(seen)
    matrix = _skin_matrix(design[0], target, weights)
    skin = len(library())
    predicted = design[:, :skin] @ matrix
    errors = de00(linear_rgb_to_lab(predicted), linear_rgb_to_lab(target[:skin]))
    correction = Correction(fit.shape, fit.gains, fit.flare, matrix)
    return Estimate(correction, fit, np.hypot(errors[1:].mean(axis=1), fit.reference.skin_de00))
