"""Pictures without a chart that look as if they had one: keys, panes, cloth, scrambled charts, markers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from bench.color_scene.halves import SCORING
from bench.color_scene.render import draw_setup, set_stage
from bench.color_scene.spectra import chart, to_linear_rgb
from colorcal import card
from colorcal.color_math import Floats, srgb_encode

Canvas = NDArray[np.float32]
_HEIGHT, _WIDTH = 720, 1280


def _cells(
    rng: np.random.Generator,
    columns: int,
    rows: int,
    gap: float,
    ground: Floats,
    color: Callable[[int, int], Any],
) -> Canvas:
    """A grid of cells on a ground; gap: share of a cell around each tile."""
    canvas = np.empty((_HEIGHT, _WIDTH, 3), np.float32)
    canvas[:] = ground
    wide, tall = _WIDTH / columns, _HEIGHT / rows
    if rng.random() < 0.7:
        wide = tall = min(wide, tall)
    for row in range(rows):
        for column in range(columns):
            x, y = column * wide, row * tall
            left, right = int(x + gap * wide / 2), int(x + wide * (1 - gap / 2))
            top, bottom = int(y + gap * tall / 2), int(y + tall * (1 - gap / 2))
            canvas[top:bottom, left:right] = color(row, column)
    return canvas


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(5, 16)), int(rng.integers(4, 10))


def _keyboard(rng: np.random.Generator) -> Canvas:
    base, ink = rng.uniform(0.05, 0.9), rng.uniform(0, 1)
    columns, rows = int(rng.integers(10, 17)), int(rng.integers(5, 8))
    canvas = _cells(rng, columns, rows, 0.18, np.full(3, 0.5 * base), lambda r, c: np.full(3, base))
    side = min(_WIDTH / columns, _HEIGHT / rows)
    for row in range(rows):
        for column in range(columns):
            # a letter: a few strokes in the upper left
            strokes = (np.array((column, row)) + rng.uniform(0.25, 0.6, (4, 2))) * side
            cv2.polylines(canvas, [strokes.astype(np.int32)], False, (ink, ink, ink), 2, cv2.LINE_AA)
    return canvas


def _window(rng: np.random.Generator) -> Canvas:
    columns, rows = _size(rng)
    sky = rng.uniform(0.2, 0.95, 3)
    return _cells(
        rng, columns, rows, rng.uniform(0.08, 0.5), rng.uniform(0.1, 0.9, 3),
        lambda r, c: np.clip(sky * rng.uniform(0.5, 1.2) + 0.1 * r / rows, 0, 1),
    )  # fmt: skip


def _mosaic(rng: np.random.Generator) -> Canvas:
    columns, rows = _size(rng)
    return _cells(
        rng, columns, rows, rng.uniform(0.03, 0.25), rng.uniform(0, 1, 3), lambda r, c: rng.uniform(0, 1, 3)
    )


def _tiles(rng: np.random.Generator) -> Canvas:
    columns, rows = _size(rng)
    base = rng.uniform(0.2, 0.9, 3)
    return _cells(
        rng, columns, rows, rng.uniform(0.02, 0.12), rng.uniform(0.3, 0.9, 3),
        lambda r, c: np.clip(base + rng.normal(0, 0.08), 0, 1),
    )  # fmt: skip


def _swatches(rng: np.random.Generator) -> Canvas:
    """A paint card: one hue a row, from light to dark."""
    columns, rows = _size(rng)
    hues = rng.uniform(0, 1, (rows, 3))
    return _cells(
        rng, columns, rows, rng.uniform(0.05, 0.2), np.full(3, rng.uniform(0, 1)),
        lambda r, c: hues[r] ** (0.3 + 2 * c / columns),
    )  # fmt: skip


def _tartan(rng: np.random.Generator) -> Canvas:
    colors = rng.uniform(0, 1, (5, 3))
    x = colors[rng.integers(0, 5, 40)].repeat(32, axis=0)[:_WIDTH]
    y = colors[rng.integers(0, 5, 24)].repeat(30, axis=0)[:_HEIGHT]
    return np.asarray(0.5 * (x[None] + y[:, None]), np.float32)


def _weave(rng: np.random.Generator) -> Canvas:
    columns, rows = int(rng.integers(16, 40)), int(rng.integers(10, 24))
    warp, weft = rng.uniform(0, 1, (2, 3))
    return _cells(rng, columns, rows, 0.1, np.full(3, 0.1), lambda r, c: warp if (r + c) % 2 else weft)


def _icons(rng: np.random.Generator) -> Canvas:
    """A phone's home screen: saturated tiles with a glyph on a soft ground."""
    columns, rows = int(rng.integers(4, 9)), int(rng.integers(4, 7))
    canvas = _cells(
        rng, columns, rows, rng.uniform(0.25, 0.5), rng.uniform(0, 1, 3),
        lambda r, c: np.clip(rng.normal(0.5, 0.4, 3), 0, 1),
    )  # fmt: skip
    side = min(_WIDTH / columns, _HEIGHT / rows)
    for row in range(rows):
        for column in range(columns):
            center = (int((column + 0.5) * side), int((row + 0.5) * side))
            cv2.circle(canvas, center, int(0.1 * side), rng.uniform(0, 1, 3).tolist(), -1)
    return canvas


