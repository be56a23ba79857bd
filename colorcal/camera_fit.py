"""The physical fit: which camera, light, tone curve, gradient and flare made these patch colors.

Each patch is modelled as tone curve of (exposure x gradient x response . reflectance + flare). The response
has a Gaussian prior over cameras and lights (camera_prior), patches have Student t errors, and the most
probable parameters are found by Levenberg-Marquardt on all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from colorcal.camera_prior import MODES, response_prior
from colorcal.chart_reference import ChartReference
from colorcal.color_math import Floats, srgb_decode, srgb_encode
from colorcal.patches import PatchSamples
from colorcal.reference import COLUMNS, GRID, ROWS
from colorcal.tone import SHAPE_SIGMAS, SHAPES, bend_slopes, bends

_NOISE: Final = 0.006
"""Standard deviation, in encoded units, of a good patch: print and model together."""
_FREEDOM: Final = 4.0
_GRADIENT_SIGMAS: Final[Floats] = np.array([0.25, 0.25, 0.06, 0.06, 0.06])
_GAIN_SIGMA: Final = 0.6
_GAIN_COMMON_SIGMA: Final = 1.5
_FLARE_MEAN: Final = 0.004
_FLARE_SIGMA: Final = 0.008
_SOFTENING: Final = (8.0, 4.0, 2.0, 1.4, 1.0)
"""Noise of the first rounds, in units of the last: far from the answer every patch still has a say."""
_ROUNDS: Final = 16
_MAX_NOISE_SCALE: Final = 4.0

# parameters: response modes, log gains (3), gradient (5), flare (common), tone shape
_GAIN: Final = slice(MODES, MODES + 3)
_GRADIENT: Final = slice(MODES + 3, MODES + 8)
_FLARE: Final = MODES + 8
_SHAPE: Final = slice(MODES + 9, MODES + 9 + SHAPES)
_COUNT: Final = MODES + 9 + SHAPES


@dataclass(frozen=True, slots=True)
class CameraFit:
    """The most probable camera, and how sure it is.

    modes: float64 [MODES], coefficients of the response prior; modes_cov: their posterior covariance.
    gains: linear exposure of each channel [3] at the chart's center. shape: tone curve.
    flare: linear light added everywhere. lighting: light on each patch relative to the center [24].
    weights: float64 [24], 1 for a patch as expected, towards 0 for one that is not.
    residual: float64 [24, 3], encoded. cost: negative log posterior, to compare fits of the same samples.
    """

    modes: Floats
    modes_cov: Floats
    gains: Floats
    shape: Floats
    flare: float
    lighting: Floats
    weights: Floats
    residual: Floats
    cost: float
    reference: ChartReference


def _responses(reference: ChartReference) -> tuple[Floats, Floats]:
    """Patch responses of the prior's mean [24, 3] and of each mode [MODES, 24, 3]."""
    prior, reflectance = response_prior(), reference.reflectance
    return reflectance @ prior.mean.T, np.einsum("kcl,pl->kpc", prior.modes, reflectance)


@cache
def _gradient_basis() -> Floats:
    """Linear and quadratic terms of place on the chart, each within -1 to 1 or so: [24, 5]."""
    x = 2 * GRID[:, 0] / (COLUMNS - 1) - 1
    y = (2 * GRID[:, 1] / (ROWS - 1) - 1) * (ROWS - 1) / (COLUMNS - 1)
    return np.column_stack([x, y, x * x - (x * x).mean(), y * y - (y * y).mean(), x * y])


@cache
def _precision() -> Floats:
    """Prior precision of all parameters [P, P]: exposure is free, white balance is not far off."""
    precision = np.zeros((_COUNT, _COUNT))
    precision[:MODES, :MODES] = np.eye(MODES)
    gain_cov = _GAIN_SIGMA**2 * np.eye(3) + _GAIN_COMMON_SIGMA**2
    precision[_GAIN, _GAIN] = np.linalg.inv(gain_cov)
    precision[_GRADIENT, _GRADIENT] = np.diag(_GRADIENT_SIGMAS**-2.0)
    precision[_FLARE, _FLARE] = _FLARE_SIGMA**-2.0
    precision[_SHAPE, _SHAPE] = np.diag(SHAPE_SIGMAS**-2.0)
    return precision


