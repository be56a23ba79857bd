/** Original and corrected picture of a snapshot side by side; zoomed, they scroll together. */

import type { JSX } from "preact";

import { formatTime, t } from "../lib/i18n";
import type { SnapshotView } from "../wire/messages";
import { serverNowMs } from "./clock";
import { hasCorrected, isBeingDerived, pictureUrl, rawPictureUrl } from "./format";

/** Original and corrected side by side, as figures with their words. */
export function PicturePair({ snapshot, zoomed = false }: { snapshot: SnapshotView; zoomed?: boolean }): JSX.Element {
  const name = t("snapshots.one", { time: formatTime(snapshot.taken_at) });
  return (
    <div class={`pair${zoomed ? " pair-zoomed" : ""}`} onScrollCapture={zoomed ? scrollTogether : undefined}>
      <figure>
        <figcaption>{t("picture.original")}</figcaption>
        <div class="pair-picture" tabIndex={zoomed ? 0 : undefined} role={zoomed ? "group" : undefined} aria-label={zoomed ? t("picture.original") : undefined}>
          <img src={rawPictureUrl(snapshot)} alt={t("picture.original_of", { name })} loading="lazy" />
        </div>
      </figure>
      <figure>
        <figcaption>{t("picture.corrected")}</figcaption>
        {hasCorrected(snapshot) ? (
          <div class="pair-picture" tabIndex={zoomed ? 0 : undefined} role={zoomed ? "group" : undefined} aria-label={zoomed ? t("picture.corrected") : undefined}>
            <img src={pictureUrl(snapshot, "corrected")} alt={t("picture.corrected_of", { name })} loading="lazy" />
          </div>
        ) : (
          <p class="pair-none">{isBeingDerived(snapshot, serverNowMs()) ? t("picture.pending") : t("picture.no_corrected")}</p>
        )}
      </figure>
    </div>
  );
}

/** The same place of both pictures stays in view. */
function scrollTogether(event: Event): void {
  const moved = event.target as HTMLElement;
  const pair = event.currentTarget as HTMLElement;
  for (const other of pair.querySelectorAll<HTMLElement>(".pair-picture")) {
    if (other === moved) continue;
    if (other.scrollLeft !== moved.scrollLeft) other.scrollLeft = moved.scrollLeft;
    if (other.scrollTop !== moved.scrollTop) other.scrollTop = moved.scrollTop;
  }
}
