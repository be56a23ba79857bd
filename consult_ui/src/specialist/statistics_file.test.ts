/** What leaves the page as a file. */

import { describe, expect, it } from "vitest";

import { statisticsFile } from "./statistics_file";

describe("statisticsFile", () => {
  const relay = { publications: [], subscriptions: [], paths: [] };
  const taken_at = new Date("2026-03-01T09:30:15.250Z");

  it("is named after its moment, and holds all numbers under ids", () => {
    const page = { rtt_ms: 20, relayed: false, sending: [], receiving: [] };
    const file = statisticsFile("c1", "p1", { taken_at, relay, page });
    expect(file.name).toBe("truehue-statistics-2026-03-01T09-30-15Z.json");
    expect(JSON.parse(file.text)).toEqual({
      taken_at: "2026-03-01T09:30:15.250Z",
      consultation_id: "c1",
      relay,
      page: { participant_id: "p1", ...page },
    });
  });

  it("says null for a page without a connection", () => {
    const file = statisticsFile("c1", "p1", { taken_at, relay, page: null });
    expect(JSON.parse(file.text)).toMatchObject({ page: null });
  });
});
