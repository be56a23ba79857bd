/** One ticking second for everything that shows an age or a wait, in the server's time. */

import { signal } from "@preact/signals";

/** Local milliseconds since the epoch, renewed once a second while the page is open. */
export const localNowMs = signal(Date.now());
setInterval(() => {
  localNowMs.value = Date.now();
}, 1000);

/** How far the server's clock is ahead of this one; null until a message carried its time. */
const aheadMs = signal<number | null>(null);

/**
 * Every reading is late by its transit, never early: the largest is the best. So a slow page or network cannot
 * make an old calibration look fresh.
 */
export function setServerTime(serverTime: string): void {
  const ahead = Date.parse(serverTime) - Date.now();
  if (Number.isFinite(ahead) && ahead > (aheadMs.peek() ?? Number.NEGATIVE_INFINITY)) aheadMs.value = ahead;
}

export function serverNowMs(): number {
  return localNowMs.value + (aheadMs.value ?? 0);
}
