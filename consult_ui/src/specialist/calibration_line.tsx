/** How far the live color may be trusted: in words, a shape and numbers, with its age ticking. */

import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";

import { formatNumber, language, t } from "../lib/i18n";
import { announce } from "../lib/ui/live_region";
import { formatDuration } from "../staff/format";
import { GradeShape } from "../staff/grade_shape";
import type { Purpose, Standing } from "./calibration_standing";
import type { Desk } from "./desk_state";

const SHAPE = { good: "good", usable: "usable", refused: "refuse", outdated: "outdated", uncalibrated: "none" } as const;

export function CalibrationLine({ desk }: { desk: Desk }): JSX.Element | null {
  useEffect(() => announceChanges(desk), [desk]);
  if (!desk.onStage.value) return null;
  const { standing, report, ageS, decoder, changed } = desk.standing.value;
  const { purpose, reasons, contrastKept } = desk.purpose.value;
  const words = language.value === "zh" ? report?.words_zh : report?.words_en;
  return (
    <div class={`calibration calibration-${standing}`} role="group" aria-label={t("calibration.title")}>
      <p class="calibration-facts">
        <span class={`mark mark-${SHAPE[standing]}`}>
          <GradeShape grade={SHAPE[standing]} />
          <strong>{t(`calibration.${standing}`)}</strong>
        </span>
        {report && (
          <span class="figure" title={t("calibration.expected", range(report.expected_de00_low, report.expected_de00_high))}>
            ΔE {oneDecimal(report.expected_de00)}
          </span>
        )}
        {ageS !== null && (
          <span class="figure">{ageS < 1 ? t("calibration.now") : t("calibration.age", { age: formatDuration(ageS) })}</span>
        )}
        {(decoder === "agrees" || decoder === "corrected") && <span>{t(`calibration.${decoder}`)}</span>}
        <strong>{t(`purpose.${purpose}`)}</strong>
      </p>
      {reasons.length > 0 && (
        <p class="calibration-reasons">
          {reasons.map((reason) => t(`fidelity.${reason}`, { kept: Math.round((contrastKept ?? 0) * 100) })).join(" ")}{" "}
          {t("fidelity.take_still")}
        </p>
      )}
      {decoder === "unexplained" && <p>{t("calibration.unexplained")}</p>}
      {changed && <p class="calibration-reasons">{t(`calibration.changed_${changed}`)}</p>}
      {words && !changed ? <p class="quiet">{words}</p> : <p class="quiet">{t("calibration.how")}</p>}
    </div>
  );
}

function range(low: number, high: number): Record<string, string> {
  return { low: oneDecimal(low), high: oneDecimal(high) };
}

function oneDecimal(value: number): string {
  return formatNumber(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** A change of standing or purpose is said aloud; a ticking age is not. */
function announceChanges(desk: Desk): () => void {
  let last: readonly [Standing, Purpose] | null = null;
  return effect(() => {
    const { standing } = desk.standing.value;
    const { purpose } = desk.purpose.value;
    if (last !== null && (standing !== last[0] || purpose !== last[1]))
      announce(t("calibration.said", { standing: t(`calibration.${standing}`), purpose: t(`purpose.${purpose}`) }));
    last = [standing, purpose];
  });
}
