"""Runs in the environment that bench/color_ccd.py makes: pictures in, charts and corrected skin out.

It holds none of this project's own packages. One request: a line of JSON {"height", "width", "skin"}, then
the picture, uint8 [height, width, 3]. One answer: a line of JSON {"centers", "skin"}, centers null where no
chart was found; an empty line says that it has started.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np

warnings.simplefilter("ignore")

import colour  # noqa: E402
import colour_checker_detection as ccd  # type: ignore[import-not-found]  # noqa: E402
import cv2  # noqa: E402

WORKING_WIDTH = 1440
"""What the package resizes a picture to before it looks."""
CHART = colour.CCS_COLOURCHECKERS["ColorChecker24 - After November 2014"]


def reference_swatches() -> Any:
    """Linear sRGB [24, 3] of the chart under D65, as the package's own example has it."""
    xyz = colour.xyY_to_XYZ(list(CHART.data.values()))
    return colour.XYZ_to_RGB(xyz, "sRGB", CHART.illuminant)


def centers_of(found: Any, scale: float) -> Any:
    """Patch centers [24, 2] in px of a landscape picture, from the quadrilateral that was straightened."""
    height, width = found.colour_checker.shape[:2]
    rectangle = np.array([[width, 0], [width, height], [0, height], [0, 0]], np.float32)
    back = cv2.getPerspectiveTransform(rectangle, np.asarray(found.quadrilateral, np.float32))
    top, bottom, left, right = np.asarray(found.swatch_masks, np.float32).T
    middles = np.stack([(left + right) / 2, (top + bottom) / 2], axis=-1)
    return cv2.perspectiveTransform(middles[None], back)[0] * scale


def answer(picture: Any, skin: Any) -> dict[str, Any]:
    """Find the chart in a picture, and correct skin [N, 3], encoded, by it."""
    height, width = picture.shape[:2]
    upright = width >= height
    try:
        found = ccd.detect_colour_checkers_segmentation(picture, additional_data=True)
    except Exception:  # what it cannot work with is a chart that it did not find
        found = ()
    if not found:
        return {"centers": None, "skin": skin.tolist()}
    [first, *_] = found
    centers = centers_of(first, max(height, width) / WORKING_WIDTH)
    if not upright:
        # it turns a tall picture a quarter clockwise
        centers = np.stack([centers[:, 1], height - 1 - centers[:, 0]], axis=-1)
    linear = colour.cctf_decoding(skin)
    corrected = linear
    if len(skin):
        swatches = colour.cctf_decoding(first.swatch_colours)
        corrected = colour.colour_correction(linear, swatches, reference_swatches())
    encoded = np.clip(np.nan_to_num(colour.cctf_encoding(corrected)), 0, 1)
    return {"centers": centers.tolist(), "skin": encoded.tolist()}


def main() -> None:
    """Answer until the input ends."""
    cv2.setNumThreads(1)
    source, sink = sys.stdin.buffer, sys.stdout
    print(flush=True)
    while line := source.readline():
        asked = json.loads(line)
        shape = (asked["height"], asked["width"], 3)
        picture = np.frombuffer(source.read(int(np.prod(shape))), np.uint8).reshape(shape)
        skin = np.array(asked["skin"], np.float64).reshape(-1, 3)
        print(json.dumps(answer(picture, skin)), file=sink, flush=True)


if __name__ == "__main__":
    main()
