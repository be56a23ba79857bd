/** Color and picture together make a live picture diagnostic; what is not measured is not. */

import { describe, expect, it } from "vitest";

import type { FidelityView } from "../wire/messages";
import { purposeOf } from "./picture_purpose";

const GOOD: FidelityView = { publication_id: "camera-1", purpose: "diagnostic", reasons: [], contrast_kept: 0.85 };
const COARSE: FidelityView = { publication_id: "camera-1", purpose: "conversation", reasons: ["coarse"], contrast_kept: 0.4 };

describe("a live picture", () => {
  it("is as fit as its color where the picture itself is good", () => {
    for (const color of ["diagnostic", "orientation", "conversation"] as const)
      expect(purposeOf(color, GOOD, "camera-1")).toEqual({ purpose: color, reasons: [], contrastKept: 0.85 });
  });

  it("is for conversation, with the reason, where the picture is not", () => {
    expect(purposeOf("diagnostic", COARSE, "camera-1")).toEqual({
      purpose: "conversation",
      reasons: ["coarse"],
      contrastKept: 0.4,
    });
  });

  it("is for conversation until that very camera was measured", () => {
    const unknown = { purpose: "conversation", reasons: ["unmeasured"], contrastKept: null };
    expect(purposeOf("diagnostic", null, "camera-1")).toEqual(unknown);
    expect(purposeOf("diagnostic", GOOD, "camera-2")).toEqual(unknown);
    expect(purposeOf("diagnostic", GOOD, null)).toEqual(unknown);
  });
});