def fit_camera(samples: PatchSamples, reference: ChartReference) -> CameraFit:
    """The most probable camera for these samples of a chart that reflects this."""
    mean, modes = _responses(reference)
    basis, precision = _gradient_basis(), _precision()
    prior_mean = np.zeros(_COUNT)
    prior_mean[_FLARE] = _FLARE_MEAN
    least = _NOISE**2 + reference.error**2 + (0.25 * samples.spread) ** 2
    variance = least * _SOFTENING[0] ** 2
    theta = prior_mean.copy()
    theta[_GAIN] = _first_gain(samples, mean)
    damping = 1e-3
    residual, jacobian = _forward(theta, mean, modes, basis, samples.mean)
    weights = _weights(residual, variance, samples)
    for turn in range(_ROUNDS):
        softening = _SOFTENING[min(turn, len(_SOFTENING) - 1)]
        variance = least * max(softening, _noise_scale(residual, least, samples)) ** 2
        weights = _weights(residual, variance, samples)
        scaled = (weights[:, None] / variance).ravel()
        step_base = theta - prior_mean
        normal = jacobian.T @ (scaled[:, None] * jacobian) + precision
        slope = jacobian.T @ (scaled * residual.ravel()) + precision @ step_base
        before = _objective(residual, scaled, step_base, precision)
        accepted = False
        for _ in range(4):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), slope)
            candidate = _bounded(theta - step)
            trial, trial_jacobian = _forward(candidate, mean, modes, basis, samples.mean)
            if _objective(trial, scaled, candidate - prior_mean, precision) < before:
                accepted = True
                break
            damping = damping * 10 + 1e-6
        if not accepted:
            if turn >= len(_SOFTENING):
                break
            continue
        moved = float(np.abs(candidate - theta).max())
        theta, residual, jacobian = candidate, trial, trial_jacobian
        damping = max(damping / 8, 1e-7)
        if moved < 2e-4 and turn >= len(_SOFTENING):
            break
    variance = least * _noise_scale(residual, least, samples) ** 2
    weights = _weights(residual, variance, samples)
    scaled = (weights[:, None] / variance).ravel()
    normal = jacobian.T @ (scaled[:, None] * jacobian) + precision
    covariance = np.asarray(np.linalg.inv(normal), np.float64)
    distance = (residual**2 / variance).sum(axis=1)
    cost = 0.5 * (_FREEDOM + 3) * float(np.log1p(distance / _FREEDOM)[samples.visible].sum())
    cost += 0.5 * float(np.log(variance)[samples.visible].sum())
    cost += 0.5 * float((theta - prior_mean) @ precision @ (theta - prior_mean))
    cost += 0.5 * float(np.linalg.slogdet(normal)[1])
    return CameraFit(
        theta[:MODES],
        covariance[:MODES, :MODES],
        np.exp(theta[_GAIN]),
        theta[_SHAPE],
        float(theta[_FLARE]),
        np.exp(basis @ theta[_GRADIENT]),
        np.minimum(weights / ((_FREEDOM + 3) / _FREEDOM), 1.0),
        residual,
        cost,
        reference,
    )


def _first_gain(samples: PatchSamples, mean: Floats) -> Floats:
    usable = samples.visible & ~samples.clipped
    if usable.sum() < 4:
        usable = np.ones(len(mean), bool)
    ratio = srgb_decode(samples.mean[usable]) / np.maximum(mean[usable], 0.01)
    gain: Floats = np.log(np.clip(np.median(ratio, axis=0), 0.02, 5.0))
    return gain


def _bounded(theta: Floats) -> Floats:
    """Keep parameters where the model means something."""
    bounded = theta.copy()
    bounded[:MODES] = np.clip(bounded[:MODES], -4, 4)
    bounded[_GAIN] = np.clip(bounded[_GAIN], -5, 2.5)
    bounded[_GRADIENT] = np.clip(bounded[_GRADIENT], -1, 1)
    bounded[_FLARE] = np.clip(bounded[_FLARE], 0, 0.2)
    bounded[_SHAPE] = np.clip(bounded[_SHAPE], -3 * SHAPE_SIGMAS, 3 * SHAPE_SIGMAS)
    return bounded


def _forward(
    theta: Floats, mean: Floats, modes: Floats, basis: Floats, measured: Floats
) -> tuple[Floats, Floats]:
    """Residual [24, 3] of predicted minus measured, and its Jacobian [72, P]."""
    response = mean + np.tensordot(theta[:MODES], modes, axes=1)
    factor = np.exp(theta[_GAIN])[None, :] * np.exp(basis @ theta[_GRADIENT])[:, None]
    light = factor * response
    linear = light + theta[_FLARE]
    positive = np.maximum(linear, 1e-5)
    u = srgb_encode(positive)
    shape = theta[_SHAPE]
    bent = bends(u)
    value = u + bent @ shape
    # slope of sRGB's encoding
    encode_slope = np.where(positive <= 0.0031308, 12.92, 1.055 / 2.4 * positive ** (1 / 2.4 - 1))
    chain = (1 + bend_slopes(u) @ shape) * encode_slope
    chain = np.where((linear > 1e-5) & (value < 1), chain, 0.0)
    predicted = np.clip(value, 0, 1)
    jacobian = np.empty((*mean.shape, len(theta)))
    jacobian[..., :MODES] = (modes * (factor * chain)).transpose(1, 2, 0)
    gain = light * chain
    jacobian[..., _GAIN] = gain[..., None] * np.eye(3)
    jacobian[..., _GRADIENT] = gain[..., None] * basis[:, None, :]
    jacobian[..., _FLARE] = chain
    jacobian[..., _SHAPE] = bent * (value < 1)[..., None]
    return predicted - measured, jacobian.reshape(-1, len(theta))


def _weights(residual: Floats, variance: Floats, samples: PatchSamples) -> Floats:
    """Student t weight of each patch [24]; 0 for one outside the picture."""
    distance = (residual**2 / variance).sum(axis=1)
    weights = (_FREEDOM + 3) / (_FREEDOM + distance)
    result: Floats = np.where(samples.visible, weights, 0.0)
    return result


def _noise_scale(residual: Floats, least: Floats, samples: PatchSamples) -> float:
    """How much noisier than the least this picture is, from its better patches; at least 1."""
    distance = np.sqrt((residual**2 / least).mean(axis=1))[samples.visible]
    if not len(distance):
        return 1.0
    return float(np.clip(1.15 * np.quantile(distance, 0.4), 1.0, _MAX_NOISE_SCALE))


def _objective(residual: Floats, scaled: Floats, step: Floats, precision: Floats) -> float:
    return float(residual.ravel() @ (scaled * residual.ravel()) + step @ precision @ step)
