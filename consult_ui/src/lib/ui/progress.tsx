/** Progress with numbers: a bar, and the same in words. */

import type { JSX } from "preact";
import { formatBytes, formatNumber, t } from "../i18n";

interface ProgressProps {
  /** What is under way; names the bar. */
  readonly label: string;
  readonly done: number;
  /** Zero or less while the whole is not known. */
  readonly total: number;
  readonly unit?: "bytes" | "number";
}

export function Progress({ label, done, total, unit = "bytes" }: ProgressProps): JSX.Element {
  const words = unit === "bytes" ? formatBytes : formatNumber;
  const percent = total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : null;
  return (
    <div class="progress">
      <span class="progress-words">
        {label}
        {" "}
        {percent === null ? t("progress.working") : t("progress.of", { done: words(done), total: words(total), percent })}
      </span>
      <progress class="progress-bar" aria-label={label} max={100} value={percent ?? undefined} />
    </div>
  );
}
