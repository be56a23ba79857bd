"""The people of a consultation at their pages, driven by roles and names, never by test ids."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import Error as PlaywrightError

from bench.pages import PATIENT_STEPS, Links, words
from tests.e2e.bitstream import WATCH_ENCODED_FRAMES

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
CAMERA = "Camera of Patient 1"
"""What staff pages call the picture of the first patient of bench.join.consultation."""
SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"

# Four people's browsers share one machine without a GPU; nothing here asserts how long anything takes.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

# A phone that hashes each still before the page gets it, so that a test knows the bytes that left the camera.
WATCH_STILLS = """
(() => {
  if (!window.ImageCapture) return;
  const stills = [];
  Object.defineProperty(window, '__stills', { value: stills });
  const take = ImageCapture.prototype.takePhoto;
  ImageCapture.prototype.takePhoto = async function (...given) {
    const blob = await take.apply(this, given);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
    const sha256 = Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
    stills.push({ sha256, size_bytes: blob.size });
    return blob;
  };
})();
"""

# Keeps a page's peer connections for a look at what they use and send.
KEEP_CONNECTIONS = """
(() => {
  const made = [];
  Object.defineProperty(window, '__connections', { value: made });
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      made.push(this);
    }
  };
})();
"""


@dataclass
class Person:
    """Somebody at a page. `problems` gathers what the page threw or logged as an error."""

    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    @classmethod
    async def sits_down(
        cls, browser: Browser, *, size: dict[str, int], locale: str = "en-GB", dark: bool = False
    ) -> Person:
        """Open an empty page on a device of that size."""
        context = await browser.new_context(
            locale=locale,
            viewport=size,  # type: ignore[arg-type]
            has_touch=size["width"] < 500,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        await context.grant_permissions(["camera", "microphone"])
        await context.add_init_script(WATCH_ENCODED_FRAMES + WATCH_STILLS)
        person = cls(context, await context.new_page())
        person.page.on("pageerror", lambda error: person.problems.append(f"{error}\n{error.stack}"))
        return person

    async def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button of this name once it can be pressed."""
        await self.page.get_by_role("button", name=name, exact=isinstance(name, str)).first.click()

    async def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait until these words stand on the page."""
        await expect(self.page.get_by_text(words).first).to_be_visible()

    async def frames_of(self, label: str) -> int:
        """How many new frames the video of this label has shown since it is asked for; waits for five.

        A picture that begins anew may get another element: then they are counted there.
        """
        video, frames = self.page.get_by_label(label, exact=True), 0
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while frames < 5:
                await video.first.wait_for(state="attached")
                frames = await video.first.evaluate(
                    """(video) => new Promise((resolve) => {
                      let frames = 0;
                      const count = () => {
                        frames += 1;
                        if (frames < 5) video.requestVideoFrameCallback(count);
                      };
                      video.requestVideoFrameCallback(count);
                      const look = () => {
                        if (frames === 5 || !video.isConnected) resolve(frames);
                        else requestAnimationFrame(look);
                      };
                      look();
                    })"""
                )
        return frames

    async def screenshot(self, name: str) -> None:
        """Keep what the page shows, for a person to look at. It checks nothing, so a browser whose compositor
        is too busy to give it (it says "Unable to capture screenshot") fails no test."""
        SCREENSHOTS.mkdir(exist_ok=True)
        with suppress(PlaywrightError):
            await self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@asynccontextmanager
async def watched(**people: Person) -> AsyncIterator[None]:
    """Keep a picture of everybody's page when a step fails; nobody's page may have thrown an error."""
    try:
        yield
    except BaseException:
        for name, person in people.items():
            await person.screenshot(f"failed-{name}")
        raise
    problems = {name: person.problems for name, person in people.items() if person.problems}
    assert not problems, problems


async def sign_in(
    person: Person, url: str, email: str, password: str, say: Mapping[str, str] | None = None
) -> None:
    """Sign in to a staff page with the form; say: the page's words, if not the English ones."""
    say = say or words("staff")
    await person.page.goto(url)
    await person.page.get_by_label(say["sign_in.email"]).fill(email)
    await person.page.get_by_label(say["sign_in.password"]).fill(password)
    await person.press(say["sign_in.submit"])
    await expect(person.page.get_by_role("button", name=say["sign_out"])).to_be_visible()


async def open_consultation(person: Person, url: str, consultation_id: str) -> None:
    """Open a consultation by its address."""
    await person.page.goto(f"{url}#c/{consultation_id}")


async def walk_to_waiting_room(patient: Person, link: str) -> None:
    """From the personal link to the waiting room, as a patient does it."""
    say = words("patient")
    await patient.page.goto(link)
    for step in PATIENT_STEPS:
        await patient.press(say[step])
    await patient.sees("You are in the waiting room")


async def meet(patient: Person, specialist: Person, url: str, made: Links, query: str = "") -> None:
    """Both come into the call, and the specialist sees the patient. query: of the patient's address."""
    await walk_to_waiting_room(patient, made.patient_url.replace("/p/#", f"/p/{query}#"))
    await open_consultation(specialist, f"{url}/s/", made.consultation_id)
    await specialist.press("Admit")
    assert await specialist.frames_of(CAMERA) == 5
