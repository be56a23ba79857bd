"""Calls in the other codecs that a phone may prefer: forwarded untouched, and calibrated from the tap."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.conftest import LaunchChromium
from tests.e2e.bitstream import encoded_frames
from tests.e2e.conftest import Clinic, no_encoder, refer
from tests.e2e.people import CAMERA, PHONE, Person, meet, watched


@pytest.mark.parametrize("codec", ["VP9", "H264"])
async def test_a_call_in_another_codec(
    clinic: Clinic, chromium: LaunchChromium, skin_video: Path, codec: str
) -> None:
    browser = await chromium(skin_video)
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    async with watched(specialist=specialist, patient=patient):
        with no_encoder():
            await meet(patient, specialist, clinic.url, made, query=f"?codec={codec}")
            assert (await clinic.camera_of_patient()).codec == codec
            await expect(specialist.page.get_by_text("Uncalibrated", exact=True)).to_have_count(0)
            await specialist.page.get_by_role("img", name=f"{CAMERA}, color corrected", exact=True).wait_for()
            while len((received := await encoded_frames(specialist.page)).received_video) < 30:
                await specialist.frames_of(CAMERA)
            own = set((await encoded_frames(patient.page)).sent_video)
            assert set(received.received_video) <= own, "every frame that arrived is one that was sent"
