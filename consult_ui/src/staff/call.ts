/**
 * A consultation as a member of staff lives it: the live view, the media, the corrections and the record around it.
 *
 * It connects when a consultation is opened; media begin when the server has admitted us, and end when it says so.
 */

import { computed, effect, signal } from "@preact/signals";

import { rememberUnreadable } from "../color/emphasized_picture";
import { type Lut, lutOf } from "../color/lut";
import { getJson, sendJson } from "../lib/api";
import { type Facing, hasWebRtc } from "../lib/devices";
import { connectConsultation, type ConsultationConnection } from "../lib/live";
import { MediaSession, prepareEngine } from "../lib/media_session";
import type {
  BudgetEvent,
  CaptureView,
  ChartEvent,
  ChatView,
  ConsultationDetail,
  IceView,
  LutEvent,
  ParticipantView,
  PatchesRequest,
  PatchReading,
  PublicationView,
  SnapshotEvent,
  SnapshotView,
  StaffAuth,
} from "../wire/messages";
import { setServerTime } from "./clock";
import { OwnMedia } from "./own_media";

/** Well within the life of TURN credentials. */
const ICE_SERVERS_GOOD_FOR_MS = 300_000;

export class StaffCall {
  readonly live: ConsultationConnection;
  readonly own: OwnMedia;
  readonly media = signal<MediaSession | null>(null);
  readonly luts = signal<ReadonlyMap<string, Lut>>(new Map());
  readonly detail = signal<ConsultationDetail | null>(null);
  readonly chat = signal<readonly ChatView[]>([]);
  readonly snapshots = signal<readonly SnapshotView[]>([]);
  /** The last refusal or failure of something that was asked for. */
  readonly error = signal<unknown>(null);
  /** A capture that was asked for and that the server has not shown in the view yet. */
  readonly asking = signal(false);

  readonly view = computed(() => this.live.state.value);
  readonly ended = computed(() => (this.view.value?.phase ?? this.detail.value?.phase) === "ended");
  readonly inRoom = computed(() => this.view.value?.you.admission === "admitted" && !this.ended.value);
  readonly others = computed<readonly ParticipantView[]>(() => {
    const view = this.view.value;
    return view ? view.participants.filter((who) => who.participant_id !== view.you.participant_id) : [];
  });

  private closed = false;
  private ice: { readonly asked_ms: number; readonly view: Promise<IceView | null> } | null = null;
  private readonly stopping: (() => void)[] = [];

  constructor(
    readonly consultationId: string,
    facing: Facing,
    private undoesEmphasis = 0,
  ) {
    this.live = connectConsultation(this.auth());
    this.own = new OwnMedia(facing);
    void prepareEngine();
    this.stopping.push(
      this.live.on<LutEvent>("lut", (event) => this.takeLut(event)),
      this.live.on<BudgetEvent>("budget", (budget) => void this.media.peek()?.budget(budget)),
      this.live.on<ChatView>("chat", (line) => this.takeChat([line])),
      this.live.on<SnapshotEvent>("snapshot", ({ snapshot }) => this.takeSnapshots([snapshot])),
      effect(() => {
        const view = this.view.value;
        if (view) setServerTime(view.server_time);
      }),
      // What was missed while the connection was away is read again.
      effect(() => {
        if (this.live.connected.value) void this.readDetail();
      }),
      // Asked for before the call, so that admission finds them at hand.
      effect(() => {
        if (this.view.value && !this.ended.value) void this.iceServers();
      }),
      effect(() => void this.followRoom(this.inRoom.value)),
      effect(() => {
        const publications = this.view.value?.publications;
        if (publications) this.media.value?.sync(publications);
      }),
      effect(() => {
        if (!this.ended.value) return;
        this.own.close();
        if (this.detail.peek()?.phase === "in_call") void this.readDetail();
      }),
    );
  }

  /** This page's pictures turn out not to be able to undo chroma emphasis: it is sent none from now on. */
  cannotUndoEmphasis(): void {
    if (this.undoesEmphasis === 0) return;
    this.undoesEmphasis = 0;
    rememberUnreadable();
    this.live.restate(this.auth());
  }

