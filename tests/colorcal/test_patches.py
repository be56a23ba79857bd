"""Sampling is robust to specks, follows the chart's pose, and tells what is clipped or outside."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.color_scene.render import Setup, render
from colorcal.color_math import Floats, srgb_encode
from colorcal.patches import sample_patches
from colorcal.reference import GRID, Batch, linear_rgb

REFERENCE: Floats = srgb_encode(np.clip(linear_rgb(Batch.BEFORE_2014), 0, 1))


def flat_chart(pitch: int = 40) -> tuple[NDArray[np.uint8], Floats]:
    picture = np.zeros((pitch * 5, pitch * 7, 3), np.uint8)
    centers = (GRID + 1) * pitch
    for (x, y), color in zip(centers.astype(int), REFERENCE, strict=True):
        picture[y - 17 : y + 17, x - 17 : x + 17] = np.round(color * 255)
    return picture, centers


def test_means_are_the_colors() -> None:
    picture, centers = flat_chart()
    samples = sample_patches(picture, centers)
    assert np.abs(samples.mean - REFERENCE).max() < 0.003
    assert samples.spread.max() == 0
    assert samples.visible.all()


def test_a_speck_does_not_reach_the_mean() -> None:
    picture, centers = flat_chart()
    x, y = centers[3].astype(int)
    picture[y - 3 : y + 4, x - 2 : x + 4] = 255
    samples = sample_patches(picture, centers)
    assert np.abs(samples.mean[3] - REFERENCE[3]).max() < 0.003


def test_sixteen_bits() -> None:
    picture, centers = flat_chart()
    eight, sixteen = (
        sample_patches(picture, centers),
        sample_patches(picture.astype(np.uint16) * 257, centers),
    )
    assert sixteen.mean == pytest.approx(eight.mean)


def test_outside_and_clipped_are_told() -> None:
    picture, centers = flat_chart()
    samples = sample_patches(picture[:, :250], centers)
    assert samples.visible.reshape(4, 6)[:, :5].all()
    assert not samples.visible.reshape(4, 6)[:, 5].any()
    bright = np.clip(picture.astype(int) * 2, 0, 255).astype(np.uint8)
    assert sample_patches(bright, centers).clipped[18]
    assert not sample_patches(picture, centers).clipped[23]


def test_pose_is_followed() -> None:
    upright = render(Setup(width=960, height=640, noise=0, gradient=0))
    turned = render(Setup(width=960, height=640, noise=0, gradient=0, rotation_deg=140, tilt_deg=40))
    one, two = (sample_patches(scene.rgb, scene.centers).mean for scene in (upright, turned))
    assert np.abs(one - two).max() < 0.012
