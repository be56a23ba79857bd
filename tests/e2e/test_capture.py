"""Captures that do not go straight: no still to be had, a slow upload, a file that is no picture."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from unittest.mock import call, patch

import numpy as np
from PIL import Image
from playwright.async_api import Page, Route, expect

from media.simulated.scene import Scene
from records.images import to_srgb
from records.interface import SYSTEM_ACTOR, CaptureMethod, Variant
from signaling.room_capture import YIELDED_BPS
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic, refer
from tests.e2e.people import (
    CAMERA,
    KEEP_CONNECTIONS,
    PATIENCE_MS,
    PHONE,
    Person,
    meet,
    open_consultation,
    watched,
)
from tests.e2e.picture import means_of, raw_canvas
from tests.support.pictures import exif

# A device that can take a still in no way: neither by its camera nor from a canvas.
NO_STILLS = """
delete window.ImageCapture;
HTMLCanvasElement.prototype.toBlob = (done) => done(null);
"""

YIELDED_BITRATE_BPS = 150_000
"""Of consult_ui/src/lib/capturing.ts: less than the relay's own cap, so that the page's limit shows."""

# What the page's sender of video may use, in bit/s.
VIDEO_LIMIT = """
() => window.__connections.flatMap((connection) => connection.getSenders())
  .find(({ track }) => track?.kind === 'video')?.getParameters().encodings[0].maxBitrate
"""

# A camera that exposes and focuses by itself, as a phone's does. Chromium's own takes both modes and checks
# what it is asked for, but stays "manual" whatever it is told: here it says what it was told last.
AUTOMATIC_CAMERA = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
// Chromium's second camera gives depths, which no encoder takes.
const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
const encodable = ({ label }) => label !== 'fake_device_1';
navigator.mediaDevices.enumerateDevices = async () => (await list()).filter(encodable);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await open(wanted);
  for (const track of stream.getVideoTracks()) {
    const modes = { exposureMode: 'continuous', focusMode: 'continuous' };
    const settings = track.getSettings.bind(track), apply = track.applyConstraints.bind(track);
    track.getSettings = () => ({ ...settings(), ...modes });
    track.applyConstraints = async (constraints) => {
      await apply(constraints);
      for (const mode of Object.keys(modes)) modes[mode] = constraints.advanced?.[0]?.[mode] ?? modes[mode];
    };
    window.__camera = track;
  }
  return stream;
};
"""

# Looks at the encoder's own target after each frame of the page's camera until it is where it should be.
TARGET_BITRATE = """
async (video, [least, most]) => {
  for (;;) {
    for (const connection of window.__connections)
      for (const { type, kind, targetBitrate } of (await connection.getStats()).values())
        if (type === 'outbound-rtp' && kind === 'video' && targetBitrate >= least && targetBitrate <= most)
          return targetBitrate;
    await new Promise((shown) => video.requestVideoFrameCallback(shown));
  }
}
"""


async def test_a_device_that_takes_no_still_leaves_a_video_frame_that_says_so(
    clinic: Clinic, chromium: LaunchChromium, skin: Scene, skin_video: Path
) -> None:
    browser = await chromium(skin_video)
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script(NO_STILLS)
    async with watched(specialist=specialist, patient=patient):
        await meet(patient, specialist, clinic.url, made)
        shown = await raw_canvas(specialist.page, CAMERA)
        await specialist.press("Capture")
        await patient.sees(re.compile("asks for a photo"))
        await patient.press("I cannot take a photo")
        await patient.sees("No photo could be taken")
        await patient.sees("A picture of the video is kept instead, marked as a video frame.")
        await patient.screenshot("video-frame-360")
        await specialist.sees(
            re.compile("The device cannot take stills.*It is in the record, marked as a video frame")
        )
        kept = specialist.page.get_by_role(
            "button", name=re.compile("^Snapshot of.*video frame, not a still")
        )
        await kept.click()
        await specialist.sees(re.compile("This is the best frame of the video"))
        await specialist.screenshot("video-frame-1440")

        [snapshot] = await clinic.snapshots()
        assert (snapshot.method, snapshot.media_type) == (CaptureMethod.RELAY_FRAME, "image/png")
        assert (snapshot.width_px, snapshot.height_px) == (640, 360)
        frame, _ = await clinic.records.snapshot_bytes(
            SYSTEM_ACTOR, snapshot.snapshot_id, Variant.ORIGINAL, clinic.now()
        )
        boxes = [(x0 / 640, y0 / 360, x1 / 640, y1 / 360) for x0, y0, x1, y1 in skin_boxes(skin)]
        difference = means_of(to_srgb(frame), boxes) - means_of(shown, boxes)
        assert np.abs(difference).max() < 8, "it is the picture that the specialist sees"


def skin_boxes(skin: Scene) -> list[tuple[int, int, int, int]]:
    """Pixel rectangles of skin in the video."""
    truth = skin.truth(0.0)
    return [truth.region(name).box for name in ("forearm", "elbow", "wrist", "lesion")]


async def test_video_yields_to_a_still_on_its_way(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path
) -> None:
    browser = await chromium(skin_video)
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script(KEEP_CONNECTIONS)
    on_its_way, may_arrive = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            on_its_way.set()
            await may_arrive.wait()
        await route.continue_()

    await patient.page.route("**/api/uploads/*", hold)
    relay = clinic.server.relay
    async with watched(specialist=specialist, patient=patient):
        await meet(patient, specialist, clinic.url, made)
        camera = (await clinic.camera_of_patient()).publication_id
        usual_bps = await patient.page.evaluate(VIDEO_LIMIT)
        assert usual_bps > 2 * YIELDED_BPS
        with patch.object(relay, "set_cap", wraps=relay.set_cap) as set_cap:
            await specialist.press("Capture")
            await on_its_way.wait()
            await limited_to(patient.page, YIELDED_BITRATE_BPS)
            await encodes_at(patient.page, 1, YIELDED_BITRATE_BPS)
            may_arrive.set()
            await specialist.sees("The still is in the record.")
            assert set_cap.call_args_list == [call(camera, YIELDED_BPS), call(camera, None)]
        await limited_to(patient.page, usual_bps)
        await encodes_at(patient.page, YIELDED_BITRATE_BPS + 1, usual_bps)


