/** One snapshot, original and corrected side by side with what is known of it; the live picture stays in view. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { pictureUrl } from "../staff/format";
import { PicturePair } from "../staff/picture_pair";
import { SnapshotFacts } from "../staff/snapshot_facts";
import type { SnapshotView } from "../wire/messages";
import type { Desk } from "./desk_state";

export function Viewer({ desk, snapshots }: { desk: Desk; snapshots: readonly SnapshotView[] }): JSX.Element | null {
  const [zoomed, setZoomed] = useState(false);
  const section = useRef<HTMLElement>(null);
  const at = snapshots.findIndex((one) => one.snapshot_id === desk.shown.value);
  const snapshot = snapshots[at];
  useEffect(() => {
    section.current?.focus({ preventScroll: true });
    section.current?.scrollIntoView({ block: "start" });
  }, [snapshot?.snapshot_id]);
  if (!snapshot) return null;
  return (
    <section class="viewer" ref={section} tabIndex={-1} aria-label={t("viewer.title")}>
      <div class="viewer-bar">
        <Button icon="arrow_left" label={t("viewer.previous")} disabled={at === 0} onClick={() => desk.showNext(-1)} />
        <span class="figure">{t("viewer.at", { number: at + 1, total: snapshots.length })}</span>
        <Button icon="arrow_right" label={t("viewer.next")} disabled={at === snapshots.length - 1} onClick={() => desk.showNext(1)} />
        <Button pressed={zoomed} onClick={() => setZoomed(!zoomed)}>
          {t("viewer.zoom")}
        </Button>
        <a class="button button-quiet" href={pictureUrl(snapshot, "original")} target="_blank" rel="noopener">
          {t("viewer.original_file")}
        </a>
        <Button
          class="viewer-close"
          icon="close"
          shortcut="Escape"
          label={t("viewer.close")}
          onClick={() => {
            desk.shown.value = null;
          }}
        />
      </div>
      <PicturePair snapshot={snapshot} zoomed={zoomed} />
      <SnapshotFacts snapshot={snapshot} />
    </section>
  );
}
