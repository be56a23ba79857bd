/** A still on the doctor's request: take it, or ask for a file; send it; say how far it is; give way if it fails. */

import { signal } from "@preact/signals";
import type { LiveConnection } from "../lib/live";
import { type Still, StillImpossible, stillFromFile, takeStill } from "../lib/still";
import { uploadStill } from "../lib/upload";
import type { CaptureFailedRequest, CaptureProgressRequest, CaptureTake } from "../wire/messages";

export type CaptureStep =
  | { readonly phase: "taking" }
  | { readonly phase: "file_needed" }
  | { readonly phase: "uploading"; readonly sent_bytes: number; readonly size_bytes: number }
  | { readonly phase: "sent" }
  | { readonly phase: "failed"; readonly error: unknown };

/** What video may use while a still goes up, in bit/s: enough to keep talking. */
export const YIELDED_BITRATE_BPS = 150_000;

/** How long the person may look for the camera app before the relay's frame is taken instead. */
const FILE_PATIENCE_MS = 60_000;
const SIGN_OF_LIFE_MS = 5_000;
const SENT_SHOWN_MS = 4_000;

export interface CapturingPorts {
  readonly call: LiveConnection["call"];
  /** The live camera track, or null when there is none or it is off. */
  readonly camera: () => MediaStreamTrack | null;
  readonly limitVideo: (maxBitrate_bps: number | null) => void;
}

type Answer = File | CaptureFailedRequest["reason"];

export class Capturing {
  /** What the person is told; null when no capture is under way. */
  readonly step = signal<CaptureStep | null>(null);
  private present: { readonly captureId: string; readonly stop: AbortController } | null = null;
  private answer: ((answer: Answer) => void) | null = null;

  constructor(private readonly ports: CapturingPorts) {}

  /** Do what a `capture_take` asks; a newer request replaces an older one. */
  async take({ capture_id, consultation_id }: CaptureTake): Promise<void> {
    if (this.present?.captureId === capture_id) return;
    this.cancel();
    const present = { captureId: capture_id, stop: new AbortController() };
    this.present = present;
    const still = await this.still(capture_id);
    if (this.present !== present) return;
    if (typeof still === "string") {
      this.step.value = null;
      this.present = null;
      await this.fail(capture_id, still);
      return;
    }
    this.ports.limitVideo(YIELDED_BITRATE_BPS);
    try {
      await uploadStill(still, {
        purpose: "snapshot",
        ownerId: consultation_id,
        captureId: capture_id,
        signal: present.stop.signal,
        onProgress: (sent_bytes, size_bytes) => {
          this.step.value = { phase: "uploading", sent_bytes, size_bytes };
          this.tell({ capture_id, state: "uploading", sent_bytes, size_bytes });
        },
      });
      this.step.value = { phase: "sent" };
      setTimeout(() => {
        if (this.step.peek()?.phase === "sent") this.step.value = null;
      }, SENT_SHOWN_MS);
    } catch (error) {
      if (this.present !== present) return;
      this.step.value = { phase: "failed", error };
      await this.fail(capture_id, "upload_failed");
    } finally {
      if (this.present === present) {
        this.present = null;
        this.ports.limitVideo(null);
      }
    }
  }

  /** The person took or chose a photo. */
  chooseFile(file: File): void {
    this.answer?.(file);
  }

  /** The person cannot or will not. */
  decline(): void {
    this.answer?.("refused");
  }

  dismiss(): void {
    if (this.present === null) this.step.value = null;
  }

  /** Stop whatever is under way, for instance at the end of the consultation. */
  cancel(): void {
    this.present?.stop.abort();
    this.present = null;
    this.answer?.("refused");
    this.answer = null;
    this.step.value = null;
  }

  private async still(capture_id: string): Promise<Still | CaptureFailedRequest["reason"]> {
    const track = this.ports.camera();
    if (track) {
      this.step.value = { phase: "taking" };
      this.tell({ capture_id, state: "taking", sent_bytes: 0, size_bytes: null });
      try {
        return await takeStill(track);
      } catch (error) {
        if (!(error instanceof StillImpossible)) throw error;
      }
    }
    this.step.value = { phase: "file_needed" };
    // The server takes a silent device for a dead one, so it is told that the person is at it.
    const sign = setInterval(() => this.tell({ capture_id, state: "taking", sent_bytes: 0, size_bytes: null }), SIGN_OF_LIFE_MS);
    const answer = await new Promise<Answer>((resolve) => {
      const timer = setTimeout(() => resolve(track ? "not_supported" : "no_camera"), FILE_PATIENCE_MS);
      this.answer = (given) => {
        clearTimeout(timer);
        resolve(given);
      };
    });
    clearInterval(sign);
    this.answer = null;
    return typeof answer === "string" ? answer : stillFromFile(answer);
  }

  private tell(progress: CaptureProgressRequest): void {
    // Progress is for looking at; the upload itself does not depend on it.
    this.ports.call("capture_progress", progress).catch(() => undefined);
  }

  private async fail(capture_id: string, reason: CaptureFailedRequest["reason"]): Promise<void> {
    await this.ports.call("capture_failed", { capture_id, reason } satisfies CaptureFailedRequest).catch(() => undefined);
  }
}
