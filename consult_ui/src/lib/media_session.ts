/**
 * A participant's media: ONE peer connection to the relay, on which this side always offers.
 *
 * What is wanted (own tracks, others' Publications) is kept apart from the connection; before each offer the
 * connection's transceivers are fitted to it. So a rebuilt connection needs no history, and negotiations are
 * simply repeated, one at a time, until nothing has changed meanwhile.
 */

import { effect, signal, type Signal } from "@preact/signals";
import { sameEmphasis } from "../color/emphasis";
import type {
  BudgetEvent,
  CameraChangedRequest,
  ChromaEmphasisView,
  IceServer,
  NegotiateReply,
  NegotiateRequest,
  PublicationView,
  SourceName,
} from "../wire/messages";
import { ApiError } from "./api";
import { hasWebRtc } from "./devices";
import type { LiveConnection } from "./live";
import { kindOf, midMaps, planReceive, type ReceiveSlot, recoveryStep, sessionOf } from "./media_plan";
import { addSender, codecFromAddress, MAX_VIDEO_BITRATE_BPS, mostFramesOf, targetBitrate, tuneVideoSender } from "./media_sender";
import { type SessionStats, StatsReader } from "./media_stats";

export type MediaConnection = "idle" | "connecting" | "connected" | "interrupted";

export interface MediaSessionOptions {
  readonly live: Pick<LiveConnection, "call" | "connected">;
  /** One's own participant_id: its Publications are never subscribed to. */
  readonly participantId: string;
  readonly iceServers: readonly IceServer[];
  /** "VP8" (default), "VP9", "H264"; the address' `?codec=` when left out. */
  readonly codec?: string;
}

/** A track to send, and what was done to it. */
export interface Sending {
  readonly track: MediaStreamTrack;
  /** What viewers must undo. */
  readonly emphasis: ChromaEmphasisView | null;
  /** Send it, or silence or black. */
  setEnabled(enabled: boolean): void;
}

interface Own {
  sending: Sending | null;
  emphasis: ChromaEmphasisView | null;
  muted: boolean;
  /** A `mute` is on its way. */
  telling: boolean;
}

/** A sendonly m-line; its emphasis stays what it is, as that of its Publication does. */
interface Sender {
  readonly transceiver: RTCRtpTransceiver;
  readonly emphasis: ChromaEmphasisView | null;
}

/** One RTCPeerConnection with its m-lines. */
interface Link {
  readonly connection: RTCPeerConnection;
  readonly senders: Map<SourceName, Sender>;
  slots: readonly ReceiveSlot[];
  readonly receivers: RTCRtpTransceiver[];
  /** The relay's session in its answers. */
  session: string | null;
  everConnected: boolean;
  brokenSince_ms: number | null;
  restarts: number;
}

const WATCH_INTERVAL_MS = 500;
const FIT_INTERVAL_MS = 2_000;
const LONGEST_PAUSE_MS = 4_000;

/** RTCConfiguration.iceServers from the server's words, without its nulls. */
export function rtcIceServers(servers: readonly IceServer[]): RTCIceServer[] {
  return servers.map(({ urls, username, credential }) =>
    username != null && credential != null ? { urls, username, credential } : { urls },
  );
}

/**
 * Let the browser set up its WebRTC engine now: a page's first connection takes it hundreds of milliseconds,
 * which should not be the first of a call. Nothing is sent, and no address is gathered.
 */
export async function prepareEngine(): Promise<void> {
  if (!hasWebRtc()) return;
  const connection = new RTCPeerConnection();
  connection.addTransceiver("audio");
  connection.addTransceiver("video");
  await connection.createOffer().catch(() => undefined);
  connection.close();
}

export class MediaSession {
  /** publication_id -> live track, for every Publication that is being received. */
  readonly tracks: Signal<ReadonlyMap<string, MediaStreamTrack>> = signal(new Map());
  readonly connection: Signal<MediaConnection> = signal("idle");
  /**
   * Why negotiations fail (they are repeated by themselves), or null. One failure tells nothing: what it asked for may
   * just have gone.
   */
  readonly problem: Signal<ApiError | null> = signal(null);
  /** source -> publication_id that the relay gave to own media. */
  readonly ownPublications: Signal<ReadonlyMap<SourceName, string>> = signal(new Map());

  private readonly own = new Map<SourceName, Own>();
  private known: readonly PublicationView[] = [];
  private wanted: readonly PublicationView[] = [];
  private link: Link | null = null;
  private dirty = false;
  private running: Promise<void> | null = null;
  private wake: () => void = () => {};
  private closed = false;
  private maxBitrate_bps = MAX_VIDEO_BITRATE_BPS;
  /** By publication_id. */
  private readonly budgets = new Map<string, BudgetEvent>();
  private camera: string | null = null;
  private cameraTarget_bps: number | null = null;
  /** The codec that own video is offered in first. */
  readonly codec: string;
  private readonly statsReader = new StatsReader();
  private readonly watch: ReturnType<typeof setInterval>;
  private readonly fitting: ReturnType<typeof setInterval>;
  private readonly stopFollowing: () => void;

