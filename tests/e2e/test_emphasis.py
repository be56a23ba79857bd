"""A camera whose chroma is stretched before the encoder: everybody sees, and keeps, the colors it saw."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.async_api import Browser, expect

from bench.join import consultation
from colorcal.color_math import Floats, de00, srgb_to_lab
from media.emphasis import SKIN
from media.interface import PublicationInfo, Source, TappedFrame
from media.simulated.scene import Scene
from records.interface import SYSTEM_ACTOR, Role, Variant
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic
from tests.e2e.people import (
    DESK,
    PATIENCE_MS,
    PHONE,
    Person,
    open_consultation,
    sign_in,
    walk_to_waiting_room,
    watched,
)
from tests.e2e.picture import means_of, raw_canvas, read_rgb

REGIONS = ("forearm", "elbow", "wrist", "lesion")
CAMERA = "Camera of Patient 1"

WITHOUT_WEBGL2 = """
(() => {
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind === 'webgl2' ? null : get.call(this, kind, ...more);
  };
})();
"""

WITHOUT_PLANES = """
Object.defineProperty(VideoFrame.prototype, 'format', { get: () => null });
"""


@asynccontextmanager
async def call(
    clinic: Clinic, phone: Browser, office: Browser, specialist_script: str = ""
) -> AsyncIterator[tuple[Person, Person, Person, str]]:
    """Specialist and patient in a call, the referrer not yet: (specialist, patient, referrer, its id)."""
    specialist = await Person.sits_down(office, size=DESK)
    referrer = await Person.sits_down(office, size=PHONE)
    patient = await Person.sits_down(phone, size=PHONE)
    await specialist.context.add_init_script(specialist_script)
    async with watched(specialist=specialist, patient=patient, referrer=referrer):
        await sign_in(specialist, f"{clinic.url}/s/", clinic.specialist.email, clinic.password)
        await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
        made = await consultation(referrer.page, specialist.page, 1)
        await walk_to_waiting_room(patient, made.patient_url)
        await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
        await specialist.press("Admit")
        assert await specialist.frames_of(CAMERA) == 5
        yield specialist, patient, referrer, made.consultation_id


def camera_of(clinic: Clinic, consultation_id: str) -> PublicationInfo:
    """The patient's camera as the relay knows it; specialists of these tests send a test pattern."""
    room = clinic.server.rooms.room(consultation_id)
    assert room is not None
    patient = next(one for one in room.participants.values() if one.role is Role.PATIENT)
    return next(
        one
        for one in clinic.server.relay.publications(consultation_id)
        if one.participant_id == patient.participant_id and one.source is Source.CAMERA
    )


async def tapped(clinic: Clinic, camera: PublicationInfo) -> TappedFrame:
    """The next frame that the tap hands over."""
    first: asyncio.Future[TappedFrame] = asyncio.get_running_loop().create_future()
    end = clinic.server.relay.watch(
        camera.publication_id, lambda frame: None if first.done() else first.set_result(frame)
    )
    try:
        return await first
    finally:
        end()


class Colors:
    """What the camera shows of skin, and how far a picture is from it."""

    def __init__(self, skin: Scene) -> None:
        truth, frame = skin.truth(0.0), skin.frame(0.0)
        height, width = frame.shape[:2]
        self._boxes = [
            (left / width, top / height, right / width, bottom / height)
            for left, top, right, bottom in (truth.region(name).box for name in REGIONS)
        ]
        self._true = srgb_to_lab(means_of(frame, self._boxes) / 255)

    def worst_de00(self, rgb: NDArray[np.uint8]) -> float:
        """CIEDE2000 of the worst region."""
        off: Floats = de00(srgb_to_lab(means_of(rgb, self._boxes) / 255), self._true)
        return float(off.max())


async def shows(person: Person, colors: Colors, read: Callable[[], Awaitable[NDArray[np.uint8]]]) -> None:
    """Wait until a picture has the camera's colors: a Publication that has just begun is coarse at first."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while colors.worst_de00(await read()) >= 1.5:
            await person.frames_of(CAMERA)


def pixels(person: Person) -> Awaitable[NDArray[np.uint8]]:
    """Of the patient's camera in a plain video."""
    return read_rgb(person.page.get_by_label(CAMERA, exact=True).first)


async def test_a_call_with_emphasis(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, skin: Scene
) -> None:
    phone, office = await chromium(skin_video), await chromium()
    colors = Colors(skin)
    async with call(clinic, phone, office) as (specialist, patient, referrer, consultation_id):
        assert camera_of(clinic, consultation_id).emphasis == SKIN
        # The video as it was decoded would be another color; it is there, but not to be seen.
        video = specialist.page.get_by_label(CAMERA, exact=True).first
        await expect(video).to_have_css("opacity", "0")
        assert colors.worst_de00(await read_rgb(video)) > 5
        await shows(specialist, colors, lambda: raw_canvas(specialist.page, CAMERA))
        # The patient's own picture is the camera's, as this browser draws a camera.
        own = patient.page.get_by_label("Picture of your own camera", exact=True).first
        assert colors.worst_de00(await read_rgb(own)) < 4

        frame = await tapped(clinic, camera_of(clinic, consultation_id))
        assert colors.worst_de00(frame.rgb) < 1.5

        await specialist.page.keyboard.press("c")
        await specialist.sees("The still is in the record.")
        [snapshot] = await clinic.snapshots()
        original, _ = await clinic.records.snapshot_bytes(
            SYSTEM_ACTOR, snapshot.snapshot_id, Variant.ORIGINAL, clinic.now()
        )
        assert colors.worst_de00(np.asarray(Image.open(BytesIO(original)).convert("RGB"))) < 1.5

        # Somebody comes who sees it in a plain video: another Publication, for everybody.
        await referrer.press(re.compile("^Patient 1"))
        await referrer.press("Join the call")
        person = specialist.page.get_by_role("listitem").filter(has_text="Dr. Bauer")
        await person.get_by_role("button", name="Admit").click()
        assert await referrer.frames_of(CAMERA) == 5
        assert camera_of(clinic, consultation_id).emphasis is None
        await shows(referrer, colors, lambda: pixels(referrer))
        await expect(specialist.page.get_by_label(CAMERA, exact=True).first).to_have_css("opacity", "1")
        await shows(specialist, colors, lambda: raw_canvas(specialist.page, CAMERA))


async def test_a_specialist_without_webgl2_gets_the_camera_as_it_is(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, skin: Scene
) -> None:
    phone, office = await chromium(skin_video), await chromium()
    async with call(clinic, phone, office, WITHOUT_WEBGL2) as (specialist, _, _, consultation_id):
        assert camera_of(clinic, consultation_id).emphasis is None
        await shows(specialist, Colors(skin), lambda: pixels(specialist))


async def test_frames_that_cannot_be_read_are_asked_for_as_they_are(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, skin: Scene
) -> None:
    phone, office = await chromium(skin_video), await chromium()
    async with call(clinic, phone, office, WITHOUT_PLANES) as (specialist, _, _, consultation_id):
        video = specialist.page.get_by_label(CAMERA, exact=True).first
        await expect(video).to_have_css("opacity", "1")
        assert camera_of(clinic, consultation_id).emphasis is None
        await shows(specialist, Colors(skin), lambda: pixels(specialist))
