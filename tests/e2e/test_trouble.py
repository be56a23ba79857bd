"""When a browser or a device cannot: the page says so in a clear sentence, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playwright.async_api import Browser, expect

from bench.join import consultation
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic
from tests.e2e.people import DESK, PHONE, Person, open_consultation, sign_in


async def consultation_for(clinic: Clinic, browser: Browser) -> tuple[Person, str, str]:
    """A signed-in specialist, the consultation's id and the patient's link."""
    specialist = await Person.sits_down(browser, size=DESK)
    referrer = await Person.sits_down(browser, size=PHONE)
    await sign_in(specialist, f"{clinic.url}/s/", clinic.specialist.email, clinic.password)
    await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
    made = await consultation(referrer.page, specialist.page, 1)
    return specialist, made.consultation_id, made.patient_url


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
    specialist, consultation_id, link = await consultation_for(clinic, await chromium())
    patient = await Person.sits_down(denying, size=PHONE)
    await patient.context.clear_permissions()
    await patient.page.goto(link)
    await press_all(patient, ("Start", "I agree", "Check camera and microphone"))
    await patient.sees("The camera is not allowed")
    await patient.screenshot("camera-refused-360")
    await press_all(patient, ("Go on without a camera", "To the waiting room"))
    await open_consultation(specialist, f"{clinic.url}/s/", consultation_id)
    await specialist.press("Admit")
    await patient.sees(re.compile("can neither see nor hear you"))
    await specialist.sees(re.compile("sends no picture"))


async def test_a_browser_without_webrtc_says_so(clinic: Clinic, chromium: LaunchChromium) -> None:
    browser = await chromium()
    _, _, link = await consultation_for(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    await patient.context.add_init_script("delete window.RTCPeerConnection;")
    await patient.page.goto(link)
    await press_all(patient, ("Start", "I agree"))
    await patient.sees("This browser cannot hold video calls")


async def test_a_desk_without_webgl_offers_the_corrected_still(
    clinic: Clinic, chromium: LaunchChromium
) -> None:
    plain = await chromium(args=("--disable-3d-apis",))
    specialist, consultation_id, link = await consultation_for(clinic, plain)
    patient = await Person.sits_down(await chromium(), size=PHONE)
    await patient.page.goto(link)
    await press_all(patient, ("Start", "I agree", "Check camera and microphone", "Continue"))
    await patient.press("To the waiting room")
    await open_consultation(specialist, f"{clinic.url}/s/", consultation_id)
    await specialist.press("Admit")
    await specialist.sees(re.compile("This browser cannot correct the live picture"))
    await expect(specialist.page.get_by_role("button", name="Capture", exact=True)).to_be_enabled()
