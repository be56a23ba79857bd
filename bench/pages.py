"""Drives the real pages for benchmarks: what people press, and what the pages' own clocks say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Page

CATALOGS = Path(__file__).resolve().parent.parent / "consult_ui" / "src" / "i18n"
PATIENT_STEPS = ("welcome.start", "consent.agree", "check.start", "check.continue", "guidance.go")

# Runs before a page's own scripts. All marks are on that page's own clock, in ms.
MARKS = """
(() => {
  const marks = { acted: null, connected: null, track: null, frame: null, recorded: null };
  Object.defineProperty(window, '__marks', { value: marks });
  const remote = new Set();
  for (const kind of ['pointerup', 'keydown']) {
    addEventListener(kind, () => { marks.acted = performance.now(); marks.recorded = null; }, true);
  }
  const NativeConnection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends NativeConnection {
    constructor(...given) {
      super(...given);
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') marks.connected ??= performance.now();
      });
      this.addEventListener('track', ({ track }) => {
        remote.add(track);
        if (track.kind === 'video') marks.track ??= performance.now();
      });
    }
  };
  const shown = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...shown,
    set(stream) {
      shown.set.call(this, stream);
      const track = stream && stream.getVideoTracks()[0];
      if (!track || !remote.has(track)) return;
      this.requestVideoFrameCallback((now, frame) => { marks.frame ??= frame.presentationTime; });
    },
  });
  const NativeSocket = window.WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data === 'string' && data.includes('["snapshot",')) marks.recorded ??= performance.now();
      });
    }
  };
})();
"""


@dataclass(frozen=True, slots=True)
class Links:
    """One accepted consultation: its id and the patient's personal link."""

    consultation_id: str
    patient_url: str


def words(*catalogs: str, language: str = "en") -> dict[str, str]:
    """The words of the pages in a language, by key, so that a script finds what people read."""
    found: dict[str, str] = {}
    for catalog in catalogs:
        found.update(json.loads((CATALOGS / f"{catalog}.{language}.json").read_text("utf-8")))
    return found


async def ask(page: Page, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """A request of the page's own origin and session; raises RuntimeError with the error's id."""
    answer = await page.evaluate(
        """async ([method, path, body]) => {
          const headers = body === null ? {} : { 'Content-Type': 'application/json' };
          const sent = body === null ? null : JSON.stringify(body);
          const response = await fetch(path, { method, headers, body: sent });
          const text = await response.text();
          return [response.status, text === '' ? null : JSON.parse(text)];
        }""",
        [method, path, None if body is None else dict(body)],
    )
    status, value = answer
    if status >= 400:
        raise RuntimeError(f"{method} {path}: {status} {value['error']['id']}")
    return value


async def click(page: Page, name: str) -> None:
    """Press the button of this name as soon as it can be pressed."""
    await page.get_by_role("button", name=name, exact=True).click()


async def walk_to_waiting_room(page: Page, catalog: Mapping[str, str]) -> None:
    """From the patient's first screen to the waiting room: agree, check devices, read the guidance."""
    for step in PATIENT_STEPS:
        await click(page, catalog[step])


async def marked(page: Page, mark: str) -> float:
    """Wait for a mark; its time since the last thing the person did on this page, in ms."""
    await page.wait_for_function(f"() => window.__marks.{mark} !== null")
    marks = await page.evaluate("() => window.__marks")
    return float(marks[mark] - marks["acted"])


class WireBytes:
    """Counts what a page's network brought: headers and bodies as they came, compressed."""

    def __init__(self, session: CDPSession) -> None:
        self.total = 0
        session.on("Network.loadingFinished", self._finished)

    @classmethod
    async def of(cls, context: BrowserContext, page: Page) -> WireBytes:
        """Start counting; call before the page goes anywhere."""
        session = await context.new_cdp_session(page)
        counter = cls(session)
        await session.send("Network.enable")
        return counter

    def _finished(self, event: dict[str, Any]) -> None:
        self.total += int(event["encodedDataLength"])
