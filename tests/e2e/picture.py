"""Reads pictures out of a page and measures how far their skin is from the truth."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Locator, Page, expect

Rectangle = tuple[float, float, float, float]

# A 2D canvas of the page's own realm: its pixels are what the page shows, before the screen. It waits for the
# first picture of an element that has none yet; null: the element is no longer on the page.
READ_PIXELS = """
(element) => new Promise((resolve) => {
  const read = () => {
    const width = element.videoWidth || element.width || element.naturalWidth;
    const height = element.videoHeight || element.height || element.naturalHeight;
    if (!element.isConnected) return resolve(null);
    if (!width || !height) return requestAnimationFrame(read);
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('2d', { colorSpace: 'srgb' }).drawImage(element, 0, 0);
    resolve(canvas.toDataURL('image/png').split(',')[1]);
  };
  read();
})
"""


async def raw_canvas(specialist: Page, camera: str) -> NDArray[np.uint8]:
    """The picture on the specialist's stage without the calibration's correction."""
    wipe = specialist.get_by_role("slider", name="Raw / corrected")
    if await wipe.count():
        await wipe.press("End")
        await expect(wipe).to_have_attribute("aria-valuenow", "100")
    canvas = specialist.get_by_role("img", name=re.compile(f"^{camera}"))
    await canvas.wait_for()
    # The change is drawn at the next display refresh, and the one after it comes when that is done.
    await specialist.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return await read_rgb(canvas)


async def read_rgb(element: Locator) -> NDArray[np.uint8]:
    """The pixels of a video, canvas or img element, or of the one that takes its place: uint8 [H, W, 3],
    sRGB."""
    while (encoded := await element.evaluate(READ_PIXELS)) is None:
        await element.wait_for(state="attached")
    bgr = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def mean_of(rgb: NDArray[np.uint8], rectangle: Rectangle) -> NDArray[np.float64]:
    """Mean RGB inside (left, top, right, bottom), given as fractions of the picture's size."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = rectangle
    region = rgb[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    return np.asarray(region.reshape(-1, 3).mean(axis=0), dtype=np.float64)


def means_of(rgb: NDArray[np.uint8], rectangles: Sequence[Rectangle]) -> NDArray[np.float64]:
    """mean_of for each rectangle: float64 [N, 3]."""
    return np.stack([mean_of(rgb, rectangle) for rectangle in rectangles])
