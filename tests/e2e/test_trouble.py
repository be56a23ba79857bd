"""When a browser or a device cannot: the page says so in a clear sentence, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import expect

from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic, refer
from tests.e2e.people import PHONE, Person, meet, open_consultation, walk_to_waiting_room, watched


async def press_all(person: Person, names: Sequence[str]) -> None:
    """Press one button after the other."""
    for name in names:
        await person.press(name)


async def test_a_link_that_does_not_work(clinic: Clinic, chromium: LaunchChromium) -> None:
    browser = await chromium()
    late = await Person.sits_down(browser, size=PHONE)
    await late.page.goto(f"{clinic.url}/p/#{'x' * 43}")
    await late.sees("This link does not work any more")
    stranger = await Person.sits_down(browser, size=PHONE)
    await stranger.page.goto(f"{clinic.url}/p/")
    await stranger.sees("Please open your personal link")


async def test_a_patient_without_camera_is_seen_waiting_and_admitted(
    clinic: Clinic, chromium: LaunchChromium
) -> None:
    denying = await chromium(args=("--use-fake-ui-for-media-stream=deny",))
    specialist, made = await refer(clinic, await chromium())
    patient = await Person.sits_down(denying, size=PHONE)
    await patient.context.clear_permissions()
    await patient.page.goto(made.patient_url)
    await press_all(patient, ("Start", "I agree", "Check camera and microphone"))
    await patient.sees("The camera is not allowed")
    await patient.screenshot("camera-refused-360")
    await press_all(patient, ("Go on without a camera", "To the waiting room"))
    await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
    await specialist.press("Admit")
    await patient.sees(re.compile("can neither see nor hear you"))
    await specialist.sees(re.compile("sends no picture"))


async def test_a_browser_without_webrtc_says_so(clinic: Clinic, chromium: LaunchChromium) -> None:
    browser = await chromium()
    _, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script("delete window.RTCPeerConnection;")
    await patient.page.goto(made.patient_url)
    await press_all(patient, ("Start", "I agree"))
    await patient.sees("This browser cannot hold video calls")


async def test_a_desk_without_webrtc_says_so_and_still_captures(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path
) -> None:
    specialist, made = await refer(clinic, await chromium())
    await specialist.context.add_init_script("delete window.RTCPeerConnection;")
    await specialist.page.reload()
    patient = await Person.sits_down(await chromium(skin_video), size=PHONE)
    async with watched(specialist=specialist, patient=patient):
        await walk_to_waiting_room(patient, made.patient_url)
        await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
        await specialist.sees("This browser cannot hold video calls")
        await specialist.press("Admit")
        await patient.sees(re.compile("can see and hear you"))
        await specialist.press("Capture")
        await specialist.sees("The still is in the record.")


# A browser whose offers no relay can read.
BROKEN_OFFERS = """
Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', {
  get: () => ({ type: 'offer', sdp: 'v=0\\r\\nnonsense' }),
});
"""


async def test_a_broken_offer_is_said_on_the_page_and_harms_nothing(
    clinic: Clinic, chromium: LaunchChromium
) -> None:
    browser = await chromium()
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    for person in (specialist, patient):
        await person.context.add_init_script(BROKEN_OFFERS)
    await specialist.page.reload()
    async with watched(specialist=specialist, patient=patient):
        await walk_to_waiting_room(patient, made.patient_url)
        await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
        await specialist.press("Admit")
        for person in (patient, specialist):
            await person.sees("Picture and sound could not be set up")
            await person.sees(re.compile("The browser's offer could not be used."))
        assert clinic.server.relay.publications(made.consultation_id) == ()
        await patient.press("Messages")
        await patient.page.get_by_label("Your message").fill("I cannot see you.")
        await patient.press("Send")
        await specialist.sees("I cannot see you.")


async def test_a_desk_without_webgl_offers_the_corrected_still(
    clinic: Clinic, chromium: LaunchChromium
) -> None:
    plain = await chromium(args=("--disable-3d-apis",))
    specialist, made = await refer(clinic, plain)
    patient = await Person.sits_down(await chromium(), size=PHONE)
    await meet(patient, specialist, clinic.url, made)
    await specialist.sees(re.compile("This browser cannot correct the live picture"))
    await expect(specialist.page.get_by_role("button", name="Capture", exact=True)).to_be_enabled()
