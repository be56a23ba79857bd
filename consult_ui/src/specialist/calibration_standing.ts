/** How far the color of the picture on the stage may be trusted at this moment. Pure: the clock is an input. */

import type { CalibrationReportView, CalibrationView, DecoderName } from "../wire/messages";

export type Standing = "uncalibrated" | "good" | "usable" | "refused" | "outdated";

/** diagnostic: fit to judge color by; orientation: fit to find what to photograph; else only to talk. */
export type Purpose = "diagnostic" | "orientation" | "conversation";

export interface CalibrationStanding {
  readonly standing: Standing;
  readonly purpose: Purpose;
  readonly report: CalibrationReportView | null;
  readonly ageS: number | null;
  /** What is known of the colors that this browser itself shows. */
  readonly decoder: DecoderName;
  /** What has changed since it was measured, where that is known and makes it outdated. */
  readonly changed: CalibrationView["outdated"];
  /** The correction is shown: never one that colorcal refused, or that was made for other colors or another camera. */
  readonly applies: boolean;
}

/** A chart that has left the view says nothing of the light two minutes later: phones move, lamps change. */
export const OUTDATED_AFTER_S = 120;

const PURPOSE: Readonly<Record<Standing, Purpose>> = {
  good: "diagnostic",
  usable: "orientation",
  refused: "conversation",
  outdated: "conversation",
  uncalibrated: "conversation",
};

export function standingOf(
  calibration: CalibrationView | null,
  publicationId: string | null,
  serverNowMs: number,
): CalibrationStanding {
  if (!calibration || calibration.publication_id !== publicationId) {
    return {
      standing: "uncalibrated",
      purpose: "conversation",
      report: null,
      ageS: null,
      decoder: "unmeasured",
      changed: null,
      applies: false,
    };
  }
  const { report, decoder } = calibration;
  const ageS = Math.max(0, Math.floor((serverNowMs - Date.parse(calibration.measured_at)) / 1000));
  const standing = standingFor(calibration, ageS);
  const changed = standing === "refused" ? null : calibration.outdated;
  const applies = standing !== "refused" && changed !== "camera";
  return { standing, purpose: PURPOSE[standing], report, ageS, decoder, changed, applies };
}

function standingFor({ report, decoder, in_view, outdated }: CalibrationView, ageS: number): Standing {
  if (report.grade === "refuse" || decoder === "unexplained") return "refused";
  if (outdated || (ageS > OUTDATED_AFTER_S && !in_view)) return "outdated";
  return report.grade;
}
