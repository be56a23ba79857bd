/** How own video is encoded: frames before pixels, and what the sender is told. */

import { describe, expect, it } from "vitest";

import { frameRateFor, MAX_VIDEO_BITRATE_BPS, mostFramesOf, nextFrameRate, targetBitrate, tuneVideoSender } from "./media_sender";

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

describe("mostFramesOf", () => {
  it.each([
    [undefined, 30],
    [{ max_framerate: 30 }, 30],
    [{ max_framerate: 7.9 }, 7],
    [{ max_framerate: 0 }, 1],
  ])("of %o are %i", (budget, frames) => {
    expect(mostFramesOf(budget)).toBe(frames);
  });
});

describe("nextFrameRate", () => {
  it("begins at what the bitrate is worth, and follows it in steps of a quarter", () => {
    expect(nextFrameRate(null, 1_000_000)).toBe(20);
    expect(nextFrameRate(20, 1_100_000)).toBe(20);
    expect(nextFrameRate(20, 1_250_000)).toBe(25);
    expect(nextFrameRate(20, 850_000)).toBe(20);
    expect(nextFrameRate(20, 800_000)).toBe(16);
  });

  it("reaches both ends", () => {
    expect(nextFrameRate(28, 2_000_000)).toBe(30);
    expect(nextFrameRate(9, 100_000)).toBe(8);
    expect(nextFrameRate(8, 100_000)).toBe(8);
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
    await tuneVideoSender(sender as unknown as RTCRtpSender, 500_000);
    await tuneVideoSender(sender as unknown as RTCRtpSender, 500_000);
    expect(sender.set).toEqual([
      { encodings: [{ maxBitrate: 500_000, maxFramerate: 10 }], degradationPreference: "maintain-resolution" },
    ]);
  });

  it("spends what the path carries of the limit on fewer frames, and waits for a change that is worth it", async () => {
    const sender = new Sender();
    const tune = (target: number) => tuneVideoSender(sender as unknown as RTCRtpSender, 2_500_000, target);
    await tune(300_000);
    await tune(410_000);
    await tune(900_000);
    expect(sender.set.map((one) => (one as { encodings: { maxFramerate: number }[] }).encodings[0]?.maxFramerate)).toEqual([8, 18]);
  });

  it("sends no more frames than viewers can take", async () => {
    const sender = new Sender();
    await tuneVideoSender(sender as unknown as RTCRtpSender, MAX_VIDEO_BITRATE_BPS, null, 6);
    expect(sender.parameters.encodings[0]).toEqual({ maxBitrate: MAX_VIDEO_BITRATE_BPS, maxFramerate: 6 });
  });

  it("leaves a sender alone that is not negotiated yet", async () => {
    const sender = new Sender();
    sender.parameters = { encodings: [] } as unknown as RTCRtpSendParameters;
    await tuneVideoSender(sender as unknown as RTCRtpSender, 500_000);
    expect(sender.set).toEqual([]);
  });
});

describe("targetBitrate", () => {
  const sender = (...reports: object[]): RTCRtpSender =>
    ({ getStats: async () => new Map(reports.map((report, i) => [String(i), report])) }) as unknown as RTCRtpSender;

  it("is what the browser says of the outgoing stream", async () => {
    const reports = [{ type: "codec" }, { type: "outbound-rtp", targetBitrate: 420_000 }];
    expect(await targetBitrate(sender(...reports))).toBe(420_000);
  });

  it("is unknown where it does not say, or sends nothing", async () => {
    expect(await targetBitrate(sender({ type: "outbound-rtp" }))).toBeNull();
    expect(await targetBitrate(sender({ type: "outbound-rtp", targetBitrate: 0 }))).toBeNull();
  });
});
