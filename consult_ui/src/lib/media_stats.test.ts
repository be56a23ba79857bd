/** What a page says of its own call, from the browser's reports. */

import { describe, expect, it } from "vitest";

import { StatsReader } from "./media_stats";

const SOURCES = new Map([["0", "camera" as const]]);
const RECEIVED = new Map([["1", "publication-1"]]);
const PICTURE = {
  id: "in",
  type: "inbound-rtp",
  mid: "1",
  timestamp: 1_000,
  bytesReceived: 1_000,
  packetsReceived: 95,
  packetsLost: 5,
  framesPerSecond: 15,
  framesDecoded: 30,
  frameWidth: 1280,
  frameHeight: 720,
  jitter: 0.004,
  freezeCount: 2,
  totalFreezesDuration: 1.25,
};

describe("StatsReader", () => {
  it("gives rates since the reading before, and what the browser counts", () => {
    const reader = new StatsReader();
    expect(reader.read([PICTURE], SOURCES, RECEIVED).receiving[0]?.bitrate_bps).toBeNull();
    const later = { ...PICTURE, timestamp: 3_000, bytesReceived: 26_000 };
    expect(reader.read([later], SOURCES, RECEIVED).receiving).toEqual([
      {
        publication_id: "publication-1",
        bitrate_bps: 100_000,
        frame_rate: 15,
        width_px: 1280,
        height_px: 720,
        frames_decoded: 30,
        packets_received: 95,
        packets_lost: 5,
        jitter_ms: 4,
        freeze_count: 2,
        frozen_s: 1.25,
      },
    ]);
  });

  it("passes over streams of nobody, and takes a browser that counts no freezes for one without", () => {
    const plain = { ...PICTURE, freezeCount: undefined, totalFreezesDuration: undefined, jitter: undefined };
    const stats = new StatsReader().read([plain, { ...PICTURE, id: "other", mid: "7" }], SOURCES, RECEIVED);
    expect(stats.receiving).toHaveLength(1);
    expect(stats.receiving[0]).toMatchObject({ jitter_ms: 0, freeze_count: 0, frozen_s: 0 });
  });

  it("says what limits sending, the round trip, and whether a TURN server is between", () => {
    const stats = new StatsReader().read(
      [
        { id: "out", type: "outbound-rtp", mid: "0", timestamp: 0, bytesSent: 1, qualityLimitationReason: "cpu" },
        { id: "t", type: "transport", timestamp: 0, selectedCandidatePairId: "pair" },
        { id: "pair", type: "candidate-pair", timestamp: 0, currentRoundTripTime: 0.05, localCandidateId: "local" },
        { id: "local", type: "local-candidate", timestamp: 0, candidateType: "relay" },
      ],
      SOURCES,
      RECEIVED,
    );
    expect(stats).toMatchObject({ rtt_ms: 50, relayed: true });
    expect(stats.sending).toMatchObject([{ source: "camera", limited_by: "cpu" }]);
  });
});
