/**
 * Sends a patient's camera, with its chroma stretched where everybody who sees it can undo that.
 *
 * One change at a time, and the last wish wins. What the page shows of its own camera, and its stills, stay as they are.
 */

import { forwardTable, SKIN_EMPHASIS } from "../color/emphasis";
import type { ChromaEmphasisView } from "../wire/messages";
import { canEmphasize, type EmphasizedTrack, emphasize } from "./emphasized_track";
import type { MediaSession } from "./media_session";

export interface EmphasisCircumstances {
  /** The newest version that everybody who sees the camera undoes, as the server says; 0: somebody cannot. */
  readonly agreedVersion: number;
  readonly codec: string;
  /** This browser hands out and takes frames. */
  readonly capable: boolean;
  /** It was tried with this camera and did not work. */
  readonly failed: boolean;
}

/** Whether and how a camera's chroma is stretched: the one place that decides. */
export function emphasisFor({ agreedVersion, codec, capable, failed }: EmphasisCircumstances): ChromaEmphasisView | null {
  // Other codecs were measured to gain less, and their decoders may hand frames straight to the GPU.
  if (!capable || failed || codec !== "VP8") return null;
  return agreedVersion >= SKIN_EMPHASIS.version ? SKIN_EMPHASIS : null;
}

interface Wish {
  readonly camera: MediaStreamTrack | null;
  readonly agreedVersion: number;
}

type Session = Pick<MediaSession, "publish" | "replace" | "codec" | "cameraIs">;

export class CameraSender {
  private wish: Wish = { camera: null, agreedVersion: 0 };
  private done: Wish | null = null;
  private present: EmphasizedTrack | null = null;
  private emphasis: ChromaEmphasisView | null = null;
  private published = false;
  private running: Promise<void> | null = null;
  private failedWith: MediaStreamTrack | null = null;
  private closed = false;

  constructor(
    private readonly session: Session,
    private readonly rewrite: typeof emphasize = emphasize,
    private readonly capable: () => boolean = canEmphasize,
  ) {}

  /** Send this camera from now on; null sends nothing, and keeps its place. Resolves once that is so. */
  send(camera: MediaStreamTrack | null, agreedVersion: number): Promise<void> {
    this.wish = { camera, agreedVersion };
    return this.settle();
  }

  close(): void {
    this.closed = true;
    this.present?.stop();
    this.present = null;
  }

  private settle(): Promise<void> {
    this.running ??= this.follow().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async follow(): Promise<void> {
    await null;
    while (!this.closed && !sameWish(this.done, this.wish)) {
      const wish = this.wish;
      this.done = wish;
      await this.carryOut(wish);
    }
  }

  private async carryOut({ camera, agreedVersion }: Wish): Promise<void> {
    const before = this.present;
    if (!camera) {
      if (this.published) await this.session.replace("camera", null);
      before?.stop();
      this.present = null;
      return;
    }
    const failed = this.failedWith === camera;
    let emphasis = emphasisFor({ agreedVersion, codec: this.session.codec, capable: this.capable(), failed });
    let made: EmphasizedTrack | null = null;
    if (emphasis) {
      const { center_u, center_v, softness } = emphasis;
      const tables = { u: forwardTable(center_u, softness), v: forwardTable(center_v, softness) };
      made = await this.rewrite(camera, tables, () => this.brokeOff(camera));
      if (this.closed) return made?.stop();
      if (!made) {
        this.failedWith = camera;
        emphasis = null;
      }
    }
    this.present = made;
    this.emphasis = emphasis;
    // A Publication keeps what it began with until it can be replaced by another: never a frame of the other kind.
    const sending = made && emphasis ? { track: made.track, emphasis, setEnabled: made.setEnabled } : camera;
    this.session.cameraIs(camera);
    const negotiated = this.session.publish("camera", sending);
    this.published = true;
    await negotiated;
    before?.stop();
  }

  /** The worker cannot go on with this camera: it is sent as it is, as a Publication of its own. */
  private brokeOff(camera: MediaStreamTrack): void {
    this.failedWith = camera;
    if (this.wish.camera !== camera || !this.emphasis) return;
    this.done = null;
    void this.settle();
  }
}

function sameWish(a: Wish | null, b: Wish): boolean {
  return a !== null && a.camera === b.camera && a.agreedVersion === b.agreedVersion;
}
