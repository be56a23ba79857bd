/** Keeps the screen on while somebody waits or talks; given back by itself when the page is hidden. */

let wanted = false;
let held: WakeLockSentinel | null = null;

async function request(): Promise<void> {
  if (!wanted || held || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
  try {
    held = await navigator.wakeLock.request("screen");
    held.addEventListener("release", () => {
      held = null;
    });
    if (!wanted) await held.release();
  } catch {
    // A low battery may forbid it; the call goes on.
  }
}

if (typeof document !== "undefined") document.addEventListener("visibilitychange", () => void request());

export function keepScreenOn(on: boolean): void {
  wanted = on;
  if (on) void request();
  else void held?.release();
}
