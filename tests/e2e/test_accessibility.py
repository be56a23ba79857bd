"""Every page passes axe with no violations and fits its screen: phone and desk, light and dark, zh and en."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from bench.join import consultation
from bench.pages import PATIENT_STEPS, words
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic
from tests.e2e.people import DESK, PHONE, Person, open_consultation, sign_in

# What is not grey in the columns beside skin: a tinted surround shifts what the eye sees.
TINTED = r"""() => {
  const names = ['color', 'backgroundColor', 'borderTopColor', 'borderInlineStartColor', 'outlineColor'];
  const tinted = [];
  for (const element of document.querySelectorAll('main, main *, aside, aside *')) {
    const style = getComputedStyle(element);
    for (const name of names) {
      const channels = style[name].match(/^rgba?\((\d+), (\d+), (\d+)/)?.slice(1) ?? ['not rgb', 'at all'];
      if (new Set(channels).size > 1) tinted.push(`${element.outerHTML.slice(0, 80)} ${name} ${channels}`);
    }
  }
  return tinted;
}"""
SCROLLS_SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def look(person: Person, name: str) -> None:
    """Keep a picture of the page, then hold it against axe's rules and the width of its screen."""
    await person.screenshot(name)
    await assert_accessible(person.page)
    assert not await person.page.evaluate(SCROLLS_SIDEWAYS), f"{name} is wider than its screen"


async def assert_accessible(page: Page) -> None:
    """Fails with axe's own report."""
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(
    ("language", "locale", "dark"), [("en", "en-GB", False), ("zh", "zh-CN", True)], ids=["en", "zh-dark"]
)
async def test_pages_are_accessible(
    clinic: Clinic, chromium: LaunchChromium, language: str, locale: str, dark: bool
) -> None:
    browser = await chromium()
    say = words("common", "staff", "patient", "specialist", "referrer", language=language)
    patient = await Person.sits_down(browser, size=PHONE, locale=locale, dark=dark)
    specialist = await Person.sits_down(browser, size=DESK, locale=locale, dark=dark)
    referrer = await Person.sits_down(browser, size=PHONE, locale=locale, dark=dark)
    suffix = f"{language}{'-dark' if dark else ''}"

    await specialist.page.goto(f"{clinic.url}/s/?lang={language}")
    await expect(specialist.page.get_by_role("button", name=say["sign_in.submit"])).to_be_visible()
    await look(specialist, f"sign-in-1440-{suffix}")
    for person, door, staff in ((specialist, "s", clinic.specialist), (referrer, "r", clinic.referrer)):
        await sign_in(person, f"{clinic.url}/{door}/?lang={language}", staff.email, clinic.password, say)
    await referrer.press(say["list.new"])
    await look(referrer, f"referral-360-{suffix}")

    made = await consultation(referrer.page, specialist.page, 1)
    await patient.page.goto(made.patient_url.replace("/p/#", f"/p/?lang={language}#"))
    for step in PATIENT_STEPS:
        await expect(patient.page.get_by_role("button", name=say[step], exact=True)).to_be_enabled()
        await look(patient, f"{step.replace('.', '-')}-360-{suffix}")
        await patient.press(say[step])
    await patient.sees(say["waiting.title"])
    await look(patient, f"waiting-360-{suffix}")

    await open_consultation(specialist, f"{clinic.url}/s/?lang={language}", made.consultation_id)
    await specialist.press(say["people.admit"])
    await specialist.frames_of(say["stage.camera"].replace("{name}", "Patient 1"))
    await look(specialist, f"call-1440-{suffix}")
    assert await specialist.page.evaluate(TINTED) == []
    await specialist.page.keyboard.press("?")
    await specialist.sees(say["keys.title"])
    await look(specialist, f"keys-1440-{suffix}")
    await specialist.page.set_viewport_size({"width": 360, "height": 740})
    await look(specialist, f"call-desk-360-{suffix}")
    await look(patient, f"call-phone-360-{suffix}")
