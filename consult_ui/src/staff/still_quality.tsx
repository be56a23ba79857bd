/** What a still is good for: its verdict in a shape and words, its one instruction, and the numbers behind it. */

import type { JSX } from "preact";

import { formatNumber, language, t } from "../lib/i18n";
import type { SnapshotView, StillQualityView } from "../wire/messages";
import { GradeShape } from "./grade_shape";

const SHAPE = { accept: "good", not_measurable: "usable", retake: "refuse" } as const;

/** The verdict in one short line; nothing for a picture that was not judged. */
export function QualityMark({ snapshot }: { snapshot: SnapshotView }): JSX.Element | null {
  const { quality } = snapshot;
  if (!quality) return null;
  const shape = SHAPE[quality.verdict];
  return (
    <span class={`mark mark-${shape}`}>
      <GradeShape grade={shape} />
      {t(`quality.${quality.verdict}`)}
    </span>
  );
}

/** What to tell the patient, or what the picture is not for. */
export function qualityWords(quality: StillQualityView): string {
  return language.value === "zh" ? quality.words_zh : quality.words_en;
}

/** "edges 2.4 px (0.12 mm) · 20 px/mm · 12° · 1.3 % glare", each where it is known. */
export function qualityFigures(quality: StillQualityView): string {
  const { blur_px, blur_mm, px_per_mm, tilt_deg, glare_share, overexposed_share, brightness } = quality;
  const number = (value: number, digits: number): string => formatNumber(value, { maximumFractionDigits: digits });
  const share = (value: number): string => formatNumber(value, { style: "percent", maximumFractionDigits: 1 });
  const parts = [
    blur_px !== null && t("quality.edges", { px: number(blur_px, 1) }),
    blur_mm !== null && t("quality.edges_mm", { mm: number(blur_mm, 2) }),
    px_per_mm !== null && t("quality.scale", { px: number(px_per_mm, 1) }),
    tilt_deg !== null && t("quality.tilt", { degrees: number(tilt_deg, 0) }),
    t("quality.brightness", { share: share(brightness) }),
    overexposed_share > 0 && t("quality.overexposed", { share: share(overexposed_share) }),
    glare_share > 0 && t("quality.glare", { share: share(glare_share) }),
  ];
  return parts.filter((part) => part !== false).join(" · ");
}
