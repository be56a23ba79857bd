"""How soon a consultation is there: join to first frame, capture to record, weight of the patient's page.

Real Chromium pages against a server of its own on loopback, a new consultation for every join.
first_frame: from the specialist's click on "Admit" to the first frame of the patient's camera that the
specialist's page hands to its compositor (requestVideoFrameCallback), both on that page's clock. It holds
admission, both peer connections (ICE, DTLS), the camera's start, encoding, forwarding and decoding; rows
also say when the specialist's connection stood and when the patient's track was there.
capture_to_record: from the specialist's key to the message that the still is in the record, hashed and
encrypted. patient_page: bytes on the wire until the patient's first screen can be used.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.harness import Options, Report, machine, parse, percentile
from bench.pages import MARKS, Links, WireBytes, ask, click, marked, walk_to_waiting_room, words
from tests.support.browser import launch_chromium
from tests.support.server import RunningServer, running_server

JOINS = 10
QUICK_JOINS = 3


async def measure(options: Options) -> Report:
    """Run the joins and return the report."""
    joins = QUICK_JOINS if options.quick else JOINS
    report = Report("join")
    with tempfile.TemporaryDirectory() as folder:
        async with running_server(Path(folder)) as server, async_playwright() as playwright:
            browser = await launch_chromium(playwright)
            report.conditions = {
                **machine("aiortc", "aiohttp", "python-socketio"),
                "browser": f"Chromium {browser.version}",
                "joins": joins,
                "network": "loopback, all on one machine",
            }
            await run_joins(browser, server, joins, report)
            await browser.close()
    for what in ("first_frame", "capture_to_record"):
        values = [float(str(row[f"{what}_ms"])) for row in report.rows]
        report.figure(f"{what}_p50_ms", percentile(values, 50))
        report.figure(f"{what}_p95_ms", percentile(values, 95))
    report.figure("patient_page_kb", max(float(str(row["patient_page_kb"])) for row in report.rows))
    return report


async def run_joins(browser: Browser, server: RunningServer, joins: int, report: Report) -> None:
    """Sign in once, then one new consultation after the other."""
    staff = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    await staff.grant_permissions(["camera", "microphone"])
    specialist = await signed_in(staff, server.links["specialist"])
    others = await browser.new_context(locale="en-GB")
    referrer = await signed_in(others, server.links["referrer"])
    for number in range(1, joins + 1):
        made = await consultation(referrer, specialist, number)
        report.row(join=number, **await one_join(browser, staff, server.url, made))
    await others.close()
    await staff.close()


async def signed_in(context: BrowserContext, link: str) -> Page:
    """A page that signed in by a one-time link."""
    page = await context.new_page()
    async with page.expect_response("**/api/me"):
        await page.goto(link)
    return page


async def consultation(referrer: Page, specialist: Page, number: int) -> Links:
    """Refer a new patient, accept the referral, make the patient's link."""
    patient = {"name": f"Patient {number}", "birth_date": None, "sex": "unknown", "language": "en"}
    request = {"patient": patient, "question": "A mole that changed?", "urgency": "routine"}
    referral = await ask(referrer, "POST", "/api/referrals", request)
    when = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    path = f"/api/referrals/{referral['referral_id']}/accept"
    accepted = await ask(specialist, "POST", path, {"scheduled_at": when})
    consultation_id = accepted["consultation_id"]
    path = f"/api/consultations/{consultation_id}/links"
    link = await ask(specialist, "POST", path, {"role": "patient"})
    return Links(consultation_id, link["url"])


async def one_join(browser: Browser, staff: BrowserContext, url: str, made: Links) -> dict[str, float]:
    """A patient and the specialist meet in fresh pages; returns the measurements of this join."""
    phone = await browser.new_context(
        locale="en-GB", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    await phone.grant_permissions(["camera", "microphone"])
    page = await phone.new_page()
    wire = await WireBytes.of(phone, page)
    catalog = words("common", "patient", "specialist")
    await page.goto(made.patient_url)
    await page.get_by_role("button", name=catalog["welcome.start"], exact=True).wait_for()
    await page.wait_for_load_state("networkidle")
    patient_page_kb = wire.total / 1000
    await walk_to_waiting_room(page, catalog)

    desk = await staff.new_page()
    await desk.add_init_script(MARKS)
    await desk.goto(f"{url}/s/#c/{made.consultation_id}")
    await click(desk, catalog["people.admit"])
    first_frame_ms = await marked(desk, "frame")
    connected_ms, track_ms = await marked(desk, "connected"), await marked(desk, "track")
    await desk.keyboard.press("c")
    capture_to_record_ms = await marked(desk, "recorded")
    await desk.close()
    await phone.close()
    return {
        "connected_ms": connected_ms,
        "track_ms": track_ms,
        "first_frame_ms": first_frame_ms,
        "capture_to_record_ms": capture_to_record_ms,
        "patient_page_kb": patient_page_kb,
    }


def main() -> None:
    """`./dev bench join`."""
    options = parse("join", __doc__ or "")
    asyncio.run(measure(options)).finish(options)


if __name__ == "__main__":
    main()
