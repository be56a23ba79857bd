/** What is known of a snapshot, in words: how it was taken, and how far its color may be trusted. */

import type { JSX } from "preact";

import { formatBytes, formatDateTime, formatNumber, language, t } from "../lib/i18n";
import { Icon } from "../lib/ui/icons";
import type { SnapshotView } from "../wire/messages";
import { serverNowMs } from "./clock";
import { isBeingDerived, isVideoFrame, methodWords } from "./format";

/** The color standing of a snapshot, in one short line. */
export function SnapshotStanding({ snapshot }: { snapshot: SnapshotView }): JSX.Element {
  const report = snapshot.calibration;
  return (
    <>
      {report ? (
        <span class={`mark mark-${report.grade}`}>
          <GradeShape grade={report.grade} />
          {t(`grade.${report.grade}`)} · ΔE {formatNumber(report.expected_de00, { maximumFractionDigits: 1 })}
        </span>
      ) : (
        <span class="mark mark-none">
          <GradeShape grade="none" />
          {t(isBeingDerived(snapshot, serverNowMs()) ? "grade.pending" : "grade.none")}
        </span>
      )}
      {isVideoFrame(snapshot) && <span class="mark mark-frame">{t("snapshot.video_frame")}</span>}
    </>
  );
}

/** A shape for each grade, so that nothing hangs on color. */
export function GradeShape({ grade }: { grade: "good" | "usable" | "refuse" | "outdated" | "none" }): JSX.Element {
  return (
    <svg class="grade-shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.8">
      {grade === "good" && <path d="M8 1.5a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM4.800 8.200l2.300 2.300 4.200-4.700" />}
      {grade === "usable" && (
        <>
          <circle cx="8" cy="8" r="6.500" />
          <path d="M8 1.500a6.500 6.500 0 0 1 0 13Z" fill="currentColor" stroke="none" />
        </>
      )}
      {grade === "refuse" && <path d="M8 1.800 1.200 14h13.600L8 1.800Zm0 4.700v3.700m0 1.500v.6" />}
      {grade === "outdated" && <path d="M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM8 4.200V8l2.700 1.800" stroke-dasharray="2.500 1.200" />}
      {grade === "none" && <circle cx="8" cy="8" r="6.500" stroke-dasharray="2.600 2.500" />}
    </svg>
  );
}

export function SnapshotFacts({ snapshot }: { snapshot: SnapshotView }): JSX.Element {
  const report = snapshot.calibration;
  return (
    <div class="facts">
      <p class="facts-standing">
        <SnapshotStanding snapshot={snapshot} />
      </p>
      {report && <p>{language.value === "zh" ? report.words_zh : report.words_en}</p>}
      {!report && !isBeingDerived(snapshot, serverNowMs()) && <p>{t("snapshot.uncalibrated")}</p>}
      {isVideoFrame(snapshot) && <p>{t("snapshot.video_frame_words")}</p>}
      {snapshot.has_location && (
        <p class="facts-warning">
          <Icon name="alert" />
          {t("snapshot.location")}
        </p>
      )}
      <dl>
        <Fact name={t("snapshot.taken")}>
          <time dateTime={snapshot.taken_at}>{formatDateTime(snapshot.taken_at)}</time>
        </Fact>
        <Fact name={t("snapshot.method")}>{methodWords(snapshot)}</Fact>
        <Fact name={t("snapshot.size")}>
          {snapshot.width_px} × {snapshot.height_px} px, {formatBytes(snapshot.size_bytes)}
        </Fact>
        {snapshot.device && <Fact name={t("snapshot.device")}>{snapshot.device}</Fact>}
        {report && (
          <Fact name={t("snapshot.calibration")}>
            {t("snapshot.report", {
              raw: formatNumber(report.raw_de00, { maximumFractionDigits: 1 }),
              residual: formatNumber(report.residual_de00, { maximumFractionDigits: 1 }),
              expected: formatNumber(report.expected_de00, { maximumFractionDigits: 1 }),
              low: formatNumber(report.expected_de00_low, { maximumFractionDigits: 1 }),
              high: formatNumber(report.expected_de00_high, { maximumFractionDigits: 1 }),
            })}
            {report.illuminant_cct_k !== null && ` ${t("snapshot.light", { kelvin: Math.round(report.illuminant_cct_k) })}`}
          </Fact>
        )}
        <Fact name={t("snapshot.scale")}>
          {report?.scale_mm_per_px != null
            ? t("snapshot.scale_value", { mm: formatNumber(report.scale_mm_per_px, { maximumFractionDigits: 3 }) })
            : t("snapshot.no_scale")}
        </Fact>
        <Fact name="SHA-256">
          <code class="hash">{snapshot.sha256}</code>
        </Fact>
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
