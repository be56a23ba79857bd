"""The seven steps in real browsers: referral, join, admission, media, color, capture, after."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest_asyncio
from playwright.async_api import Browser, expect

from colorcal.color_math import de00, srgb_to_lab
from media.simulated.scene import Scene, SceneTruth
from records.interface import SYSTEM_ACTOR, CaptureMethod, Role, Variant
from tests.conftest import LaunchChromium
from tests.e2e.bitstream import EncodedFrames, encoded_frames
from tests.e2e.conftest import Clinic, no_encoder
from tests.e2e.people import DESK, PHONE, Person, sign_in, walk_to_waiting_room, watched
from tests.e2e.picture import means_of, read_rgb

PATIENT = "Zhang Wei"
CAMERA_OF_PATIENT = f"Camera of {PATIENT}"
ANSWER = "Looks benign. Photograph again in 3 months."
SKIN = ("forearm", "elbow", "wrist", "lesion")


@pytest_asyncio.fixture
async def phone(chromium: LaunchChromium, skin_video: Path) -> AsyncIterator[Browser]:
    """A browser whose camera shows a forearm with a lesion and a chart, in tungsten light."""
    yield await chromium(skin_video)


@pytest_asyncio.fixture
async def office(chromium: LaunchChromium, office_video: Path) -> AsyncIterator[Browser]:
    """A browser whose camera shows an office; its screen can be shared without a dialog."""
    yield await chromium(office_video, args=("--auto-accept-this-tab-capture",))


async def test_a_consultation_from_referral_to_record(
    clinic: Clinic, phone: Browser, office: Browser, skin: Scene, tmp_path: Path
) -> None:
    truth = skin.truth(0.0)
    referrer = await Person.sits_down(office, size=PHONE)
    specialist = await Person.sits_down(office, size=DESK)
    patient = await Person.sits_down(phone, size=PHONE)
    interpreter = await Person.sits_down(office, size=PHONE)
    people = {"referrer": referrer, "specialist": specialist, "patient": patient, "interpreter": interpreter}

    async with watched(**people):
        with no_encoder():
            link = await refer_and_accept(clinic, referrer, specialist, tmp_path, skin)
            await join(clinic, patient, specialist, link)
            await admission(patient, specialist)
            await media(patient, specialist, referrer, interpreter)
            await color(specialist, truth)
            await capture(clinic, patient, specialist, skin)
            await after(clinic, patient, specialist, referrer)


async def refer_and_accept(
    clinic: Clinic, referrer: Person, specialist: Person, folder: Path, skin: Scene
) -> str:
    """Step 1: a referral with a photo, its state, the worklist, acceptance, the patient's link."""
    photo = folder / "arm.jpg"
    cv2.imwrite(str(photo), cv2.cvtColor(skin.still(1600, 1200), cv2.COLOR_RGB2BGR))

    await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
    await referrer.press("New referral")
    page = referrer.page
    await page.get_by_label("Patient's name").fill(PATIENT)
    await page.get_by_label("Birth date").fill("1968-04-12")
    await page.get_by_label("Question").fill(
        "A mole on the forearm, darker since spring. Is it safe to wait?"
    )
    await page.get_by_label(re.compile("^Soon")).check()
    await page.locator("input[type=file]").set_input_files(photo)
    await referrer.sees("large and sharp enough")
    await referrer.screenshot("referrer-form-360")
    await referrer.press("Send referral")
    await referrer.sees("A specialist has not answered yet.")

    await sign_in(specialist, f"{clinic.url}/s/", clinic.specialist.email, clinic.password)
    await specialist.sees(PATIENT)
    await specialist.screenshot("specialist-worklist-1440")
    await specialist.press(re.compile("^Accept now"))
    await referrer.sees("The specialist can begin at any time.")
    await specialist.press("Patient link")
    await expect(specialist.page.get_by_role("img", name="QR code of the link")).to_be_visible()
    return await specialist.page.get_by_role("textbox", name="Link", exact=True).input_value()


