"""Watches encoded frames inside a browser, so that a test can compare what was sent with what arrived.

WebRTC Encoded Transform hands over each frame behind its RTP payload descriptors: after the encoder and
before packetisation at the sender, after reassembly and before the decoder at the receiver.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Page

# Chromium's createEncodedStreams needs no worker and so works under the product's content security policy.
WATCH_ENCODED_FRAMES = """
(() => {
  const seen = { sent: { audio: [], video: [] }, received: { audio: [], video: [] } };
  Object.defineProperty(window, '__encodedFrames', { value: seen });
  const digest = async (data) => {
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return Array.from(bytes.subarray(0, 8), (b) => b.toString(16).padStart(2, '0')).join('');
  };
  const watched = new WeakSet();  // a resting m-line that is used again announces its receiver again
  const watch = (end, list) => {
    if (watched.has(end)) return;
    watched.add(end);
    const { readable, writable } = end.createEncodedStreams();
    readable.pipeThrough(new TransformStream({
      async transform(frame, controller) {
        list.push(await digest(frame.data.slice(0)));
        controller.enqueue(frame);
      },
    })).pipeTo(writable).catch(() => {});
  };
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super({ ...configuration, encodedInsertableStreams: true });
      this.addEventListener('track', (event) => watch(event.receiver, seen.received[event.track.kind]));
    }
    addTransceiver(trackOrKind, init) {
      const transceiver = super.addTransceiver(trackOrKind, init);
      if (!init || init.direction !== 'recvonly') {
        const kind = typeof trackOrKind === 'string' ? trackOrKind : trackOrKind.kind;
        watch(transceiver.sender, seen.sent[kind]);
      }
      return transceiver;
    }
    addTrack(track, ...streams) {
      const sender = super.addTrack(track, ...streams);
      watch(sender, seen.sent[track.kind]);
      return sender;
    }
  };
})();
"""


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """Digests of the encoded frames of one page, in order."""

    sent_audio: list[str]
    sent_video: list[str]
    received_audio: list[str]
    received_video: list[str]


async def encoded_frames(page: Page) -> EncodedFrames:
    """What a page with WATCH_ENCODED_FRAMES has sent and received until now."""
    seen = await page.evaluate("() => window.__encodedFrames")
    return EncodedFrames(
        seen["sent"]["audio"], seen["sent"]["video"], seen["received"]["audio"], seen["received"]["video"]
    )
