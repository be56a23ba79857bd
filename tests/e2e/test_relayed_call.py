"""A call that can only be relayed: both browsers may use nothing but a real coturn."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page

from tests.conftest import LaunchChromium
from tests.e2e.conftest import Clinic, open_clinic, refer
from tests.e2e.people import KEEP_CONNECTIONS, PHONE, Person, meet
from tests.support.coturn import start_coturn

SECRET = "a-secret-of-enough-length"

# Forbids every candidate but relayed ones.
RELAY_ONLY = """
(() => {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
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
    specialist, made = await refer(clinic, browser)
    patient = await Person.sits_down(browser, size=PHONE)
    for person in (specialist, patient):
        await person.context.add_init_script(RELAY_ONLY + KEEP_CONNECTIONS)
    await specialist.page.reload()
    await meet(patient, specialist, clinic.url, made)
    assert await patient.frames_of(f"Picture of {clinic.specialist.name}") == 5
    for person in (specialist, patient):
        assert await selected(person.page) == {"relay"}


async def selected(page: Page) -> set[str]:
    """Types of the local candidates that a page's connections use."""
    return set(await page.evaluate(SELECTED_CANDIDATES))
