"""Whatever a browser's decoder makes of a codec or of a wrong tag, the color that is judged by is right."""

from __future__ import annotations

import asyncio
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.async_api import WebSocket, expect

from colorcal.color_math import de00, srgb_to_lab
from colorcal.patches import sample_patches
from media.simulated.scene import Scene
from records.interface import SYSTEM_ACTOR, Variant
from tests.conftest import LaunchChromium
from tests.e2e.bitstream import BT709, mistag_vp9
from tests.e2e.conftest import Clinic, refer
from tests.e2e.people import CAMERA, PATIENCE_MS, PHONE, Person, meet, watched
from tests.e2e.picture import means_of, raw_canvas, read_rgb

SKIN = ("forearm", "elbow", "wrist", "lesion")
BOUND_DE00 = 3.0
"""Mean over the scene's skin; uncorrected it is about 10. Runs end between 0.9 and 2.7."""

UNTAGGED = ""
CALLS = {
    "VP8": ("VP8", UNTAGGED),
    "VP9": ("VP9", UNTAGGED),
    "H264": ("H264", UNTAGGED),
    "AV1": ("AV1", UNTAGGED),
    "VP9 that says BT.709 and is not": ("VP9", mistag_vp9(BT709, full_range=False)),
    "VP9 that says BT.709 in full range and is not": ("VP9", mistag_vp9(BT709, full_range=True)),
}


class Said:
    """The last events of a page's connections, by name."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._keep)
        socket.on("framereceived", self._keep)

    def _keep(self, frame: str | bytes) -> None:
        found = re.match(r'4\d+[^\[]*(\["(chart|patches)".*)', frame) if isinstance(frame, str) else None
        if found:
            name, message = json.loads(found[1])
            self.events[name] = message


def skin_de00(scene: Scene, rgb: NDArray[np.uint8]) -> float:
    """How far a picture's skin is from the truth; of any size."""
    truth = scene.truth(0.0)
    regions = [truth.region(name) for name in SKIN]
    boxes = [
        (left / scene.width_px, top / scene.height_px, right / scene.width_px, bottom / scene.height_px)
        for left, top, right, bottom in (region.box for region in regions)
    ]
    true_lab = srgb_to_lab(np.array([region.srgb for region in regions]) / 255)
    return float(de00(srgb_to_lab(means_of(rgb, boxes) / 255), true_lab).mean())


@pytest.mark.parametrize("kind", CALLS)
async def test_the_color_is_right(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, skin: Scene, kind: str
) -> None:
    codec, mistag = CALLS[kind]
    browser = await chromium(skin_video)
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script(mistag)
    said = Said()
    specialist.page.on("websocket", said.listen)
    async with watched(specialist=specialist, patient=patient):
        await meet(patient, specialist, clinic.url, made, query=f"?codec={codec}")
        assert (await clinic.camera_of_patient()).codec == codec
        await specialist.sees(re.compile("^(checked in|fitted to) your picture$"))
        canvas = specialist.page.get_by_role("img", name=f"{CAMERA}, color corrected", exact=True)
        assert skin_de00(skin, await read_rgb(specialist.page.get_by_label(CAMERA, exact=True).first)) > 4
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while skin_de00(skin, await read_rgb(canvas)) > BOUND_DE00:
                await specialist.frames_of(CAMERA)

        # The still has a chart of its own, and nothing of a video's tags in it.
        await specialist.press("Capture")
        snapshot = specialist.page.get_by_role("button", name=re.compile("^Snapshot of.*(good|usable)"))
        await expect(snapshot).to_have_count(1)
        [kept] = await clinic.snapshots()
        corrected, _ = await clinic.records.snapshot_bytes(
            SYSTEM_ACTOR, kept.snapshot_id, Variant.CORRECTED, clinic.now()
        )
        assert skin_de00(skin, np.asarray(Image.open(BytesIO(corrected)).convert("RGB"))) <= BOUND_DE00

        # What the page measured is the picture that its correction is applied to, in another frame.
        picture = await raw_canvas(specialist.page, CAMERA)
    height, width = picture.shape[:2]
    samples = sample_patches(picture, np.array(said.events["chart"]["centers"]) * (width, height) - 0.5)
    patches = said.events["patches"]["patches"]
    assert [one["visible"] for one in patches] == [True] * 24
    off = np.abs(np.array([one["mean"] for one in patches]) - samples.mean)
    assert np.median(off) < 1 / 255
    assert off.max() < 6 / 255
    assert np.median(np.abs(np.array([one["spread"] for one in patches]) - samples.spread)) < 1 / 255
