/** A still on the doctor's request: take it, or ask for a file; send it; say how far it is; give way if it fails. */

import { computed, signal } from "@preact/signals";
import type { CaptureFailedRequest, CaptureProgressRequest, CaptureTake, CaptureView } from "../wire/messages";
import { ApiError } from "./api";
import type { LiveConnection } from "./live";
import { type Still, StillImpossible, stillFromFile, takeStill } from "./still";
import { uploadStill } from "./upload";
import { isWorthAnotherTry } from "./upload_plan";

export type CaptureStep =
  | { readonly phase: "taking" }
  | { readonly phase: "file_needed" }
  | { readonly phase: "uploading"; readonly sent_bytes: number; readonly size_bytes: number }
  | { readonly phase: "sent" }
  /** No still could be taken: the relay's frame is kept in its place, where there is one. */
  | { readonly phase: "not_taken"; readonly captureId: string }
  /** It could not be sent; kept: it is held here and may be sent again. */
  | { readonly phase: "failed"; readonly captureId: string; readonly error: unknown; readonly kept: boolean };

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
  /** Others than a browser's, for tests. */
  readonly takeStill?: typeof takeStill;
  readonly uploadStill?: typeof uploadStill;
}

/** What the room has in place of a still that did not come: not known yet, a video frame, or nothing. */
export function outcomeOf(capture: CaptureView | null, captureId: string): "pending" | "frame" | "nothing" {
  if (capture?.capture_id !== captureId) return "pending";
  if (capture.state === "failed") return "nothing";
  return capture.state === "stored" ? "frame" : "pending";
}

type Answer = File | CaptureFailedRequest["reason"];

interface Present {
  readonly captureId: string;
  readonly stop: AbortController;
}

interface Taken {
  readonly still: Still;
  readonly asked: CaptureTake;
}

export class Capturing {
  /** What the person is told; null when no capture is under way. */
  readonly step = signal<CaptureStep | null>(null);
  private present: Present | null = null;
  private answer: ((answer: Answer) => void) | null = null;
  /** Stills that have not arrived, newest first: none is lost because another is asked for. */
  private readonly unsent = signal<readonly Taken[]>([]);
  /** Whether a still is here and nowhere else. */
  readonly holds = computed(() => this.unsent.value.length > 0);

  constructor(private readonly ports: CapturingPorts) {}

  /** Do what a `capture_take` asks. What an older one had taken goes after it. */
  async take(asked: CaptureTake): Promise<void> {
    if (this.present?.captureId === asked.capture_id) return;
    const present = this.begin(asked.capture_id);
    const still = await this.still(asked.capture_id);
    if (this.present !== present) return;
    if (typeof still === "string") {
      this.step.value = { phase: "not_taken", captureId: asked.capture_id };
      this.present = null;
      await this.fail(asked.capture_id, still, false);
      return;
    }
    this.unsent.value = [{ still, asked }, ...this.unsent.peek()];
    await this.send(present);
  }

  /** Try once more to send what could not be sent; it goes on where it stopped. */
  async sendAgain(): Promise<void> {
    const [newest] = this.unsent.peek();
    if (newest && this.present === null) await this.send(this.begin(newest.asked.capture_id));
  }

  /** The person took or chose a photo. */
  chooseFile(file: File): void {
    this.answer?.(file);
  }

  /** The person cannot or will not. */
  decline(): void {
    this.answer?.(this.ports.camera() ? "not_supported" : "refused");
  }

  dismiss(): void {
    if (this.present === null) this.step.value = null;
  }

  /** Stop whatever is under way and forget it, for instance at the end of the consultation. */
  cancel(): void {
    this.interrupt();
    this.unsent.value = [];
    this.step.value = null;
  }

  private begin(captureId: string): Present {
    this.interrupt();
    this.present = { captureId, stop: new AbortController() };
    return this.present;
  }

  private interrupt(): void {
    this.present?.stop.abort();
    this.present = null;
    this.answer?.("refused");
    this.answer = null;
  }

  private async send(present: Present): Promise<void> {
    this.ports.limitVideo(YIELDED_BITRATE_BPS);
    try {
      for (let [taken] = this.unsent.peek(); taken; [taken] = this.unsent.peek()) {
        const arrived = await this.sendOne(taken, present);
        if (this.present !== present || !arrived) return;
      }
      this.step.value = { phase: "sent" };
      setTimeout(() => {
        if (this.step.peek()?.phase === "sent") this.step.value = null;
      }, SENT_SHOWN_MS);
    } finally {
      if (this.present === present) {
        this.present = null;
        this.ports.limitVideo(null);
      }
    }
  }

  /** Whether it has arrived; if not, everybody is told why. */
  private async sendOne(taken: Taken, present: Present): Promise<boolean> {
    const { still, asked } = taken;
    const { capture_id, consultation_id } = asked;
    try {
      await (this.ports.uploadStill ?? uploadStill)(still, {
        purpose: "snapshot",
        ownerId: consultation_id,
        captureId: capture_id,
        signal: present.stop.signal,
        onProgress: (sent_bytes, size_bytes) => {
          if (this.present !== present) return;
          this.step.value = { phase: "uploading", sent_bytes, size_bytes };
          this.tell({ capture_id, state: "uploading", sent_bytes, size_bytes });
        },
      });
      this.forget(taken);
      return true;
    } catch (error) {
      if (this.present !== present) return false;
      const kept = error instanceof ApiError && isWorthAnotherTry(error.status);
      if (!kept) this.forget(taken);
      this.step.value = { phase: "failed", captureId: capture_id, error, kept };
      await this.fail(capture_id, "upload_failed", kept);
      return false;
    }
  }

  private forget(taken: Taken): void {
    this.unsent.value = this.unsent.peek().filter((one) => one !== taken);
  }

  private async still(capture_id: string): Promise<Still | CaptureFailedRequest["reason"]> {
    const track = this.ports.camera();
    if (track) {
      this.step.value = { phase: "taking" };
      this.tell({ capture_id, state: "taking", sent_bytes: 0, size_bytes: null });
      try {
        return await (this.ports.takeStill ?? takeStill)(track);
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

  private async fail(capture_id: string, reason: CaptureFailedRequest["reason"], held: boolean): Promise<void> {
    await this.ports.call("capture_failed", { capture_id, reason, held } satisfies CaptureFailedRequest).catch(() => undefined);
  }
}
