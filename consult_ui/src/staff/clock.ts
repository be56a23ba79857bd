/** One ticking second for everything that shows an age or a wait, in the server's time. */

import { signal } from "@preact/signals";

/** Local milliseconds since the epoch, renewed once a second while the page is open. */
export const localNowMs = signal(Date.now());
setInterval(() => {
  localNowMs.value = Date.now();
}, 1000);

/** How far the server's clock is ahead of this one; from the newest message that carried its time. */
const aheadMs = signal(0);

export function setServerTime(serverTime: string): void {
  const ahead = Date.parse(serverTime) - Date.now();
  // Transit time makes every reading a little late; only a real difference of clocks is worth a jump.
  if (Number.isFinite(ahead) && Math.abs(ahead - aheadMs.peek()) > 500) aheadMs.value = ahead;
}

export function serverNowMs(): number {
  return localNowMs.value + aheadMs.value;
}
