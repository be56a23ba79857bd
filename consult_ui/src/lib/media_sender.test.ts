/** How own video is encoded: frames before pixels, and what the sender is told. */

import { describe, expect, it } from "vitest";

import { frameRateFor, MAX_VIDEO_BITRATE_BPS, senderLimits, tuneVideoSender } from "./media_sender";

describe("frameRateFor", () => {
  it.each([
    [MAX_VIDEO_BITRATE_BPS, 30],
    [1_500_000, 30],
    [1_000_000, 20],
    [500_000, 10],
    [300_000, 8],
    [30_000, 8],
  ])("spends %i bit/s on %i frames a second", (bitrate_bps, frames) => {
    expect(frameRateFor(bitrate_bps)).toBe(frames);
  });
});

describe("senderLimits", () => {
  it("are the page's own where the relay says nothing", () => {
    expect(senderLimits(1_000_000)).toEqual({ maxBitrateBps: 1_000_000, maxFramerate: 20 });
  });

  it.each([
    [2_500_000, 400_000, 12, 400_000, 8],
    [2_500_000, 2_500_000, 6, 2_500_000, 6],
    [300_000, 2_500_000, 30, 300_000, 8],
    [2_500_000, 0, 0, 30_000, 1],
  ])("of %i and a budget of %i at %i frames are %i at %i", (own, bitrate_bps, max_framerate, maxBitrateBps, maxFramerate) => {
    expect(senderLimits(own, { bitrate_bps, max_framerate })).toEqual({ maxBitrateBps, maxFramerate });
  });
});

/** A sender that keeps the parameters it is given. */
class Sender {
  parameters = { encodings: [{ maxBitrate: MAX_VIDEO_BITRATE_BPS }] } as unknown as RTCRtpSendParameters;
  readonly set: unknown[] = [];

  getParameters(): RTCRtpSendParameters {
    return structuredClone(this.parameters);
  }

  async setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    this.parameters = parameters;
    this.set.push(structuredClone(parameters));
  }
}

describe("tuneVideoSender", () => {
  it("caps bitrate and frames, keeps the resolution, and says nothing twice", async () => {
    const sender = new Sender();
    await tuneVideoSender(sender as unknown as RTCRtpSender, senderLimits(500_000));
    await tuneVideoSender(sender as unknown as RTCRtpSender, senderLimits(500_000));
    expect(sender.set).toEqual([
      { encodings: [{ maxBitrate: 500_000, maxFramerate: 10 }], degradationPreference: "maintain-resolution" },
    ]);
  });

  it("leaves a sender alone that is not negotiated yet", async () => {
    const sender = new Sender();
    sender.parameters = { encodings: [] } as unknown as RTCRtpSendParameters;
    await tuneVideoSender(sender as unknown as RTCRtpSender, senderLimits(500_000));
    expect(sender.set).toEqual([]);
  });
});
