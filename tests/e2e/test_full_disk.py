"""The record's disk fills up while a still is on its way: the pages say so, and the still is not lost."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import cv2
from playwright.async_api import Route, expect

from bench.join import consultation
from media.simulated.scene import Scene
from tests.conftest import LaunchChromium
from tests.e2e.people import DESK, PHONE, Person, meet, watched
from tests.e2e.test_capture import NO_STILLS
from tests.support.full_disk import fill, with_small_disk
from tests.support.server import RunningServer, running_server

CHUNK_BYTES = 256 * 1024
"""Of consult_ui/src/lib/upload_plan.ts."""


async def test_a_still_outlives_a_full_disk(
    tmp_path: Path, chromium: LaunchChromium, skin: Scene, skin_video: Path
) -> None:
    still = tmp_path / "still.jpg"
    cv2.imwrite(
        str(still), cv2.cvtColor(skin.still(1600, 1200), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 98]
    )
    assert still.stat().st_size > 2 * CHUNK_BYTES
    blobs = tmp_path / "data" / "blobs"
    blobs.mkdir(parents=True)
    loopback = {"media_host": "127.0.0.1", "media_addresses": "127.0.0.1"}
    async with running_server(tmp_path, within=with_small_disk("8m", blobs), **loopback) as server:
        # The disk as the server's process sees it.
        small = Path(f"/proc/{server.pid}/root{blobs}")
        browser = await chromium(skin_video)
        specialist = await Person.sits_down(browser, size=DESK)
        referrer = await Person.sits_down(browser, size=PHONE)
        patient = await Person.sits_down(browser, size=PHONE)
        async with watched(specialist=specialist, patient=patient):
            await send_on_a_full_disk(server, small, still, specialist, referrer, patient)


async def send_on_a_full_disk(
    server: RunningServer, small: Path, still: Path, specialist: Person, referrer: Person, patient: Person
) -> None:
    """The disk is full when the second piece of the still arrives, and has room again later."""
    for person, role in ((specialist, "specialist"), (referrer, "referrer")):
        await person.page.goto(server.links[role])
        await expect(person.page.get_by_role("button", name="Sign out")).to_be_visible()
    made = await consultation(referrer.page, specialist.page, 1)
    await patient.context.add_init_script(NO_STILLS)
    await meet(patient, specialist, server.url, made)
    filled: list[Path] = []
    sent = await asyncio.to_thread(still.read_bytes)
    offsets: list[int] = []

    async def fill_before_the_second_piece(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
            if offsets[-1] == CHUNK_BYTES and not filled:
                filled.append(fill(small))
        await route.continue_()

    await patient.page.route("**/api/uploads/*", fill_before_the_second_piece)
    await specialist.press("Capture")
    await patient.page.locator("input[type=file]").set_input_files(still)
    await patient.sees("The server has no room left at the moment. Nothing that was sent before is lost.")
    await patient.sees("The photo is still on this device: you can send it again.")
    await patient.screenshot("full-disk-360")
    await specialist.sees(
        re.compile("The server has no room left at the moment.*The photo is still on the device")
    )
    await specialist.screenshot("full-disk-1440")
    assert await snapshots(specialist, server.url, made.consultation_id) == []
    assert offsets == [0, CHUNK_BYTES]

    filled[0].unlink()
    await patient.press("Send again")
    await patient.sees("The photo has arrived. Thank you.")
    await specialist.sees("The still is in the record.")
    assert offsets[2] == CHUNK_BYTES, "it goes on where it stopped"
    [snapshot_id] = await snapshots(specialist, server.url, made.consultation_id)
    original = await specialist.context.request.get(f"{server.url}/api/snapshots/{snapshot_id}/original")
    assert await original.body() == sent


async def snapshots(specialist: Person, url: str, consultation_id: str) -> list[str]:
    """snapshot_ids of what the record holds of a consultation."""
    answer = await specialist.context.request.get(f"{url}/api/consultations/{consultation_id}")
    return [one["snapshot_id"] for one in (await answer.json())["snapshots"]]
