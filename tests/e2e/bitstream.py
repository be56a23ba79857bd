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
  const watch = (end, list, alter) => {
    if (watched.has(end)) return;
    watched.add(end);
    const { readable, writable } = end.createEncodedStreams();
    readable.pipeThrough(new TransformStream({
      async transform(frame, controller) {
        alter?.(frame);
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
        watch(transceiver.sender, seen.sent[kind], window.__alterSent);
      }
      return transceiver;
    }
    addTrack(track, ...streams) {
      const sender = super.addTrack(track, ...streams);
      watch(sender, seen.sent[track.kind], window.__alterSent);
      return sender;
    }
  };
})();
"""


BT709 = 2
"""color_space of VP9 (bitstream specification, 7.2.2)."""


def mistag_vp9(color_space: int, *, full_range: bool) -> str:
    """A script for a sender's page, beside the watch: its VP9 keyframes of profile 0 state this matrix and
    range, whatever they have (VP9 bitstream specification, 6.2.2)."""
    script = """
window.__alterSent = (frame) => {
  const bytes = new Uint8Array(frame.data);
  if (frame.type !== 'key' || bytes[1] !== 0x49 || bytes[2] !== 0x83 || bytes[3] !== 0x42) return;
  bytes[4] = (bytes[4] & 0x0f) | COLOR_SPACE << 5 | FULL_RANGE << 4;
  frame.data = bytes.buffer;
};
"""
    return script.replace("COLOR_SPACE", str(color_space)).replace("FULL_RANGE", str(int(full_range)))


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
