"""A page follows its address: a consultation's address opens it, at the start and in a page that is open."""

from __future__ import annotations

from bench.join import consultation
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic, refer
from tests.e2e.people import PHONE, Person, open_consultation, sign_in


async def test_an_open_desk_follows_its_address(clinic: Clinic, chromium: LaunchChromium) -> None:
    browser = await chromium()
    specialist, first = await refer(clinic, browser)
    referrer = await Person.sits_down(browser, size=PHONE)
    await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
    second = await consultation(referrer.page, specialist.page, 2)
    open_patient = specialist.page.get_by_role("main").locator("strong")
    for made, name in ((first, "Patient 1"), (second, "Patient 2")):
        await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
        await open_patient.filter(has_text=name).wait_for()
    await specialist.page.go_back()
    await open_patient.filter(has_text="Patient 1").wait_for()
    await specialist.page.reload()
    await open_patient.filter(has_text="Patient 1").wait_for()
