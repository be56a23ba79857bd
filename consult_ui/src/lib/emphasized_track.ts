/** A camera's track with its chroma stretched: what is sent, while the page itself goes on with the camera's own. */

import type { EmphasisOrder, EmphasisReport } from "./emphasis_worker";

// Chromium's names (mediacapture-transform); TypeScript's DOM does not have them.
declare const MediaStreamTrackProcessor:
  | (new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => { readonly readable: ReadableStream<VideoFrame> })
  | undefined;
declare const MediaStreamTrackGenerator:
  | (new (init: { kind: "video" }) => MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> })
  | undefined;

export interface EmphasizedTrack {
  readonly track: MediaStreamTrack;
  /** Send the camera, or black. */
  setEnabled(enabled: boolean): void;
  /** End it; the camera's own track goes on. */
  stop(): void;
}

export interface ChromaTables {
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

const FIRST_FRAME_WITHIN_MS = 3_000;

/** Whether this browser gives a page its camera's frames, and takes frames to send. */
export function canEmphasize(): boolean {
  return (
    typeof MediaStreamTrackProcessor !== "undefined" &&
    typeof MediaStreamTrackGenerator !== "undefined" &&
    typeof VideoFrame !== "undefined" &&
    typeof Worker !== "undefined"
  );
}

/**
 * The camera through the tables, in a worker; resolves once a first frame has gone through, with null where that
 * cannot be. `ended` is called when it breaks off later: nothing more is sent then, never a frame as it was.
 */
export function emphasize(camera: MediaStreamTrack, { u, v }: ChromaTables, ended: () => void): Promise<EmphasizedTrack | null> {
  if (typeof MediaStreamTrackProcessor === "undefined" || typeof MediaStreamTrackGenerator === "undefined") return Promise.resolve(null);
  if (!canEmphasize()) return Promise.resolve(null);
  const source = camera.clone(); // ending it ends the worker's stream, and leaves the camera alone
  const { readable } = new MediaStreamTrackProcessor({ track: source, maxBufferSize: 2 });
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  // Else the encoder denoises luma wherever chroma no longer looks like skin to it: a dark skin's relief is gone then.
  track.contentHint = "detail";
  const worker = new Worker(new URL("./emphasis_worker.ts", import.meta.url), { type: "module" });
  const setEnabled = (enabled: boolean): void => {
    source.enabled = enabled; // at the camera's end, so that black is rewritten as well
  };
  const stop = (): void => {
    source.stop();
    track.stop();
    worker.terminate();
  };
  const order: EmphasisOrder = { readable, writable: track.writable, u, v };
  worker.postMessage(order, [readable, track.writable] as unknown as Transferable[]);
  return new Promise((resolve) => {
    let begun = false;
    const give = (result: EmphasizedTrack | null): void => {
      clearTimeout(timer);
      if (!result) stop();
      resolve(result);
    };
    const timer = setTimeout(() => give(null), FIRST_FRAME_WITHIN_MS);
    worker.onmessage = ({ data }: MessageEvent<EmphasisReport>) => {
      if (data === "begun") {
        begun = true;
        give({ track, setEnabled, stop });
      } else if (begun) ended();
      else give(null);
    };
    worker.onerror = () => (begun ? ended() : give(null));
  });
}