def _books(rng: np.random.Generator) -> Canvas:
    columns = int(rng.integers(12, 40))
    return _cells(rng, columns, 3, 0.04, np.full(3, 0.15), lambda r, c: rng.uniform(0.05, 0.9, 3))


def _greys(rng: np.random.Generator) -> Canvas:
    columns, rows = _size(rng)
    return _cells(
        rng, columns, rows, rng.uniform(0.03, 0.2), np.full(3, rng.uniform(0, 1)),
        lambda r, c: np.full(3, rng.uniform(0, 1)),
    )  # fmt: skip


def _picker(rng: np.random.Generator) -> Canvas:
    """A color picker: hue across, lightness down."""
    columns, rows = _size(rng)
    hue = rng.uniform(0, 2 * np.pi)

    def color(row: int, column: int) -> Any:
        angle = hue + 2 * np.pi * column / columns + np.array([0, 2.1, 4.2])
        return np.clip((0.5 + 0.5 * np.cos(angle)) * (1 - 0.8 * row / rows), 0, 1)

    return _cells(rng, columns, rows, rng.uniform(0.02, 0.2), np.full(3, rng.uniform(0, 1)), color)


def _sweets(rng: np.random.Generator) -> Canvas:
    """Discs of a few colors in rows: pills, buttons, sweets."""
    canvas = np.empty((_HEIGHT, _WIDTH, 3), np.float32)
    canvas[:] = rng.uniform(0, 1, 3)
    side, colors = float(rng.uniform(50, 120)), rng.uniform(0, 1, (6, 3))
    for y in np.arange(side / 2, _HEIGHT, side):
        for x in np.arange(side / 2, _WIDTH, side):
            cv2.circle(
                canvas, (int(x), int(y)), int(0.4 * side), colors[rng.integers(6)].tolist(), -1, cv2.LINE_AA
            )
    return canvas


def _chart_colors() -> Floats:
    return srgb_encode(np.clip(chart("babel") @ to_linear_rgb(), 0, 1))


def _of_chart(rng: np.random.Generator, colors: Floats) -> Canvas:
    """24 colors laid out as a chart is, somewhere on a plain ground."""
    canvas = _cells(rng, 14, 8, 0.14, np.full(3, rng.uniform(0.02, 0.6)), lambda r, c: np.full(3, 0.03))
    canvas[:] = rng.uniform(0.05, 0.9, 3)
    side = int(rng.integers(36, 90))
    left, top = int(rng.integers(20, _WIDTH - 6 * side - 20)), int(rng.integers(20, _HEIGHT - 4 * side - 20))
    canvas[top - 8 : top + 4 * side + 8, left - 8 : left + 6 * side + 8] = 0.03
    gap = max(1, int(0.07 * side))
    for index, color in enumerate(colors):
        x, y = left + index % 6 * side, top + index // 6 * side
        canvas[y + gap : y + side - gap, x + gap : x + side - gap] = color
    return canvas


def _scrambled(rng: np.random.Generator) -> Canvas:
    return _of_chart(rng, _chart_colors()[rng.permutation(24)])


def _channels_swapped(rng: np.random.Generator) -> Canvas:
    orders = ((2, 1, 0), (1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1))
    return _of_chart(rng, _chart_colors()[:, orders[rng.integers(5)]])


def _mirrored(rng: np.random.Generator) -> Canvas:
    """The chart as a mirror shows it: the order runs the wrong way."""
    return _of_chart(rng, _chart_colors().reshape(4, 6, 3)[:, ::-1].reshape(24, 3))


def _inverted(rng: np.random.Generator) -> Canvas:
    return _of_chart(rng, 1 - _chart_colors())