  constructor(private readonly options: MediaSessionOptions) {
    this.codec = options.codec ?? codecFromAddress(location.search);
    this.watch = setInterval(() => this.recover(), WATCH_INTERVAL_MS);
    this.fitting = setInterval(() => void this.fitFrames(), FIT_INTERVAL_MS);
    window.addEventListener("online", this.networkChanged);
    networkInformation()?.addEventListener("change", this.networkChanged);
    // A negotiation that failed for want of the server is repeated as soon as it is back.
    this.stopFollowing = effect(() => {
      if (options.live.connected.value) this.wake();
    });
  }

  /**
   * Send a track as a source; a source that is already sent takes the new track. Resolves once negotiated.
   * Another emphasis than before ends the Publication and begins a new one, on an m-line of its own.
   */
  publish(source: SourceName, track: MediaStreamTrack | Sending): Promise<void> {
    const sending = track instanceof MediaStreamTrack ? plain(track) : track;
    const present = this.own.get(source);
    if (present && sameEmphasis(present.emphasis, sending.emphasis)) return this.put(source, present, sending);
    this.own.set(source, { sending, emphasis: sending.emphasis, muted: present?.muted ?? false, telling: false });
    sending.setEnabled(!(present?.muted ?? false));
    return this.negotiate();
  }

  /**
   * Which camera is about to be sent. A calibration is one camera's: where another takes over behind the same
   * Publication, nothing else would tell the room.
   */
  cameraIs(camera: MediaStreamTrack): void {
    const key = camera.getSettings().deviceId || camera.label;
    const before = this.camera;
    this.camera = key;
    const publication_id = this.ownPublications.peek().get("camera");
    if (before === null || before === key || publication_id === undefined) return;
    this.options.live.call("camera_changed", { publication_id } satisfies CameraChangedRequest).catch(() => undefined);
  }

  /** Stop sending a source; its m-line stays, inactive, for the next time. The track itself is not stopped. */
  unpublish(source: SourceName): Promise<void> {
    return this.own.delete(source) ? this.negotiate() : Promise.resolve();
  }

  /** Send another track (another camera or microphone), or none, as it is and without negotiating. */
  async replace(source: SourceName, track: MediaStreamTrack | null): Promise<void> {
    const own = this.own.get(source);
    if (!own) return;
    if (track && own.emphasis) await this.publish(source, track);
    else await this.put(source, own, track && plain(track));
  }

  /** Mute or unmute a source, and tell the room. A muted track sends silence or black. */
  async setMuted(source: SourceName, muted: boolean): Promise<void> {
    const own = this.own.get(source);
    if (!own) return;
    own.muted = muted;
    own.sending?.setEnabled(!muted);
    await this.tellMuted(source);
  }

  isMuted(source: SourceName): boolean {
    return this.own.get(source)?.muted ?? false;
  }

  /** The room's Publications, as its state has them: receive exactly the others'; keep it right about one's own. */
  sync(publications: readonly PublicationView[]): void {
    const isOwn = ({ participant_id }: PublicationView): boolean => participant_id === this.options.participantId;
    this.known = publications.filter(isOwn);
    this.wanted = publications.filter((publication) => !isOwn(publication));
    for (const source of this.own.keys()) void this.tellMuted(source);
    if (planReceive(this.link?.slots ?? [], this.wanted).changed) void this.negotiate();
  }

  /** Cap what own video may use, in bit/s; null lifts the cap. */
  async limit(maxBitrate_bps: number | null): Promise<void> {
    this.maxBitrate_bps = Math.min(maxBitrate_bps ?? MAX_VIDEO_BITRATE_BPS, MAX_VIDEO_BITRATE_BPS);
    if (this.link) await this.tune(this.link);
  }

  /** The relay says what the best of a Publication's viewers can take. */
  async budget(budget: BudgetEvent): Promise<void> {
    this.budgets.set(budget.publication_id, budget);
    if (this.link) await this.tune(this.link);
  }

  async stats(): Promise<SessionStats> {
    const sourceOf = new Map<string, SourceName>();
    const publicationOf = new Map<string, string>();
    if (!this.link) return this.statsReader.read([], sourceOf, publicationOf);
    for (const [source, { transceiver }] of this.link.senders)
      if (transceiver.mid !== null) sourceOf.set(transceiver.mid, source);
    this.link.slots.forEach(({ publicationId }, i) => {
      const mid = this.link?.receivers[i]?.mid;
      if (mid != null && publicationId !== null) publicationOf.set(mid, publicationId);
    });
    const report = await this.link.connection.getStats();
    const reports: Parameters<StatsReader["read"]>[0] = [...(report as unknown as Map<string, never>).values()];
    return this.statsReader.read(reports, sourceOf, publicationOf);
  }