async def join(clinic: Clinic, patient: Person, specialist: Person, link: str) -> None:
    """Step 2: device check, guidance, consent, waiting room; the token is out of the address."""
    await walk_to_waiting_room(patient, link)
    await patient.sees("You are next.")
    token = link.split("#", 1)[1]
    assert token not in patient.page.url
    await patient.screenshot("patient-waiting-360")
    # A waiting token reaches no media and no record.
    detail = await patient.context.request.get(
        f"{clinic.url}/api/snapshots/any/original", headers={"Authorization": f"Bearer {token}"}
    )
    assert detail.status in (401, 403, 404)
    [participant] = [one for one in await clinic.participants() if one.role is Role.PATIENT and one.consent]
    assert participant.consent is not None
    assert participant.consent.language == "en"
    assert "care" in participant.consent.purposes


async def admission(patient: Person, specialist: Person) -> None:
    """Step 3: the specialist sees who waits, admits, sends back, admits again."""
    await expect(specialist.page.get_by_text("waiting for").first).to_be_visible()
    await specialist.press("Admit")
    await patient.sees(re.compile("can see and hear you"))
    await specialist.press("Send back")
    await specialist.page.get_by_label(f"Words for {PATIENT}").fill("One moment, I look for your letter.")
    await specialist.press("Send to the waiting room")
    await specialist.press("Do it now")
    await patient.sees("You are back in the waiting room")
    await patient.sees("One moment, I look for your letter.")
    await specialist.press("Admit")
    await patient.sees(re.compile("can see and hear you"))


async def media(patient: Person, specialist: Person, referrer: Person, interpreter: Person) -> None:
    """Step 4: both ways between everybody, payloads untouched; chat, mute, screen, dropping out."""
    assert await specialist.frames_of(CAMERA_OF_PATIENT) == 5
    assert await patient.frames_of("Picture of Dr. Lin Yue") == 5

    await specialist.press("Interpreter link")
    await specialist.page.get_by_label("Interpreter's name").fill("Ma Li")
    await specialist.press("Make link")
    await specialist.sees("For the interpreter only")
    link = await specialist.page.get_by_role("textbox", name="Link", exact=True).input_value()
    await interpreter.page.goto(link)
    await interpreter.press("Start")
    await interpreter.press("Check camera and microphone")
    await interpreter.press("Continue")
    await referrer.press("Join the call")
    for name in ("Ma Li", "Dr. Bauer"):
        person = specialist.page.get_by_role("listitem").filter(has_text=name)
        await person.get_by_role("button", name="Admit").click()
    assert await interpreter.frames_of(f"Picture of {PATIENT}") == 5
    assert await referrer.frames_of(CAMERA_OF_PATIENT) == 5
    await patient.sees(re.compile("Ma Li"))

    await patient.press("Messages")
    await patient.page.get_by_label("Your message").fill("It itches at night.")
    await patient.press("Send")
    await specialist.sees("It itches at night.")
    await patient.press("Messages")

    await patient.press("Mute")
    await specialist.sees(re.compile("muted"))
    await patient.press("Unmute")

    await specialist.press("Share screen")
    await patient.frames_of("Screen of Dr. Lin Yue")
    await specialist.press("Share screen")

    await assert_forwarded_untouched(patient, specialist)

    # Whoever drops out comes back without knocking again.
    await patient.page.reload()
    await patient.sees(re.compile("can see and hear you"))
    assert await specialist.frames_of(CAMERA_OF_PATIENT) == 5
    await patient.press("Messages")
    await patient.sees("It itches at night.")
    await patient.press("Messages")


async def assert_forwarded_untouched(sender: Person, viewer: Person) -> None:
    """Every encoded frame that arrived is, byte for byte, one that was sent."""
    received: EncodedFrames = await encoded_frames(viewer.page)
    sent: EncodedFrames = await encoded_frames(sender.page)
    own = set(sent.sent_video)
    same_video = [frame for frame in received.received_video if frame in own]
    assert len(same_video) >= 30
    assert len(set(received.received_audio) & set(sent.sent_audio)) >= 30


