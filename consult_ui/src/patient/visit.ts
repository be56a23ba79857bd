/** One visit by a personal link: what is known, what is shown, and what the person can do. */

import { computed, effect, signal } from "@preact/signals";
import { ApiError, getJson, sendJson, authorizeByToken } from "../lib/api";
import { Capturing } from "../lib/capturing";
import { type ConsultationConnection, connectConsultation } from "../lib/live";
import { hasWebRtc } from "../lib/devices";
import { languageChosen, setLanguage } from "../lib/i18n";
import { CameraSender } from "../lib/camera_sender";
import { MediaSession } from "../lib/media_session";
import type {
  BudgetEvent,
  CaptureTake,
  ChatHistoryView,
  ChatRequest,
  ChatView,
  ConsentRequest,
  IceServer,
  IceView,
  JoinView,
  SatisfactionRequest,
  SourceName,
} from "../wire/messages";
import { OwnMedia } from "./own_media";
import { type Preparation, screenOf, stepAfter, stepBefore } from "./steps";
import { forgetEverything } from "./token";
import { keepScreenOn } from "./wake_lock";

/** Well within the life of TURN credentials. */
const ICE_SERVERS_GOOD_FOR_MS = 300_000;
const STEP = "truehue.step";

export class Visit {
  readonly join = signal<JoinView | null>(null);
  /** Why the link opens nothing, or null. */
  readonly trouble = signal<ApiError | null>(null);
  readonly step = signal<Preparation>("welcome");
  readonly live = signal<ConsultationConnection | null>(null);
  readonly media = signal<MediaSession | null>(null);
  readonly own = signal<OwnMedia>(new OwnMedia("environment"));
  readonly chat = signal<readonly ChatView[]>([]);
  readonly unread = signal(0);
  readonly chatOpen = signal(false);
  readonly answered = signal(false);
  readonly capturing: Capturing;

  readonly view = computed(() => this.live.value?.state.value ?? null);
  readonly screen = computed(() => {
    const join = this.join.value;
    return join && screenOf(join, this.step.value, this.view.value, this.answered.value);
  });

  constructor(private readonly token: string) {
    authorizeByToken(token);
    this.capturing = new Capturing({
      call: (event, data) => this.call(event, data),
      camera: () => this.own.peek().camera.peek(),
      limitVideo: (maxBitrate_bps) => void this.media.peek()?.limit(maxBitrate_bps),
    });
  }

  /** Find out what the link opens. */
  async load(): Promise<void> {
    this.trouble.value = null;
    try {
      const join = await getJson<JoinView>("/api/join");
      if (!languageChosen()) setLanguage(join.language, false);
      if (join.role !== "patient") this.own.value = new OwnMedia("user");
      this.join.value = join;
      // After a reload in the call the person is back in the call, not back at the welcome.
      if (remembered() === "room" && (join.role !== "patient" || join.consent_given)) this.enterRoom();
    } catch (error) {
      this.trouble.value = error instanceof ApiError ? error : new ApiError("unexpected", String(error), 0);
    }
  }

  next(): void {
    const join = this.join.peek();
    if (!join) return;
    const step = stepAfter(this.step.peek(), join);
    if (step === "room") this.enterRoom();
    else this.step.value = step;
  }

  back(): void {
    const join = this.join.peek();
    const step = join && stepBefore(this.step.peek(), join);
    if (step) this.step.value = step;
  }

  async consent(consent: ConsentRequest): Promise<void> {
    await sendJson("POST", "/api/join/consent", consent);
    const join = this.join.peek();
    if (join) this.join.value = { ...join, consent_given: true };
    this.next();
  }

  async rate(answer: SatisfactionRequest): Promise<void> {
    await sendJson("POST", "/api/join/satisfaction", answer);
    this.answered.value = true;
  }

  /** Go away; `knock` comes back. */
  async leave(): Promise<void> {
    await this.call("leave");
  }

  async knock(): Promise<void> {
    await this.call("knock");
  }

  async say(text: string): Promise<void> {
    await this.call("chat", { text } satisfies ChatRequest);
  }

  /** Try the link again, or the room. */
  retry(): void {
    if (this.join.peek()) this.live.peek()?.reconnect();
    else void this.load();
  }

  showChat(open: boolean): void {
    this.chatOpen.value = open;
    this.unread.value = 0;
  }

  private call<T>(event: string, data?: object): Promise<T> {
    const live = this.live.peek();
    return live ? live.call<T>(event, data) : Promise.reject(new ApiError("network.unreachable", "Not connected.", 0));
  }

