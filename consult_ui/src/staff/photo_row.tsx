/** The photos that came with a referral, in a row; where asked, each opens whole on a page of its own. */

import type { JSX } from "preact";

import { t } from "../lib/i18n";
import type { ReferralView } from "../wire/messages";
import { rawPictureUrl, thumbnailUrl } from "./format";

export function PhotoRow({ photos, open = false }: Pick<ReferralView, "photos"> & { open?: boolean }): JSX.Element | null {
  if (photos.length === 0) return null;
  return (
    <ul class="thumbs">
      {photos.map((photo, i) => {
        const picture = <img src={thumbnailUrl(photo)} alt={t("referral.photo", { number: i + 1 })} loading="lazy" />;
        return (
          <li key={photo.snapshot_id}>
            {open ? (
              <a href={rawPictureUrl(photo)} target="_blank" rel="noopener">
                {picture}
              </a>
            ) : (
              picture
            )}
          </li>
        );
      })}
    </ul>
  );
}