  /** End the connection. Own tracks go on, they belong to the caller. */
  close(): void {
    this.closed = true;
    clearInterval(this.watch);
    clearInterval(this.fitting);
    this.stopFollowing();
    window.removeEventListener("online", this.networkChanged);
    networkInformation()?.removeEventListener("change", this.networkChanged);
    this.link?.connection.close();
    this.link = null;
    this.wake();
    this.tracks.value = new Map();
    this.ownPublications.value = new Map();
    this.connection.value = "idle";
  }

  private async put(source: SourceName, own: Own, sending: Sending | null): Promise<void> {
    own.sending = sending;
    sending?.setEnabled(!own.muted);
    const sender = this.link?.senders.get(source);
    if (sender && sameEmphasis(sender.emphasis, own.emphasis))
      await sender.transceiver.sender.replaceTrack(sending?.track ?? null);
  }

  private negotiate(): Promise<void> {
    this.dirty = true;
    this.wake();
    this.running ??= this.negotiateUntilSettled().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async negotiateUntilSettled(): Promise<void> {
    let failures = 0;
    await null; // what is wanted in the same breath goes into one offer
    while (this.dirty && !this.closed) {
      this.dirty = false;
      const link = (this.link ??= this.build());
      try {
        await this.negotiateOnce(link);
        failures = 0;
        this.problem.value = null;
      } catch (error) {
        if (this.closed) return;
        this.dirty = true;
        if (this.link !== link) continue; // it was rebuilt meanwhile; its failure tells nothing
        failures += 1;
        if (failures > 1) this.problem.value = error instanceof ApiError ? error : new ApiError("media.negotiation", String(error), 0);
        if (link.connection.signalingState === "have-local-offer")
          await link.connection.setLocalDescription({ type: "rollback" }).catch(() => undefined);
        if (failures % 3 === 0) this.rebuild();
        await this.pause(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** failures));
      }
    }
  }

  private async negotiateOnce(link: Link): Promise<void> {
    await this.fit(link);
    if (link.connection.getTransceivers().length === 0) return;
    await link.connection.setLocalDescription(await link.connection.createOffer());
    // The relay learns our addresses from our own checks, so nothing waits for candidates.
    const sending = [...link.senders].map(([source, { transceiver, emphasis }]) => ({
      mid: transceiver.mid,
      source,
      active: this.own.has(source),
      emphasis,
    }));
    const receiving = link.slots.map(({ publicationId }, i) => ({ mid: link.receivers[i]?.mid ?? null, publicationId }));
    const reply = await this.options.live.call<NegotiateReply>("negotiate", {
      sdp: link.connection.localDescription?.sdp ?? "",
      ...midMaps(sending, receiving),
    } satisfies NegotiateRequest);
    if (this.link !== link) return;
    const session = sessionOf(reply.sdp);
    if (link.session !== null && session !== link.session) return this.rebuild();
    link.session = session;
    await link.connection.setRemoteDescription({ type: "answer", sdp: reply.sdp });
    this.takeOver(link, reply);
    await this.tune(link);
  }

  /** Fit the connection's transceivers to what is wanted. */
  private async fit(link: Link): Promise<void> {
    for (const [source, own] of this.own) {
      const present = link.senders.get(source);
      if (present && !sameEmphasis(present.emphasis, own.emphasis)) {
        await silence(present.transceiver);
        link.senders.delete(source);
      }
      const kept = link.senders.get(source)?.transceiver;
      const track = own.sending?.track ?? null;
      if (!kept) {
        const transceiver = addSender(link.connection, source, track, this.codec);
        link.senders.set(source, { transceiver, emphasis: own.emphasis });
        continue;
      }
      if (kept.sender.track !== track) await kept.sender.replaceTrack(track);
      if (kept.direction !== "sendonly") kept.direction = "sendonly";
    }
    for (const [source, { transceiver }] of link.senders) if (!this.own.has(source)) await silence(transceiver);
    link.slots = planReceive(link.slots, this.wanted).slots;
    link.slots.forEach((slot, i) => {
      const direction = slot.publicationId === null ? "inactive" : "recvonly";
      const present = link.receivers[i];
      if (!present) link.receivers.push(link.connection.addTransceiver(slot.kind, { direction }));
      else if (present.direction !== direction) present.direction = direction;
    });
  }

