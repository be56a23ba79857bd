/** The snapshots of this consultation as a strip, newest first; pressing one opens it in the viewer. */

import type { JSX } from "preact";

import { formatTime, t } from "../lib/i18n";
import { serverNowMs } from "../staff/clock";
import { isBeingDerived, isVideoFrame, thumbnailUrl } from "../staff/format";
import { GradeShape } from "../staff/grade_shape";
import { qualityWords } from "../staff/still_quality";
import type { SnapshotView } from "../wire/messages";
import type { Desk } from "./desk_state";

export function SnapshotStrip({ desk, snapshots }: { desk: Desk; snapshots: readonly SnapshotView[] }): JSX.Element {
  if (snapshots.length === 0) return <p class="quiet">{t("snapshots.none")}</p>;
  const latest = snapshots[0]?.quality;
  return (
    <>
      {latest?.verdict === "retake" && (
        <p class="facts-retake" role="status">
          {qualityWords(latest)}
        </p>
      )}
      <Strip desk={desk} snapshots={snapshots} />
    </>
  );
}

function Strip({ desk, snapshots }: { desk: Desk; snapshots: readonly SnapshotView[] }): JSX.Element {
  return (
    <ul class="strip">
      {snapshots.map((snapshot) => (
        <li key={snapshot.snapshot_id}>
          <button
            type="button"
            class="strip-item"
            aria-pressed={desk.shown.value === snapshot.snapshot_id}
            aria-label={describe(snapshot)}
            onClick={() => {
              desk.shown.value = desk.shown.value === snapshot.snapshot_id ? null : snapshot.snapshot_id;
            }}
          >
            <img src={thumbnailUrl(snapshot)} alt="" loading="lazy" />
            <span class="strip-words">
              <GradeShape grade={snapshot.calibration?.grade ?? "none"} />
              {formatTime(snapshot.taken_at)} · {gradeWords(snapshot)}
            </span>
            {isVideoFrame(snapshot) && <span class="strip-frame">{t("snapshot.video_frame")}</span>}
            {needsRetake(snapshot) && <span class="strip-frame">{t("quality.retake")}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function gradeWords(snapshot: SnapshotView): string {
  if (snapshot.calibration) return t(`grade.${snapshot.calibration.grade}`);
  return isBeingDerived(snapshot, serverNowMs()) ? t("grade.pending") : t("grade.none");
}

function needsRetake({ quality }: SnapshotView): boolean {
  return quality?.verdict === "retake";
}

function describe(snapshot: SnapshotView): string {
  const parts = [
    t("snapshots.one", { time: formatTime(snapshot.taken_at) }),
    gradeWords(snapshot),
    ...(isVideoFrame(snapshot) ? [t("snapshot.video_frame")] : []),
    ...(needsRetake(snapshot) ? [t("quality.retake")] : []),
  ];
  return parts.join(t("list.comma"));
}
