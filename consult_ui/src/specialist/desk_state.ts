/** What the specialist's desk shows at this moment: the lists, the open consultation, the picture on the stage. */

import { computed, effect, signal } from "@preact/signals";

import { EMPHASIS_VERSION } from "../color/emphasis";
import { canUndoEmphasis } from "../color/emphasized_picture";
import { connectWorklist, type ListConnection } from "../lib/live";
import { StaffCall } from "../staff/call";
import { serverNowMs, setServerTime } from "../staff/clock";
import { undoQueue } from "../staff/undo";
import type { ParticipantView, PublicationView } from "../wire/messages";
import { standingOf } from "./calibration_standing";
import { tellDisplayResults } from "./display_result";
import { purposeOf } from "./picture_purpose";

export type SidePanel = "keys" | "settings" | "statistics" | null;

/** In the waiting room, whether by knocking or by being sent back: may be admitted or refused. */
export function isAtTheDoor(who: ParticipantView): boolean {
  return who.admission === "waiting" || who.admission === "sent_back";
}

export class Desk {
  readonly lists: ListConnection = connectWorklist();
  readonly call = signal<StaffCall | null>(null);
  readonly undo = undoQueue();
  readonly panel = signal<SidePanel>(null);
  readonly worklistOpen = signal(false);
  /** Where raw ends and corrected begins on the live picture, 0 to 1. */
  readonly split = signal(0);
  /** snapshot_id that the viewer shows; null: closed. */
  readonly shown = signal<string | null>(null);
  private stopTelling: () => void = () => undefined;
  private readonly chosen = signal<string | null>(null);

  readonly videos = computed<readonly PublicationView[]>(() => {
    const call = this.call.value;
    const view = call?.view.value;
    if (!view) return [];
    return view.publications.filter((one) => one.kind === "video" && one.participant_id !== view.you.participant_id);
  });

  /** The video on the stage: the chosen one, else the patient's camera, else whatever there is. */
  readonly onStage = computed<PublicationView | null>(() => {
    const videos = this.videos.value;
    const patient = this.patient.value?.participant_id;
    return (
      videos.find((one) => one.publication_id === this.chosen.value) ??
      videos.find((one) => one.participant_id === patient && one.source === "camera") ??
      videos[0] ??
      null
    );
  });

  readonly patient = computed<ParticipantView | null>(
    () => this.call.value?.others.value.find((who) => who.role === "patient") ?? null,
  );

  /** Whose device takes the still: the one whose camera is on the stage, else the patient's. */
  readonly captureTarget = computed<ParticipantView | null>(() => {
    const others = this.call.value?.others.value ?? [];
    const owner = others.find((who) => who.participant_id === this.onStage.value?.participant_id);
    const target = owner?.role === "referrer" && this.onStage.value?.source === "camera" ? owner : this.patient.value;
    return target?.admission === "admitted" ? target : null;
  });

  readonly standing = computed(() =>
    standingOf(this.call.value?.view.value?.calibration ?? null, this.onStage.value?.publication_id ?? null, serverNowMs()),
  );

  readonly purpose = computed(() =>
    purposeOf(
      this.standing.value.purpose,
      this.call.value?.view.value?.fidelity,
      this.onStage.value?.publication_id ?? null,
    ),
  );

  readonly lut = computed(() => {
    const publication = this.onStage.value?.publication_id;
    if (publication === undefined || !this.standing.value.applies) return null;
    return this.call.value?.luts.value.get(publication) ?? null;
  });

  constructor() {
    effect(() => {
      const worklist = this.lists.worklist.value;
      if (worklist) setServerTime(worklist.server_time);
    });
  }

  /** Open what the address names, now and whenever it changes; returns the function that ends it. */
  followAddress(): () => void {
    const follow = (): void => {
      const named = /^#c\/([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1];
      if (named !== undefined) this.open(named);
      else if (location.hash === "") this.close();
    };
    follow();
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }

  open(consultationId: string): void {
    if (this.call.peek()?.consultationId === consultationId) return;
    this.close();
    const call = new StaffCall(consultationId, "user", canUndoEmphasis() ? EMPHASIS_VERSION : 0);
    this.call.value = call;
    this.stopTelling = tellDisplayResults(call);
    this.worklistOpen.value = false;
    // A reload comes back to the same consultation; its id tells nothing of the patient.
    history.replaceState(null, "", `#c/${consultationId}`);
  }

  close(): void {
    this.stopTelling();
    this.call.peek()?.close();
    this.call.value = null;
    this.shown.value = null;
    this.chosen.value = null;
    history.replaceState(null, "", location.pathname + location.search);
  }

  stage(publicationId: string): void {
    this.chosen.value = publicationId;
  }

  toggleWipe(): void {
    this.split.value = this.split.peek() < 1 ? 1 : 0;
  }

  moveWipe(by: number): void {
    this.split.value = Math.min(1, Math.max(0, Math.round((this.split.peek() + by) * 100) / 100));
  }

  async admit(participant: ParticipantView): Promise<void> {
    const call = this.call.peek();
    if (!call) return;
    await call.ask("admit", { participant_id: participant.participant_id });
    // Joining the call is when one's own camera is wanted; the call goes on without it.
    void call.own.start();
  }

  async capture(): Promise<void> {
    const target = this.captureTarget.peek();
    if (target) await this.call.peek()?.capture(target.participant_id);
  }

  showNext(step: 1 | -1): void {
    const all = this.call.peek()?.snapshots.peek() ?? [];
    const at = all.findIndex((one) => one.snapshot_id === this.shown.peek());
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    if (next) this.shown.value = next.snapshot_id;
  }
}
