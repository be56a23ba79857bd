"""The specialist's statistics: what each sends, what each is given of it, and a file of it without names."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from bench.pages import words
from tests.conftest import LaunchChromium
from tests.e2e.conftest import SPECIALIST_NAME, Clinic, refer
from tests.e2e.people import PHONE, Person, meet, watched
from tests.e2e.test_accessibility import TINTED, look

PATIENT = "Patient 1"
RATE = re.compile(r"^[1-9][\d,]* kbit/s$")
SIZE = re.compile(r"^\d+ × \d+$")


def group(page: Page, name: str) -> Locator:
    """The rows of one viewer."""
    return page.get_by_role("rowgroup").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def row(within: Locator, source: str) -> Locator:
    """The row of a source there."""
    return within.get_by_role("row").filter(has_text=source)


async def has(row: Locator, words: re.Pattern[str]) -> None:
    """Wait until a cell of the row says so."""
    await expect(row.get_by_role("cell").filter(has_text=words)).to_have_count(1)


async def test_statistics_are_shown_and_saved(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, tmp_path: Path
) -> None:
    browser = await chromium(skin_video)
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    page = specialist.page
    async with watched(specialist=specialist, patient=patient):
        await meet(patient, specialist, clinic.url, made)
        await specialist.press("Statistics")
        sent = page.get_by_role("table", name="Sent to the server")
        await has(row(sent, f"Camera of {PATIENT}"), RATE)
        for viewer, source in (
            ("On this page, as shown", f"Camera of {PATIENT}"),
            (f"Given to {SPECIALIST_NAME}", f"Camera of {PATIENT}"),
            (f"Given to {SPECIALIST_NAME}", f"Microphone of {PATIENT}"),
            (f"Given to {PATIENT}", f"Camera of {SPECIALIST_NAME}"),
        ):
            await has(row(group(page, viewer), source), RATE)
        await has(row(group(page, f"Given to {SPECIALIST_NAME}"), f"Camera of {PATIENT}"), SIZE)
        await expect(page.get_by_role("table", name="From the server to each")).to_contain_text(PATIENT)
        await pictures(specialist)
        await saved(clinic, specialist, tmp_path)


async def pictures(specialist: Person) -> None:
    """It fits a desk and a phone, in light and dark, in both languages, with nothing tinted beside skin."""
    page = specialist.page
    for language, scheme in (("en", "light"), ("zh", "dark")):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if language == "zh":
            await specialist.press("中文")
        title = words("specialist", language=language)["statistics.title"]
        panel = page.get_by_role("region", name=title)
        for width, height in ((1440, 900), (360, 740)):
            await page.set_viewport_size({"width": width, "height": height})
            await panel.scroll_into_view_if_needed()
            await panel.get_by_role("heading", name=title).scroll_into_view_if_needed()
            await look(specialist, f"statistics-{width}-{language}-{scheme}")
            assert await page.evaluate(TINTED) == []
    await specialist.press("English")


async def saved(clinic: Clinic, specialist: Person, tmp_path: Path) -> None:
    """The file has every number under ids; who they are is not in it."""
    async with specialist.page.expect_download() as waiting:
        await specialist.press("Save as file")
    download = await waiting.value
    assert re.fullmatch(r"truehue-statistics-[\dT-]+Z\.json", download.suggested_filename)
    path = tmp_path / "statistics.json"
    await download.save_as(path)
    text = path.read_text("utf-8")
    assert PATIENT not in text
    assert SPECIALIST_NAME not in text
    content = json.loads(text)
    consultation_id = await clinic.consultation_id()
    camera = await clinic.camera_of_patient()
    assert content["consultation_id"] == consultation_id
    relay = content["relay"]
    assert camera.publication_id in {one["publication_id"] for one in relay["publications"]}
    viewers = {one["participant_id"] for one in relay["subscriptions"]}
    assert viewers == {one["participant_id"] for one in relay["paths"]}
    assert content["page"]["participant_id"] in viewers - {camera.participant_id}
    [shown] = [one for one in content["page"]["receiving"] if one["publication_id"] == camera.publication_id]
    assert shown["frames_decoded"] > 0
    assert {"jitter_ms", "freeze_count", "frozen_s"} <= shown.keys()
