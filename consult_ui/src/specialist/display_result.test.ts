import { describe, expect, it } from "vitest";

import type { DisplayCheckView } from "../wire/messages";
import { checkToTell, HOLDS_FOR_MS } from "./display_result";

const NOW_MS = Date.parse("2026-03-04T10:00:00Z");
const result = { gamut: "p3", steps_apart: true, found_ms: NOW_MS - 90_000 } as const;
const known = (checked_at: string): DisplayCheckView => ({ gamut: "srgb", steps_apart: false, checked_at });

describe("checkToTell", () => {
  it("tells an earlier check with its age", () => {
    expect(checkToTell(result, null, NOW_MS)).toEqual({ gamut: "p3", steps_apart: true, age_s: 90 });
    expect(checkToTell(result, known("2026-03-04T09:00:00Z"), NOW_MS)?.age_s).toBe(90);
  });

  it("tells nothing where there is nothing, or nothing newer, or nothing that still holds", () => {
    expect(checkToTell(null, null, NOW_MS)).toBeNull();
    expect(checkToTell(result, known("2026-03-04T09:59:00Z"), NOW_MS)).toBeNull();
    expect(checkToTell(result, known("2026-03-04T09:58:30Z"), NOW_MS)).toBeNull();
    expect(checkToTell({ ...result, found_ms: NOW_MS - HOLDS_FOR_MS - 1 }, null, NOW_MS)).toBeNull();
  });

  it("never tells of the future", () => {
    expect(checkToTell({ ...result, found_ms: NOW_MS + 5_000 }, null, NOW_MS)?.age_s).toBe(0);
  });
});
