/** What the live picture is fit for: its color and its picture have to be good, each by its own measure. Pure. */

import type { FidelityView } from "../wire/messages";
import type { Purpose } from "./calibration_standing";

export type FidelityReason = FidelityView["reasons"][number];

export interface PicturePurpose {
  readonly purpose: Purpose;
  /** Why the picture, its color apart, is for conversation only; empty when it is diagnostic. */
  readonly reasons: readonly FidelityReason[];
  /** Share of a small lesion's contrast that is left, where it is known. */
  readonly contrastKept: number | null;
}

/** A picture of which nothing is known yet is for conversation: diagnostic is what was measured to be. */
export function purposeOf(color: Purpose, fidelity: FidelityView | null | undefined, publicationId: string | null): PicturePurpose {
  if (!fidelity || fidelity.publication_id !== publicationId)
    return { purpose: "conversation", reasons: ["unmeasured"], contrastKept: null };
  const { reasons, contrast_kept: contrastKept } = fidelity;
  return { purpose: fidelity.purpose === "diagnostic" ? color : "conversation", reasons, contrastKept };
}
