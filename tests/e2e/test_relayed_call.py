"""A call that can only be relayed: both browsers may use nothing but a real coturn."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page

from bench.join import consultation
from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic, open_clinic
from tests.e2e.people import DESK, PHONE, Person, open_consultation, sign_in, walk_to_waiting_room
from tests.support.coturn import start_coturn

SECRET = "a-secret-of-enough-length"

# Forbids every candidate but relayed ones, and keeps the connections for a look at what they use.
RELAY_ONLY = """
(() => {
  const made = [];
  Object.defineProperty(window, '__connections', { value: made });
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
      made.push(this);
    }
  };
})();
"""

SELECTED_CANDIDATES = """
async () => {
  const types = [];
  for (const connection of window.__connections) {
    const stats = await connection.getStats();
    for (const transport of stats.values()) {
      const pair = transport.type === 'transport' && stats.get(transport.selectedCandidatePairId);
      if (pair) types.push(stats.get(pair.localCandidateId).candidateType);
    }
  }
  return types;
}
"""


async def test_frames_arrive_through_coturn_alone(tmp_path: Path, chromium: LaunchChromium) -> None:
    async with start_coturn(tmp_path, SECRET, own_addresses=["127.0.0.1"]) as coturn:
        clinic = await open_clinic(tmp_path / "data", turn_urls=(coturn.url,), turn_secret=SECRET)
        try:
            await hold_a_call(clinic, await chromium())
        finally:
            await clinic.server.stop()


async def hold_a_call(clinic: Clinic, browser: Browser) -> None:
    """Patient and specialist meet, see each other's frames, and use relayed candidates only."""
    specialist = await Person.sits_down(browser, size=DESK)
    referrer = await Person.sits_down(browser, size=PHONE)
    patient = await Person.sits_down(browser, size=PHONE)
    for person in (specialist, patient):
        await person.context.add_init_script(RELAY_ONLY)
    await sign_in(specialist, f"{clinic.url}/s/", clinic.specialist.email, clinic.password)
    await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
    made = await consultation(referrer.page, specialist.page, 1)
    await walk_to_waiting_room(patient, made.patient_url)
    await open_consultation(specialist, f"{clinic.url}/s/", made.consultation_id)
    await specialist.press("Admit")

    assert await specialist.frames_of("Camera of Patient 1") == 5
    assert await patient.frames_of(f"Picture of {clinic.specialist.name}") == 5
    for person in (specialist, patient):
        assert await selected(person.page) == {"relay"}


async def selected(page: Page) -> set[str]:
    """Types of the local candidates that a page's connections use."""
    return set(await page.evaluate(SELECTED_CANDIDATES))
