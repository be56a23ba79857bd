/** What a resumable upload does next, as pure functions: chunks, and what to do after a failure. */

/** Small enough that a lost connection costs a second, large enough that round trips do not dominate. */
export const CHUNK_BYTES = 256 * 1024;

/** Failures in a row, without a byte of progress, before the upload gives up. */
export const PATIENCE = 8;

/** The next bytes to send, or null when all have arrived. */
export function nextChunk(offset_bytes: number, size_bytes: number): { start: number; end: number } | null {
  if (offset_bytes >= size_bytes) return null;
  return { start: offset_bytes, end: Math.min(offset_bytes + CHUNK_BYTES, size_bytes) };
}

export type AfterFailure =
  | { readonly action: "resume"; readonly pause_ms: number }
  | { readonly action: "begin_again" }
  | { readonly action: "give_up" };

/** A lost connection, a timeout, a busy server or a wrong offset: it passes by itself. */
function isPassing(status: number): boolean {
  return status === 0 || status === 408 || status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/**
 * Resume where the server says it stands after what passes by itself; begin again once when the server no longer
 * knows the upload; give up when the server refuses the bytes or its disk is full.
 */
export function afterFailure(status: number, failuresInARow: number, begunAgain: boolean): AfterFailure {
  if (status === 404 || status === 410) return begunAgain ? { action: "give_up" } : { action: "begin_again" };
  if (!isPassing(status) || failuresInARow >= PATIENCE) return { action: "give_up" };
  return { action: "resume", pause_ms: status === 409 ? 0 : Math.min(8_000, 250 * 2 ** failuresInARow) };
}

/** Whether the very same bytes may yet be taken, once a person tries again: room is made, or they arrive undamaged. */
export function isWorthAnotherTry(status: number): boolean {
  return isPassing(status) || status === 507 || status === 460;
}