async def color(specialist: Person, truth: SceneTruth) -> None:
    """Step 5: calibrated from the chart; corrected skin is at most half as far from the truth."""
    page = specialist.page
    canvas = page.get_by_role("img", name=f"{CAMERA_OF_PATIENT}, color corrected", exact=True)
    await canvas.wait_for()
    await specialist.press("Display check")
    await specialist.press("All greys are apart")
    await specialist.sees(re.compile("Kept with the open consultation"))
    await specialist.press("Close display check")
    await expect(page.get_by_text("Uncalibrated", exact=True)).to_have_count(0)
    await specialist.screenshot("specialist-call-1440")
    wipe = page.get_by_role("slider", name="Raw / corrected")
    await wipe.press("Home")
    await expect(wipe).to_have_attribute("aria-valuenow", "0")
    await specialist.frames_of(CAMERA_OF_PATIENT)
    corrected = await read_rgb(canvas)
    raw = await read_rgb(page.get_by_label(CAMERA_OF_PATIENT, exact=True).first)

    height, width = raw.shape[:2]
    regions = [truth.region(name) for name in SKIN]
    boxes = [
        (left / width, top / height, right / width, bottom / height)
        for left, top, right, bottom in (region.box for region in regions)
    ]
    true_lab = srgb_to_lab(np.array([region.srgb for region in regions]) / 255)
    raw_de00 = de00(srgb_to_lab(means_of(raw, boxes) / 255), true_lab)
    corrected_de00 = de00(srgb_to_lab(means_of(corrected, boxes) / 255), true_lab)
    assert raw_de00.mean() > 4, "the scene's light is wrong enough to matter"
    assert corrected_de00.mean() <= raw_de00.mean() / 2, (raw_de00, corrected_de00)


async def capture(clinic: Clinic, patient: Person, specialist: Person, skin: Scene) -> None:
    """Step 6: one key; the bytes that left the camera are the bytes in the record."""
    await specialist.page.keyboard.press("c")  # the wipe still has the focus: C is a key everywhere
    await specialist.sees("The still is in the record.")
    snapshot_button = specialist.page.get_by_role("button", name=re.compile("^Snapshot of"))
    await expect(snapshot_button).to_have_count(1)

    [still] = await patient.page.evaluate("() => window.__stills")
    [snapshot] = await clinic.snapshots()
    assert snapshot.method is CaptureMethod.TAKE_PHOTO
    assert snapshot.sha256 == still["sha256"]
    original, _ = await clinic.records.snapshot_bytes(
        SYSTEM_ACTOR, snapshot.snapshot_id, Variant.ORIGINAL, clinic.now()
    )
    assert hashlib.sha256(original).hexdigest() == still["sha256"]
    assert len(original) == still["size_bytes"]
    assert not any(original[:64] in blob.read_bytes() for blob in clinic.blobs()), "encrypted at rest"

    await expect(snapshot_button).to_have_accessible_name(re.compile("good|usable"))
    await snapshot_button.click()
    pictures = specialist.page.get_by_role("img", name=re.compile(", corrected$"))
    await expect(pictures.first).to_be_visible()
    await specialist.sees(re.compile("edges .* px wide"))
    await specialist.screenshot("specialist-snapshot-1440")
    await specialist.press("Close viewer")


async def after(clinic: Clinic, patient: Person, specialist: Person, referrer: Person) -> None:
    """Step 7: note, end, satisfaction, timeline, and the answer at the referring site."""
    await specialist.page.get_by_role("textbox", name="Note").fill(ANSWER)
    await specialist.sees("saved")
    await specialist.press("End consultation")
    await specialist.press("Do it now")
    await patient.sees("The consultation is over")
    await patient.page.get_by_text("Very good", exact=True).click()
    await patient.press("Send")
    await patient.sees("Thank you")
    await patient.screenshot("patient-thanks-360")

    await specialist.sees("After the consultation")
    await specialist.screenshot("specialist-after-1440")
    timeline = await clinic.timeline()
    [consultation] = timeline.consultations
    assert consultation.display_check is not None
    assert consultation.display_check.steps_apart
    await specialist.sees(re.compile("Seen on a screen with .*, all greys apart"))
    assert [one.score for one in timeline.satisfactions] == [5]
    assert len(timeline.snapshots) == 2, "the still, and the referral's photo"

    await referrer.sees(ANSWER)
    await referrer.screenshot("referrer-answer-360")
    assert await clinic.records.verify_audit() > 0
