/** The five standings of a calibration, and that age counts only once the chart is out of view. */

import { describe, expect, it } from "vitest";

import type { CalibrationView } from "../wire/messages";
import { OUTDATED_AFTER_S, standingOf } from "./calibration_standing";

const MEASURED = Date.parse("2026-03-01T10:00:00Z");

function calibration(
  grade: "good" | "usable" | "refuse",
  inView: boolean,
  decoder: CalibrationView["decoder"] = "unmeasured",
  outdated: CalibrationView["outdated"] = null,
): CalibrationView {
  return {
    outdated,
    publication_id: "camera-1",
    measured_at: new Date(MEASURED).toISOString(),
    in_view: inView,
    decoder,
    report: {
      grade,
      layout: "classic",
      residual_de00: 0.9,
      raw_de00: 9.1,
      expected_de00: 1.6,
      expected_de00_low: 1.1,
      expected_de00_high: 2.2,
      clipped_patches: [],
      dropped_patches: [],
      illuminant_xy: [0.35, 0.36],
      illuminant_cct_k: 4800,
      scale_mm_per_px: 0.21,
      scale_low_mm_per_px: 0.19,
      scale_high_mm_per_px: 0.24,
      reference: "consult card, batch 7, measured spectra",
      words_en: "Good.",
      words_zh: "良好。",
    },
  };
}

describe("a picture", () => {
  it("is uncalibrated, for conversation, until there is a calibration of that very camera", () => {
    for (const standing of [
      standingOf(null, "camera-1", MEASURED),
      standingOf(calibration("good", true), "camera-2", MEASURED),
      standingOf(calibration("good", true), null, MEASURED),
    ]) {
      expect(standing).toEqual({
        standing: "uncalibrated",
        purpose: "conversation",
        report: null,
        ageS: null,
        decoder: "unmeasured",
        changed: null,
        applies: false,
      });
    }
  });

  it("is diagnostic when good, for orientation when usable", () => {
    expect(standingOf(calibration("good", true), "camera-1", MEASURED + 12_400)).toMatchObject({
      standing: "good",
      purpose: "diagnostic",
      ageS: 12,
      applies: true,
    });
    expect(standingOf(calibration("usable", true), "camera-1", MEASURED)).toMatchObject({
      standing: "usable",
      purpose: "orientation",
    });
  });

  it.each(["color", "exposure"] as const)("is outdated at once when the %s has changed, and keeps the last correction", (changed) => {
    expect(standingOf(calibration("good", false, "unmeasured", changed), "camera-1", MEASURED)).toMatchObject({
      standing: "outdated",
      purpose: "conversation",
      changed,
      applies: true,
    });
  });

  it("is shown raw when another camera has taken over, for a correction is one camera's", () => {
    expect(standingOf(calibration("usable", false, "unmeasured", "camera"), "camera-1", MEASURED)).toMatchObject({
      standing: "outdated",
      changed: "camera",
      applies: false,
    });
  });

  it("is shown raw when the calibration was refused, however fresh", () => {
    expect(standingOf(calibration("refuse", true), "camera-1", MEASURED)).toMatchObject({
      standing: "refused",
      purpose: "conversation",
      applies: false,
    });
  });

  it("is shown raw when this browser's colors cannot be explained, and corrected when they are undone", () => {
    expect(standingOf(calibration("good", true, "unexplained"), "camera-1", MEASURED)).toMatchObject({
      standing: "refused",
      purpose: "conversation",
      applies: false,
      decoder: "unexplained",
    });
    for (const decoder of ["unmeasured", "agrees", "corrected"] as const)
      expect(standingOf(calibration("good", true, decoder), "camera-1", MEASURED)).toMatchObject({
        standing: "good",
        applies: true,
        decoder,
      });
  });

  it("is outdated when the chart left the view too long ago, and not while it is seen", () => {
    const later = MEASURED + (OUTDATED_AFTER_S + 1) * 1000;
    expect(standingOf(calibration("good", false), "camera-1", later)).toMatchObject({
      standing: "outdated",
      purpose: "conversation",
      applies: true,
    });
    expect(standingOf(calibration("good", true), "camera-1", later).standing).toBe("good");
    expect(standingOf(calibration("good", false), "camera-1", later - 2000).standing).toBe("good");
  });

  it("never has a negative age when clocks differ", () => {
    expect(standingOf(calibration("good", true), "camera-1", MEASURED - 5000).ageS).toBe(0);
  });
});
