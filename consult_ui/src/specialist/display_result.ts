/** What the specialist found of this display: it goes with every consultation that is opened while it holds. */

import { effect, signal } from "@preact/signals";

import { sendJson } from "../lib/api";
import type { StaffCall } from "../staff/call";
import type { DisplayCheckRequest, DisplayCheckView } from "../wire/messages";

/** Rooms darken and screens are swapped: after a working day one looks again. */
export const HOLDS_FOR_MS = 12 * 3_600_000;

export interface DisplayResult {
  readonly gamut: DisplayCheckRequest["gamut"];
  readonly steps_apart: boolean;
  readonly found_ms: number;
}

export const displayResult = signal<DisplayResult | null>(null);

/** What to tell a consultation, or null when the result is too old or the consultation has one that is newer. */
export function checkToTell(
  result: DisplayResult | null,
  known: DisplayCheckView | null,
  now_ms: number,
): DisplayCheckRequest | null {
  if (result === null || now_ms - result.found_ms > HOLDS_FOR_MS) return null;
  const age_s = Math.max(0, Math.round((now_ms - result.found_ms) / 1000));
  // The server counts in its own clock and in whole seconds.
  if (known !== null && Date.parse(known.checked_at) > result.found_ms - 2_000) return null;
  return { gamut: result.gamut, steps_apart: result.steps_apart, age_s };
}

/** Tell an open consultation of each result; returns how to stop. */
export function tellDisplayResults(call: StaffCall): () => void {
  let told: DisplayResult | null = null;
  return effect(() => {
    const result = displayResult.value;
    const detail = call.detail.value;
    if (detail === null || result === told) return;
    const check = checkToTell(result, detail.display_check, Date.now());
    told = result;
    if (check === null) return;
    sendJson("PUT", `/api/consultations/${call.consultationId}/display-check`, check).then(
      () => call.readDetail(),
      (error: unknown) => {
        call.error.value = error;
      },
    );
  });
}
