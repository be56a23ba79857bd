"""How much of small lesions, skin color and texture a decoded picture still holds, against the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.fidelity_scene import (
    HEIGHT_PX,
    MACULE_RADIUS_PX,
    TOP_PX,
    WIDTH_PX,
    LesionScene,
    Spot,
    read_marker,
)
from colorcal.color_math import de00, srgb_to_lab
from media.emphasis import inverse_table
from media.interface import ChromaEmphasis
from media.yuv import rgb_from_yuv

KR_601, KB_601 = 0.299, 0.114
_BLOCK_PX = 40
_EDGE_PX = 24


@dataclass(frozen=True, slots=True)
class Decoded:
    """One picture as its decoder gave it: planes Y, Cb, Cr, before anything is undone."""

    width_px: int
    height_px: int
    i420: bytes

    def planes(self) -> list[NDArray[np.uint8]]:
        """Y [H, W], Cb and Cr [H/2, W/2]."""
        width, height = self.width_px, self.height_px
        half = ((width + 1) // 2, (height + 1) // 2)
        data = np.frombuffer(self.i420, np.uint8)
        luma, chroma = width * height, half[0] * half[1]
        parts = data[:luma], data[luma : luma + chroma], data[luma + chroma : luma + 2 * chroma]
        return [
            part.reshape(size[::-1]) for part, size in zip(parts, ((width, height), half, half), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one picture. kept, texture: parts of the clean rendering's; de00: of skin in blocks of 40 px;
    blob: the error of chroma, in Lab units over 8 px, that one pixel of skin in a hundred exceeds."""

    kept: float
    de00: float
    texture: float
    blob: float
    spots: tuple[tuple[Spot, float], ...]
    """Saturated lesions: CIEDE2000 at the core."""


def to_rgb(decoded: Decoded, emphasis: ChromaEmphasis | None) -> NDArray[np.float32]:
    """R'G'B' 0 to 255, float32, at the scene's size; BT.601, limited range, as VP8 has it."""
    luma, *chroma = decoded.planes()
    restored = [plane.astype(np.float32) for plane in chroma]
    if emphasis is not None:
        centers = (emphasis.center_u, emphasis.center_v)
        restored = [
            inverse_table(center, emphasis.softness)[plane]
            for center, plane in zip(centers, chroma, strict=True)
        ]
    size = (WIDTH_PX, HEIGHT_PX)
    full = [
        plane if plane.shape == size[::-1] else cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
        for plane in (luma.astype(np.float32), *restored)
    ]
    merged = cv2.transform(cv2.merge(full), rgb_from_yuv(KR_601, KB_601, False).astype(np.float32))
    return np.clip(merged, 0, 255)


def lab_of(rgb: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """CIELAB of encoded R'G'B' 0 to 255, float32 [H, W, 3]."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


def score(scene: LesionScene, rgb: NDArray[np.float32], number: int) -> Score:
    """Compare a picture with the clean rendering of its instant."""
    seen, true = lab_of(rgb), lab_of(scene.clean(number))
    centers = scene.centers_at(number)[len(scene.spots) :]
    clean_contrast = _contrasts(true[..., 1], centers)
    kept = float(
        (_contrasts(seen[..., 1], centers) * clean_contrast).sum() / (clean_contrast * clean_contrast).sum()
    )
    texture = _texture(seen[..., 0], true[..., 0])
    inner = (slice(TOP_PX, HEIGHT_PX - _EDGE_PX), slice(_EDGE_PX, WIDTH_PX - _EDGE_PX))
    error = cv2.blur(seen - true, (8, 8))[inner]
    blob = float(np.percentile(np.hypot(error[..., 1], error[..., 2]), 99))
    return Score(kept, _skin_de00(rgb, scene.clean(number)), texture, blob, _spots(scene, seen, true, number))


def _contrasts(plane: NDArray[np.float32], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean inside a macule minus mean around it, for each."""
    found = []
    for x, y in centers:
        x0, y0 = round(x) - 20, round(y) - 20
        if x0 < 0 or y0 < 0 or x0 + 41 > WIDTH_PX or y0 + 41 > HEIGHT_PX:
            continue
        part = plane[y0 : y0 + 41, x0 : x0 + 41]
        rows, columns = np.mgrid[y0 : y0 + 41, x0 : x0 + 41]
        away = np.hypot(columns - x, rows - y)
        around = part[(away > MACULE_RADIUS_PX + 4) & (away < MACULE_RADIUS_PX + 12)]
        found.append(float(part[away < MACULE_RADIUS_PX - 1].mean() - around.mean()))
    return np.array(found)


def _texture(seen: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """How much of the clean picture's fine relief is there: the slope of one band-pass over the other."""
    bands = []
    for plane in (seen, true):
        band = cv2.GaussianBlur(plane, (0, 0), 0.8) - cv2.GaussianBlur(plane, (0, 0), 3.0)
        bands.append(band[TOP_PX : HEIGHT_PX - _EDGE_PX, _EDGE_PX : WIDTH_PX - _EDGE_PX])
    return float((bands[0] * bands[1]).sum() / (bands[1] * bands[1]).sum())


def _skin_de00(rgb: NDArray[np.float32], clean: NDArray[np.uint8]) -> float:
    blocks = []
    for picture in (rgb, clean.astype(np.float32)):
        rows, columns = HEIGHT_PX // _BLOCK_PX, WIDTH_PX // _BLOCK_PX
        small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        blocks.append(srgb_to_lab(small[TOP_PX // _BLOCK_PX + 1 :].astype(np.float64) / 255))
    return float(np.mean(de00(blocks[0], blocks[1])))


def _spots(
    scene: LesionScene, seen: NDArray[np.float32], true: NDArray[np.float32], number: int
) -> tuple[tuple[Spot, float], ...]:
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    found = []
    for spot, (x, y) in zip(scene.spots, scene.centers_at(number), strict=False):
        core = np.hypot(columns - x, rows - y) < max(2.0, 0.6 * spot.radius_px)
        means = [lab[core].mean(axis=0).astype(np.float64) for lab in (seen, true)]
        found.append((spot, float(de00(*means))))
    return tuple(found)


def number_of(decoded: Decoded) -> int | None:
    """The frame's number, or None."""
    return read_marker(decoded.planes()[0])


def read_number(rgb: NDArray[np.float32]) -> int | None:
    """The number in an RGB picture, or None."""
    return read_marker(np.asarray(rgb[..., 1], np.uint8))