  private takeOver(link: Link, reply: NegotiateReply): void {
    const tracks = new Map<string, MediaStreamTrack>();
    link.slots.forEach(({ publicationId }, i) => {
      const transceiver = link.receivers[i];
      if (publicationId !== null && transceiver?.currentDirection === "recvonly")
        tracks.set(publicationId, transceiver.receiver.track);
    });
    if (!sameEntries(tracks, this.tracks.peek())) this.tracks.value = tracks;

    const published = new Map<SourceName, string>();
    for (const [source, { transceiver }] of link.senders) {
      const publicationId = transceiver.mid === null ? undefined : reply.publications[transceiver.mid];
      if (publicationId !== undefined) published.set(source, publicationId);
    }
    if (!sameEntries(published, this.ownPublications.peek())) this.ownPublications.value = published;
  }

  /** Tell the room whether a source is muted, unless it knows. What fails is told again with the next state. */
  private async tellMuted(source: SourceName): Promise<void> {
    const own = this.own.get(source);
    const known = this.known.find((publication) => publication.source === source);
    if (!own || !known || own.telling || known.muted === own.muted) return;
    const { muted } = own;
    own.telling = true;
    const told = await this.options.live.call("mute", { publication_id: known.publication_id, muted }).then(
      () => true,
      () => false,
    );
    own.telling = false;
    if (told && own.muted !== muted) await this.tellMuted(source); // changed meanwhile
  }

  private async tune(link: Link): Promise<void> {
    for (const [source, { transceiver }] of link.senders)
      if (kindOf(source) === "video") await this.tuneOne(source, transceiver.sender);
  }

  private async tuneOne(source: SourceName, sender: RTCRtpSender): Promise<void> {
    const budget = this.budgets.get(this.ownPublications.peek().get(source) ?? "");
    const target_bps = source === "camera" ? this.cameraTarget_bps : null;
    await tuneVideoSender(sender, this.maxBitrate_bps, target_bps, mostFramesOf(budget));
  }

  /** Fit the camera's frame rate to what the path carries just now. */
  private async fitFrames(): Promise<void> {
    const sender = this.link?.senders.get("camera")?.transceiver.sender;
    if (!sender?.track || this.connection.peek() !== "connected") return;
    this.cameraTarget_bps = await targetBitrate(sender).catch(() => null); // closed meanwhile
    if (this.cameraTarget_bps !== null && !this.closed) await this.tuneOne("camera", sender);
  }

  private build(): Link {
    const connection = new RTCPeerConnection({
      iceServers: rtcIceServers(this.options.iceServers),
      bundlePolicy: "max-bundle",
    });
    const link: Link = {
      connection,
      senders: new Map(),
      slots: [],
      receivers: [],
      session: null,
      everConnected: false,
      brokenSince_ms: Date.now(),
      restarts: 0,
    };
    connection.onconnectionstatechange = () => {
      if (this.link !== link) return;
      const whole = connection.connectionState === "connected";
      if (whole) {
        link.everConnected = true;
        link.restarts = 0;
        link.brokenSince_ms = null;
      } else link.brokenSince_ms ??= Date.now();
      this.connection.value = whole ? "connected" : link.everConnected ? "interrupted" : "connecting";
    };
    this.connection.value = this.connection.peek() === "idle" ? "connecting" : "interrupted";
    return link;
  }

  /** A new connection with everything that is wanted; what the old one carried ends. */
  private rebuild(): void {
    this.link?.connection.close();
    this.link = this.build();
    void this.negotiate();
  }

  private recover(): void {
    const { link } = this;
    if (!link || link.brokenSince_ms === null || !this.options.live.connected.peek()) return;
    if (link.connection.signalingState !== "stable" || link.connection.getTransceivers().length === 0) return;
    // The first connection may take its time: lost DTLS flights cost a second each.
    const patience = link.everConnected ? 1 : 3;
    const step = recoveryStep((Date.now() - link.brokenSince_ms) / patience, link.restarts);
    if (step === "restart_ice") {
      link.restarts += 1;
      link.connection.restartIce();
      void this.negotiate();
    } else if (step === "rebuild") this.rebuild();
  }

  private readonly networkChanged = (): void => {
    if (!this.link?.everConnected) return;
    this.link.connection.restartIce();
    void this.negotiate();
  };

  private pause(duration_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, duration_ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A track that is sent as it is. */
function plain(track: MediaStreamTrack): Sending {
  return {
    track,
    emphasis: null,
    setEnabled(enabled) {
      track.enabled = enabled;
    },
  };
}

/** Stop sending on an m-line. */
async function silence(transceiver: RTCRtpTransceiver): Promise<void> {
  if (transceiver.direction === "inactive") return;
  await transceiver.sender.replaceTrack(null);
  transceiver.direction = "inactive";
}

function networkInformation(): EventTarget | undefined {
  return (navigator as Navigator & { connection?: EventTarget }).connection;
}

function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
