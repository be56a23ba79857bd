/** Sends a still: tus 1.0.0 in chunks, resumed after any error; the same bytes chosen again go on where they stopped. */

import type { UploadRequest, UploadView } from "../wire/messages";
import { ApiError, request } from "./api";
import type { Still } from "./still";
import { afterFailure, nextChunk } from "./upload_plan";

const PROTOCOL = { "Tus-Resumable": "1.0.0" };

export interface UploadOptions {
  readonly purpose: UploadRequest["purpose"];
  /** consultation_id of a snapshot, referral_id of a referral photo. */
  readonly ownerId: string;
  readonly captureId?: string;
  readonly onProgress?: (sent_bytes: number, size_bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** What the upload needs of its surroundings; tests give their own. */
export interface UploadSurroundings {
  readonly send: (path: string, init: RequestInit) => Promise<Response>;
  readonly pause: (duration_ms: number) => Promise<void>;
  /** Remembers an upload's address for as long as the tab lives; it holds no patient data. */
  readonly memory: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
}

function tabMemory(): UploadSurroundings["memory"] {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

const browserSurroundings = (): UploadSurroundings => ({
  send: request,
  pause: (duration_ms) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, duration_ms);
      window.addEventListener("online", done);
    }),
  memory: tabMemory(),
});

/** SHA-256 in lower-case hex, or null where the browser cannot (no secure context). */
export async function sha256Hex(bytes: Blob): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await bytes.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Send a still whole; resolves with the snapshot it became. Rejects with ApiError: the server's refusal, or "upload.interrupted" after many attempts. */
export async function uploadStill(
  still: Still,
  options: UploadOptions,
  { send, pause, memory }: UploadSurroundings = browserSurroundings(),
): Promise<UploadView> {
  const size_bytes = still.bytes.size;
  const sha256 = await sha256Hex(still.bytes);
  const remembered = sha256 === null ? null : `truehue.upload.${options.ownerId}.${options.captureId ?? ""}.${sha256}`;
  const call = (path: string, init: RequestInit): Promise<Response> => send(path, { ...init, signal: options.signal ?? null });

  const create = async (): Promise<UploadView> => {
    const wish: UploadRequest = {
      purpose: options.purpose,
      owner_id: options.ownerId,
      size_bytes,
      media_type: still.bytes.type || "application/octet-stream",
      method: still.method,
      capture_id: options.captureId ?? null,
      sha256,
      taken_at: still.takenAt,
      device: still.device,
      settings: still.settings,
    };
    const response = await call("/api/uploads", {
      method: "POST",
      headers: { ...PROTOCOL, "Content-Type": "application/json" },
      body: JSON.stringify(wish),
    });
    const view = (await response.json()) as UploadView;
    if (remembered !== null) memory?.setItem(remembered, view.upload_id);
    return view;
  };
  const path = (upload_id: string): string => `/api/uploads/${upload_id}`;

  const known = remembered === null ? null : (memory?.getItem(remembered) ?? null);
  let view: UploadView | null =
    known === null ? null : { upload_id: known, offset_bytes: 0, size_bytes, snapshot_id: null };
  let offsetKnown = view === null;
  let failures = 0;
  let begunAgain = false;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      if (view === null) {
        view = await create();
        offsetKnown = true;
      } else if (!offsetKnown) {
        const head = await call(path(view.upload_id), { method: "HEAD", headers: PROTOCOL });
        view = { ...view, offset_bytes: offsetOf(head), snapshot_id: head.headers.get("Snapshot-Id") };
        offsetKnown = true;
      }
      options.onProgress?.(view.offset_bytes, size_bytes);
      const chunk = nextChunk(view.offset_bytes, size_bytes);
      if (chunk === null) {
        if (remembered !== null) memory?.removeItem(remembered);
        return view;
      }
      const response = await call(path(view.upload_id), {
        method: "PATCH",
        headers: {
          ...PROTOCOL,
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(chunk.start),
        },
        body: still.bytes.slice(chunk.start, chunk.end),
      });
      view = { ...view, offset_bytes: offsetOf(response), snapshot_id: response.headers.get("Snapshot-Id") };
      failures = 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const next = afterFailure(error.status, failures, begunAgain);
      if (next.action === "give_up") {
        const refused = error.status !== 0 && error.status < 500;
        if (refused && remembered !== null) memory?.removeItem(remembered);
        throw error.status === 0 ? new ApiError("upload.interrupted", error.message, 0) : error;
      }
      failures += 1;
      if (next.action === "begin_again") {
        begunAgain = true;
        view = null;
        continue;
      }
      if (view !== null) offsetKnown = false;
      await pause(next.pause_ms);
    }
  }
}

function offsetOf(response: Response): number {
  const offset_bytes = Number(response.headers.get("Upload-Offset") ?? Number.NaN);
  if (!Number.isSafeInteger(offset_bytes) || offset_bytes < 0)
    throw new ApiError("upload.protocol", "The server did not say where the upload stands.", response.status);
  return offset_bytes;
}