  private auth(): StaffAuth {
    return { consultation_id: this.consultationId, undoes_emphasis: this.undoesEmphasis };
  }

  /** Ask something of the server; a refusal is shown, not thrown. */
  async ask<T>(event: string, data: object = {}): Promise<T | null> {
    try {
      const reply = await this.live.call<T>(event, data);
      this.error.value = null;
      return reply;
    } catch (error) {
      this.error.value = error;
      return null;
    }
  }

  async capture(participantId: string): Promise<void> {
    if (this.asking.peek()) return;
    this.asking.value = true;
    await this.ask<CaptureView>("capture", { participant_id: participantId });
    this.asking.value = false;
  }

  /** Tell what this page's own decoder shows of the chart. An answer that comes too late is not missed. */
  async answerChart({ publication_id, question }: ChartEvent, patches: readonly PatchReading[]): Promise<void> {
    const answer: PatchesRequest = { publication_id, question, patches: [...patches] };
    await this.live.call("patches", answer).catch(() => undefined);
  }

  publicationsOf(participantId: string): readonly PublicationView[] {
    return this.view.value?.publications.filter((one) => one.participant_id === participantId) ?? [];
  }

  async readDetail(): Promise<void> {
    try {
      const detail = await getJson<ConsultationDetail>(`/api/consultations/${this.consultationId}`);
      if (this.closed) return;
      this.detail.value = detail;
      this.takeChat(detail.chat);
      this.takeSnapshots(detail.snapshots);
    } catch (error) {
      this.error.value = error;
    }
  }

  close(): void {
    this.closed = true;
    for (const stop of this.stopping) stop();
    this.own.close();
    this.media.value?.close();
    this.live.close();
  }

  private async followRoom(inRoom: boolean): Promise<void> {
    const present = this.media.peek();
    if (!inRoom) {
      this.own.attach(null);
      present?.close();
      this.media.value = null;
      return;
    }
    if (present || !hasWebRtc()) return;
    const ice = await this.iceServers();
    const you = this.view.peek()?.you;
    if (this.closed || !you || !this.inRoom.peek() || this.media.peek()) return;
    const session = new MediaSession({
      live: this.live,
      participantId: you.participant_id,
      iceServers: ice?.ice_servers ?? [],
    });
    this.media.value = session;
    this.own.attach(session);
  }

  private iceServers(): Promise<IceView | null> {
    if (this.ice === null || Date.now() - this.ice.asked_ms > ICE_SERVERS_GOOD_FOR_MS)
      this.ice = {
        asked_ms: Date.now(),
        view: getJson<IceView>("/api/ice").catch(() => {
          this.ice = null; // the call may still find a direct way
          return null;
        }),
      };
    return this.ice.view;
  }

  private takeLut({ calibration, size, lut }: LutEvent): void {
    try {
      const corrections = new Map(this.luts.peek());
      corrections.set(calibration.publication_id, lutOf(size, new Uint8Array(lut)));
      this.luts.value = corrections;
    } catch (error) {
      this.error.value = error;
    }
  }

  private takeChat(lines: readonly ChatView[]): void {
    const all = new Map(this.chat.peek().map((line) => [line.line_id, line]));
    for (const line of lines) all.set(line.line_id, line);
    this.chat.value = [...all.values()].sort((a, b) => a.sent_at.localeCompare(b.sent_at));
  }

  private takeSnapshots(snapshots: readonly SnapshotView[]): void {
    const all = new Map(this.snapshots.peek().map((one) => [one.snapshot_id, one]));
    for (const one of snapshots) all.set(one.snapshot_id, one);
    this.snapshots.value = [...all.values()].sort((a, b) => b.stored_at.localeCompare(a.stored_at));
  }
}

/** The server's note door for noteSync. */
export function noteDoor(consultationId: string) {
  const path = `/api/consultations/${consultationId}`;
  return {
    write: (text: string, version: number) =>
      sendJson<ConsultationDetail["note"]>("PUT", `${path}/note`, { text, version }),
    read: async () => (await getJson<ConsultationDetail>(path)).note,
  };
}
