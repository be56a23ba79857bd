"""A patient in Firefox, without MediaStreamTrackProcessor and takePhoto: the call works all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.pages import PATIENT_STEPS, words
from records.interface import CaptureMethod
from tests.conftest import LaunchChromium
from tests.e2e.conftest import open_clinic, refer
from tests.e2e.people import CAMERA, Person, open_consultation
from tests.support.bidi import BidiPage
from tests.support.firefox import launch_firefox

# Presses the button of this accessible name, or finds these words, as soon as they are there.
ONCE_THERE = """(given) => new Promise((resolve) => {
  const { button, words } = given;
  const named = (element) => (element.getAttribute('aria-label') ?? element.textContent).trim() === button;
  const look = () => {
    const found = button
      ? [...document.querySelectorAll('button')].find((b) => !b.disabled && b.checkVisibility() && named(b))
      : document.body.innerText.includes(words) && document.body;
    if (!found) return;
    observer.disconnect();
    if (button) found.click();
    resolve(true);
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})"""

FRAMES = """(label) => new Promise((resolve) => {
  const look = () => {
    const video = document.querySelector(`video[aria-label="${label}"]`);
    if (!video) return;
    observer.disconnect();
    let left = 5;
    const next = () => --left ? video.requestVideoFrameCallback(next) : resolve(video.videoWidth);
    video.requestVideoFrameCallback(next);
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, attributes: true });
  look();
})"""


async def press(page: BidiPage, name: str) -> None:
    """Press the button of this name once it can be pressed."""
    await page.evaluate(ONCE_THERE, {"button": name})


async def sees(page: BidiPage, text: str) -> None:
    """Wait until these words stand on the page."""
    await page.evaluate(ONCE_THERE, {"words": text})


async def test_a_patient_in_firefox_joins_is_seen_and_gives_a_still(
    tmp_path: Path, chromium: LaunchChromium
) -> None:
    # Firefox gathers no candidate on loopback: the relay announces this host's addresses.
    every_address: dict[str, Any] = {"media_host": "0.0.0.0", "media_addresses": ()}
    clinic = await open_clinic(tmp_path / "data", **every_address)
    try:
        async with launch_firefox(tmp_path) as firefox:
            specialist, made = await refer(clinic, await chromium())
            page = await firefox.new_page()
            await page.goto(made.patient_url)
            say = words("common", "patient")
            for step in PATIENT_STEPS:
                await press(page, say[step])
            await sees(page, "You are in the waiting room")
            await meet_in_call(page, specialist, clinic.url, made.consultation_id, clinic.specialist.name)
            await specialist.page.keyboard.press("c")
            await specialist.sees("The still is in the record.")
            [snapshot] = await clinic.snapshots()
            assert snapshot.method is CaptureMethod.CANVAS
            assert firefox.session.errors == []
    finally:
        await clinic.server.stop()


async def meet_in_call(
    patient: BidiPage, specialist: Person, url: str, consultation_id: str, specialists_name: str
) -> None:
    """The specialist admits the patient, and both see each other."""
    await open_consultation(specialist, f"{url}/s/", consultation_id)
    await specialist.press("Admit")
    assert await specialist.frames_of(CAMERA) == 5
    assert await patient.evaluate(FRAMES, f"Picture of {specialists_name}") > 0
