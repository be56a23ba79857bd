/** Sending a referral and its photos: what has arrived stays, what has not can be sent again. */

import { signal } from "@preact/signals";

import { sendJson } from "../lib/api";
import { stillFromFile } from "../lib/still";
import { uploadStill } from "../lib/upload";
import type { ReferralRequest, ReferralView } from "../wire/messages";
import type { ChosenPhoto } from "./photos";

export type SendingStep =
  | { readonly phase: "idle" }
  | { readonly phase: "referral" }
  | { readonly phase: "photo"; readonly number: number; readonly count: number; readonly sentBytes: number; readonly sizeBytes: number }
  | { readonly phase: "failed"; readonly error: unknown; readonly referralSent: boolean; readonly photosLeft: number }
  | { readonly phase: "sent"; readonly referral: ReferralView };

export class Sending {
  readonly step = signal<SendingStep>({ phase: "idle" });
  private referral: ReferralView | null = null;
  private readonly sent = new Set<string>();

  /** Goes on where an earlier attempt stopped: a referral is never sent twice. */
  async send(request: ReferralRequest, photos: readonly ChosenPhoto[]): Promise<void> {
    try {
      this.step.value = { phase: "referral" };
      this.referral ??= await sendJson<ReferralView>("POST", "/api/referrals", request);
      for (const [i, photo] of photos.entries()) {
        if (this.sent.has(photo.key)) continue;
        const tell = (sentBytes: number) => {
          this.step.value = { phase: "photo", number: i + 1, count: photos.length, sentBytes, sizeBytes: photo.file.size };
        };
        tell(0);
        await uploadStill(stillFromFile(photo.file), {
          purpose: "referral_photo",
          ownerId: this.referral.referral_id,
          onProgress: tell,
        });
        this.sent.add(photo.key);
      }
      this.step.value = { phase: "sent", referral: this.referral };
    } catch (error) {
      const photosLeft = photos.filter((photo) => !this.sent.has(photo.key)).length;
      this.step.value = { phase: "failed", error, referralSent: this.referral !== null, photosLeft };
    }
  }
}