def _leaves(rng: np.random.Generator) -> Canvas:
    """Soft blobs at several scales: plants, clouds, a rug."""
    canvas = np.zeros((_HEIGHT, _WIDTH, 3), np.float32)
    for scale in (40, 12, 4):
        small = rng.normal(0, 1, (_HEIGHT // scale, _WIDTH // scale, 3)).astype(np.float32)
        canvas += np.asarray(cv2.resize(small, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(np.clip(0.5 + 0.17 * canvas, 0, 1), np.float32)


def _crossword(rng: np.random.Generator) -> Canvas:
    columns = int(rng.integers(9, 20))
    return _cells(
        rng, columns, columns * 9 // 16 + 1, 0.06, np.zeros(3), lambda r, c: np.full(3, rng.random() < 0.75)
    )


def _markers(rng: np.random.Generator) -> Canvas:
    """A board of the markers that the card has, in any order: a calibration target, a game."""
    columns, rows = int(rng.integers(3, 9)), int(rng.integers(3, 6))
    side = min(_WIDTH // columns, _HEIGHT // rows)
    canvas = np.full((_HEIGHT, _WIDTH, 3), rng.uniform(0.6, 1), np.float32)
    marker_px = int(rng.uniform(0.5, 0.8) * side)
    for row in range(rows):
        for column in range(columns):
            art = card.dictionary().generateImageMarker(int(rng.integers(50)), marker_px)
            x, y = column * side + (side - marker_px) // 2, row * side + (side - marker_px) // 2
            canvas[y : y + marker_px, x : x + marker_px] = art[..., None] / 255
    return canvas


def _codes(rng: np.random.Generator) -> Canvas:
    """QR codes on labels."""
    canvas = np.full((_HEIGHT, _WIDTH, 3), rng.uniform(0.4, 1, 3), np.float32)
    for _ in range(int(rng.integers(1, 7))):
        text = "".join(map(str, rng.integers(0, 10, int(rng.integers(5, 120)))))
        modules = np.array([list(row) for row in segno.make(text, micro=False).matrix], np.float32)
        art = np.kron(np.pad(1 - modules, 4, constant_values=1), np.ones((int(rng.integers(3, 8)),) * 2))
        tall, wide = (min(art.shape[0], _HEIGHT), min(art.shape[1], _WIDTH))
        x, y = int(rng.integers(_WIDTH - wide + 1)), int(rng.integers(_HEIGHT - tall + 1))
        canvas[y : y + tall, x : x + wide] = art[:tall, :wide, None]
    return canvas


def _false_card(rng: np.random.Generator) -> Canvas:
    """A card's own markers around colors that are not the card's."""
    per_mm = float(rng.uniform(4, 7))
    canvas = np.full((_HEIGHT, _WIDTH, 3), rng.uniform(0.2, 0.8), np.float32)
    colors = rng.uniform(0, 1, (24, 3)) if rng.random() < 0.5 else card.ink_rgb(card.NOMINAL_LAB)[::-1]
    inks = np.vstack([colors, np.full((1, 3), 0.2), np.zeros((1, 3))])
    size = int(card.WIDTH_MM * per_mm), int(card.HEIGHT_MM * per_mm)
    left, top = int(rng.integers(_WIDTH - size[0])), int(rng.integers(_HEIGHT - size[1]))
    canvas[top : top + size[1], left : left + size[0]] = 0.95
    for one in card.rectangles(int(rng.integers(card.MAX_BATCH + 1))):
        x, y = left + round(one.left * per_mm), top + round(one.top * per_mm)
        ink = np.full(3, 0.95) if one.width == card.MODULE_MM else inks[one.ink]
        canvas[y : y + round(one.height * per_mm), x : x + round(one.width * per_mm)] = ink
    return canvas


KINDS: Final[tuple[Callable[[np.random.Generator], Canvas], ...]] = (
    _keyboard, _window, _mosaic, _tiles, _swatches, _tartan, _weave, _icons, _books, _greys, _picker, _sweets,
    _scrambled, _channels_swapped, _mirrored, _inverted, _leaves, _crossword,
    _markers, _codes, _false_card,
)  # fmt: skip


def negative(seed: int) -> NDArray[np.uint8]:
    """Negative number `seed`, uint8 [720, 1280, 3]: every kind in turn, then skin without a chart."""
    kind = seed % (len(KINDS) + 1)
    if kind == len(KINDS):
        return set_stage(draw_setup(SCORING, seed), with_chart=False).shoot()
    rng = np.random.default_rng([9, seed])
    canvas = KINDS[kind](rng)
    corners = np.array([(0, 0), (_WIDTH, 0), (_WIDTH, _HEIGHT), (0, _HEIGHT)], np.float32)
    angle, zoom = rng.normal(0, 0.4), rng.uniform(0.9, 1.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array((_WIDTH, _HEIGHT)) / 2
    moved = (corners - middle) @ turn.T * zoom + middle + rng.uniform(-70, 70, (4, 2))
    matrix: Any = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen: Any = cv2.warpPerspective(canvas, matrix, (_WIDTH, _HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.5, 1.5)))
    seen *= np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)
    seen += rng.standard_normal(seen.shape, np.float32) * np.float32(rng.uniform(0.002, 0.015))
    picture: NDArray[np.uint8] = np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)
    return picture