  private takeChat(lines: readonly ChatView[]): void {
    const known = new Set(this.chat.peek().map(({ line_id }) => line_id));
    const fresh = lines.filter(({ line_id }) => !known.has(line_id));
    if (fresh.length === 0) return;
    this.chat.value = [...this.chat.peek(), ...fresh].sort((a, b) => a.sent_at.localeCompare(b.sent_at));
    const you = this.join.peek()?.participant_id;
    if (!this.chatOpen.peek()) this.unread.value += fresh.filter(({ participant_id }) => participant_id !== you).length;
  }

  private enterRoom(): void {
    this.step.value = "room";
    remember("room");
    if (this.live.peek()) return;
    const live = connectConsultation({ token: this.token });
    this.live.value = live;
    live.on<CaptureTake>("capture_take", (take) => void this.capturing.take(take));
    live.on<BudgetEvent>("budget", (budget) => void this.media.peek()?.budget(budget));
    live.on<ChatView>("chat", (line) => this.takeChat([line]));
    const inside = computed(() => live.connected.value && live.state.value?.you.admission === "admitted");
    // What was said before a reload, or while the connection was away.
    effect(() => {
      if (inside.value) live.call<ChatHistoryView>("chat_history").then(({ lines }) => this.takeChat(lines), () => undefined);
    });
    // Whoever comes for the first time knocks without being asked to.
    effect(() => {
      if (live.connected.value && live.state.value?.you.admission === "invited") this.knock().catch(() => undefined);
    });
    effect(() => {
      const screen = this.screen.value;
      if (screen === "waiting") void this.iceServers();
      keepScreenOn(screen === "waiting" || screen === "call");
      // A page whose place was taken over elsewhere must not fight for the media.
      if (screen === "call" && live.refused.value === null) void this.openMedia();
      else this.closeMedia();
      if (screen === "satisfaction" || screen === "thanks") this.closeRoom();
    });
  }

  private async openMedia(): Promise<void> {
    if (this.media.peek() || this.opening || !hasWebRtc()) return;
    this.opening = true;
    try {
      const own = this.own.peek();
      if (!own.asked.peek()) void own.open();
      const ice = await this.iceServers();
      const live = this.live.peek();
      const participantId = this.join.peek()?.participant_id;
      if (!live || participantId === undefined || this.screen.peek() !== "call") return;
      const media = new MediaSession({ live, participantId, iceServers: ice });
      this.media.value = media;
      const published = new Set<SourceName>();
      const emphasisVersion = computed(() => this.view.value?.emphasis_version ?? 0);
      this.cameraSender = new CameraSender(media);
      this.unbind = [
        effect(() => media.sync(this.view.value?.publications ?? [])),
        effect(() => void carry(media, published, "microphone", own.microphone.value, !own.microphoneOn.value)),
        effect(() => void this.cameraSender?.send(own.camera.value, emphasisVersion.value)),
        effect(() => void media.setMuted("camera", !own.cameraOn.value)),
      ];
    } finally {
      this.opening = false;
    }
  }

  /** Servers for the call; asked for while waiting, so that admission finds them at hand, and again when old. */
  private iceServers(): Promise<IceServer[]> {
    if (this.ice === null || Date.now() - this.ice.asked_ms > ICE_SERVERS_GOOD_FOR_MS)
      this.ice = {
        asked_ms: Date.now(),
        servers: getJson<IceView>("/api/ice").then(
          ({ ice_servers }) => ice_servers,
          () => {
            this.ice = null; // the call may still find a direct way
            return [];
          },
        ),
      };
    return this.ice.servers;
  }

  private ice: { readonly asked_ms: number; readonly servers: Promise<IceServer[]> } | null = null;
  private cameraSender: CameraSender | null = null;
  private opening = false;
  private unbind: (() => void)[] = [];

  private closeMedia(): void {
    for (const stop of this.unbind) stop();
    this.unbind = [];
    this.cameraSender?.close();
    this.cameraSender = null;
    this.media.peek()?.close();
    this.media.value = null;
    this.capturing.cancel();
  }

  private closeRoom(): void {
    this.own.peek().close();
    if (this.screen.peek() === "thanks") {
      this.live.peek()?.close();
      forgetEverything();
    }
  }
}

/** Send a track as what it is; where there is none, what was sent goes silent but keeps its place. */
async function carry(
  media: MediaSession,
  published: Set<SourceName>,
  source: SourceName,
  track: MediaStreamTrack | null,
  muted: boolean,
): Promise<void> {
  if (published.has(source)) await media.replace(source, track);
  else if (track) {
    published.add(source);
    void media.publish(source, track);
  }
  await media.setMuted(source, muted);
}

function remembered(): string | null {
  try {
    return sessionStorage.getItem(STEP);
  } catch {
    return null;
  }
}

function remember(step: Preparation): void {
  try {
    sessionStorage.setItem(STEP, step);
  } catch {
    // a reload then begins at the welcome
  }
}
