/** How own video is encoded: codec order, temporal layers, bitrate, and pixels before frames. */

import type { SourceName } from "../wire/messages";
import { preferCodec } from "./media_plan";

/** More than this adds nothing a viewer could judge at 720p. */
export const MAX_VIDEO_BITRATE_BPS = 2_500_000;

/** The video codec to offer first: VP8, unless the address asks for another (`?codec=VP9` or `H264`). */
export function codecFromAddress(query: string): string {
  const asked = new URLSearchParams(query).get("codec")?.toUpperCase();
  return asked === "VP9" || asked === "H264" || asked === "AV1" ? asked : "VP8";
}

/**
 * A sendonly transceiver for a source. VP8 from a camera gets three temporal layers, which cost nothing and let
 * the relay thin frames out; VP9 loses by layers, so it has none.
 */
export function addSender(
  connection: RTCPeerConnection,
  source: SourceName,
  track: MediaStreamTrack | null,
  codec: string,
): RTCRtpTransceiver {
  if (source === "microphone") return connection.addTransceiver(track ?? "audio", { direction: "sendonly" });
  const encoding: RTCRtpEncodingParameters & { scalabilityMode?: string } = { maxBitrate: MAX_VIDEO_BITRATE_BPS };
  if (source === "camera" && codec === "VP8") encoding.scalabilityMode = "L1T3";
  let transceiver: RTCRtpTransceiver;
  try {
    transceiver = connection.addTransceiver(track ?? "video", { direction: "sendonly", sendEncodings: [encoding] });
  } catch {
    // A browser without that scalability mode refuses the whole call.
    delete encoding.scalabilityMode;
    transceiver = connection.addTransceiver(track ?? "video", { direction: "sendonly", sendEncodings: [encoding] });
  }
  const capabilities = RTCRtpSender.getCapabilities("video");
  if (capabilities) transceiver.setCodecPreferences(preferCodec(capabilities.codecs, codec));
  return transceiver;
}

/** What one 720p frame of skin is worth, in bits, before more frames are. */
const BITS_PER_FRAME = 50_000;
const FEWEST_FRAMES = 8;
const MOST_FRAMES = 30;

/** How many frames a second a bitrate is spent on: below 1.5 Mbit/s fewer of them keep more of a small lesion. */
export function frameRateFor(bitrateBps: number): number {
  return Math.min(MOST_FRAMES, Math.max(FEWEST_FRAMES, Math.round(bitrateBps / BITS_PER_FRAME)));
}

/** What the browser's own estimate of the path leaves to a video sender, in bit/s; null where it does not say. */
export async function targetBitrate(sender: RTCRtpSender): Promise<number | null> {
  for (const report of (await sender.getStats()).values()) {
    const { type, targetBitrate: target } = report as { type: string; targetBitrate?: number };
    if (type === "outbound-rtp" && typeof target === "number" && target > 0) return target;
  }
  return null;
}

/**
 * The frame rate to set where `present` is set (null: none yet): it follows the bitrate in steps of a quarter, since
 * every change costs the encoder its rhythm.
 */
export function nextFrameRate(present: number | null, bitrateBps: number): number {
  const wanted = frameRateFor(bitrateBps);
  if (present === null) return wanted;
  const atAnEnd = (wanted === FEWEST_FRAMES || wanted === MOST_FRAMES) && wanted !== present;
  return atAnEnd || wanted >= 1.25 * present || wanted <= 0.8 * present ? wanted : present;
}

/**
 * What the best of a Publication's viewers can take in frames a second, of which nothing is known without a budget.
 * Where nobody can take it now one frame a second goes on, so that there is something to come back to.
 */
export function mostFramesOf(budget?: { readonly max_framerate: number }): number {
  return Math.max(1, Math.floor(budget?.max_framerate ?? MOST_FRAMES));
}

/**
 * Under pressure fewer frames, never fewer pixels; and the present bitrate limit. targetBps: what the path carries of
 * it, as far as that is known (the relay's REMB is in it). mostFrames: what viewers can take.
 */
export async function tuneVideoSender(
  sender: RTCRtpSender,
  maxBitrateBps: number,
  targetBps: number | null = null,
  mostFrames: number = MOST_FRAMES,
): Promise<void> {
  const parameters: RTCRtpSendParameters & { degradationPreference?: string } = sender.getParameters();
  const [encoding] = parameters.encodings;
  if (!encoding) return; // not negotiated yet
  const present = targetBps === null ? null : (encoding.maxFramerate ?? null);
  const maxFramerate = Math.min(mostFrames, nextFrameRate(present, Math.min(maxBitrateBps, targetBps ?? maxBitrateBps)));
  if (encoding.maxBitrate === maxBitrateBps && encoding.maxFramerate === maxFramerate && parameters.degradationPreference === "maintain-resolution") return;
  encoding.maxBitrate = maxBitrateBps;
  encoding.maxFramerate = maxFramerate;
  parameters.degradationPreference = "maintain-resolution";
  try {
    await sender.setParameters(parameters);
  } catch {
    // A negotiation in between makes the parameters stale; it tunes again when it is done.
  }
}