async def test_exposure_and_focus_are_held_for_a_still_and_another_camera_is_told(
    clinic: Clinic, chromium: LaunchChromium
) -> None:
    """Chromium's own camera, which has both; it is a pattern, so nothing is said of the picture."""
    browser = await chromium(args=("--use-fake-device-for-media-stream=device-count=3",))
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script(AUTOMATIC_CAMERA)
    sent: list[str] = []
    patient.page.on(
        "websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(str(payload)))
    )
    async with watched(specialist=specialist, patient=patient):
        await meet(patient, specialist, clinic.url, made)
        before = await patient.page.evaluate("window.__camera.getSettings()")
        assert (before["exposureMode"], before["focusMode"]) == ("continuous", "continuous")
        await specialist.press("Capture")
        await specialist.sees("The still is in the record.")
        [snapshot] = await clinic.snapshots()
        assert snapshot.settings["held"] == "exposureMode focusMode"
        assert (snapshot.settings["exposureMode"], snapshot.settings["focusMode"]) == ("manual", "manual")
        assert (snapshot.settings["width"], snapshot.settings["height"]) == (
            before["width"],
            before["height"],
        )
        await patient.page.wait_for_function(
            "['exposureMode', 'focusMode'].every((mode) => __camera.getSettings()[mode] === 'continuous')"
        )
        after = await patient.page.evaluate("window.__camera.getSettings()")
        assert (after["width"], after["height"]) == (before["width"], before["height"])
        assert not any("camera_changed" in frame for frame in sent)
        await patient.press("Turn camera")
        await patient.page.wait_for_function(
            "(first) => window.__camera.getSettings().deviceId !== first", arg=before["deviceId"]
        )
        await specialist.frames_of(CAMERA)
        [told] = [frame for frame in sent if "camera_changed" in frame]
        assert (await clinic.camera_of_patient()).publication_id in told


async def limited_to(page: Page, bitrate_bps: int) -> None:
    """Wait until the page's sender of video may use just so much."""
    await page.wait_for_function(f"(bitrate) => ({VIDEO_LIMIT})() === bitrate", arg=bitrate_bps)


async def encodes_at(page: Page, least_bps: int, most_bps: int) -> None:
    """Wait until the page's encoder of video aims at a bitrate in this range."""
    own = page.get_by_label("Picture of your own camera").first
    async with asyncio.timeout(PATIENCE_MS / 1000):
        await own.evaluate(TARGET_BITRATE, [least_bps, most_bps])


async def test_a_file_is_refused_if_it_is_no_picture_and_derived_without_its_place(
    clinic: Clinic, chromium: LaunchChromium, skin: Scene, tmp_path: Path
) -> None:
    text, photo = tmp_path / "no-photo.jpg", tmp_path / "photo.jpg"
    text.write_text("not a picture")
    Image.fromarray(skin.still(1600, 1200)).save(photo, quality=95, exif=exif(gps=True), comment=b"Wang Fang")
    specialist, made = await refer(clinic, await chromium())
    patient = await Person.sits_down(
        await chromium(args=("--use-fake-ui-for-media-stream=deny",)), size=PHONE
    )
    await patient.context.clear_permissions()
    async with watched(specialist=specialist, patient=patient):
        await patient.page.goto(made.patient_url)
        for name in ("Start", "I agree", "Check camera and microphone", "Go on without a camera"):
            await patient.press(name)
        await patient.press("To the waiting room")
        await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
        await specialist.press("Admit")
        await specialist.press("Capture")
        await patient.page.locator("input[type=file]").set_input_files(text)
        await patient.sees(re.compile("This file is not a photo that can be used"))
        await specialist.sees(
            re.compile("there is no video frame to keep. Nothing in the record was changed")
        )
        await patient.sees(re.compile("knows that there is no picture yet"))
        await expect(patient.page.get_by_role("button", name="Send again")).to_have_count(0)
        assert await clinic.snapshots() == []

        await specialist.press("Capture")
        await patient.page.locator("input[type=file]").set_input_files(photo)
        await specialist.sees("The still is in the record.")
        kept = specialist.page.get_by_role("button", name=re.compile("^Snapshot of"))
        await expect(kept).to_have_accessible_name(re.compile("good|usable"))
        await kept.click()
        await specialist.sees(re.compile("carries a GPS position. It stays protected"))
        await specialist.screenshot("location-1440")
        [snapshot] = await clinic.snapshots()
        assert (snapshot.method, snapshot.has_location) == (CaptureMethod.FILE, True)
        pictures = {
            variant: (
                await clinic.records.snapshot_bytes(SYSTEM_ACTOR, snapshot.snapshot_id, variant, clinic.now())
            )[0]
            for variant in Variant
        }
        assert pictures.pop(Variant.ORIGINAL) == photo.read_bytes()
        assert set(pictures) == {Variant.THUMBNAIL, Variant.DISPLAY, Variant.CORRECTED}
        for picture in pictures.values():
            with Image.open(io.BytesIO(picture)) as derived:
                assert dict(derived.getexif()) == {}
            assert b"Exif" not in picture
            assert b"Wang" not in picture
