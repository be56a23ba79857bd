/** What is known of a snapshot, in words: how it was taken, and how far its color may be trusted. */

import type { JSX } from "preact";

import { formatBytes, formatDateTime, formatNumber, language, t } from "../lib/i18n";
import { Icon } from "../lib/ui/icons";
import type { SnapshotView } from "../wire/messages";
import { serverNowMs } from "./clock";
import { isBeingDerived, isVideoFrame, methodWords } from "./format";
import { GradeShape } from "./grade_shape";
import { QualityMark, qualityFigures, qualityWords } from "./still_quality";

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

export function SnapshotFacts({ snapshot }: { snapshot: SnapshotView }): JSX.Element {
  const report = snapshot.calibration;
  const { quality } = snapshot;
  return (
    <div class="facts">
      <p class="facts-standing">
        <SnapshotStanding snapshot={snapshot} /> <QualityMark snapshot={snapshot} />
      </p>
      {quality && <p class={quality.verdict === "retake" ? "facts-retake" : undefined}>{qualityWords(quality)}</p>}
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
        {quality && <Fact name={t("quality.title")}>{qualityFigures(quality)}</Fact>}
        <Fact name={t("snapshot.scale")}>
          {report?.scale_mm_per_px != null
            ? t("snapshot.scale_value", {
                mm: formatNumber(report.scale_mm_per_px, { maximumFractionDigits: 3 }),
                low: formatNumber(report.scale_low_mm_per_px ?? report.scale_mm_per_px, { maximumFractionDigits: 3 }),
                high: formatNumber(report.scale_high_mm_per_px ?? report.scale_mm_per_px, { maximumFractionDigits: 3 }),
              })
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
