/** One's own camera, microphone and screen in a call: asked for only when wanted, and the call goes on without. */

import { signal, type Signal } from "@preact/signals";

import {
  DeviceError,
  type DeviceProblem,
  type Devices,
  type Facing,
  listDevices,
  onDeviceChange,
  openCamera,
  openCameraAndMicrophone,
  openMicrophone,
  openScreen,
} from "../lib/devices";
import type { MediaSession } from "../lib/media_session";
import type { SourceName } from "../wire/messages";

export interface OwnProblem {
  readonly source: SourceName;
  readonly reason: DeviceProblem;
}

export class OwnMedia {
  readonly tracks: Record<SourceName, Signal<MediaStreamTrack | null>> = {
    camera: signal(null),
    microphone: signal(null),
    screen: signal(null),
  };
  readonly muted = signal(false);
  readonly problem = signal<OwnProblem | null>(null);
  readonly devices = signal<Devices>({ cameras: [], microphones: [], speakers: [] });
  readonly speaker = signal("");
  private session: MediaSession | null = null;
  private closed = false;
  private readonly stopListening: () => void;

  constructor(private readonly facing: Facing) {
    this.stopListening = onDeviceChange(() => void this.refreshDevices());
  }

  /** What is on is published in this session; null when there is none (any more). */
  attach(session: MediaSession | null): void {
    this.session = session;
    if (!session) return;
    for (const [source, { value: track }] of Object.entries(this.tracks) as [SourceName, Signal<MediaStreamTrack | null>][]) {
      if (track) void this.publish(source, track);
    }
  }

  /** Microphone and camera with one question; a page without the one still has the other. */
  async start(): Promise<void> {
    if (this.tracks.microphone.value || this.tracks.camera.value) {
      if (!this.tracks.microphone.value) await this.open("microphone");
      if (!this.tracks.camera.value) await this.open("camera");
      return;
    }
    const opened = await openCameraAndMicrophone({ facing: this.facing });
    // In one breath, so that one negotiation carries both.
    await Promise.all([this.take("microphone", opened.microphone), this.take("camera", opened.camera)]);
    await this.refreshDevices();
  }

  async open(source: SourceName, deviceId?: string): Promise<void> {
    const opened = await this.ask(source, deviceId).catch((error: unknown) =>
      error instanceof DeviceError ? error : new DeviceError("failed"),
    );
    await this.take(source, opened);
    await this.refreshDevices();
  }

  stop(source: SourceName): void {
    const track = this.tracks[source].value;
    this.tracks[source].value = null;
    track?.stop();
    void this.session?.unpublish(source);
  }

  toggle(source: "camera" | "screen"): Promise<void> {
    if (!this.tracks[source].value) return this.open(source);
    this.stop(source);
    return Promise.resolve();
  }

  /** Mute or unmute; without a microphone this asks for one. */
  async setMuted(muted: boolean): Promise<void> {
    if (!this.tracks.microphone.value) {
      if (!muted) {
        this.muted.value = false;
        await this.open("microphone");
      }
      return;
    }
    this.muted.value = muted;
    const track = this.tracks.microphone.value;
    track.enabled = !muted;
    await this.session?.setMuted("microphone", muted);
  }

  close(): void {
    this.closed = true;
    this.stopListening();
    this.session = null;
    for (const source of ["camera", "microphone", "screen"] as const) this.stop(source);
  }

  private ask(source: SourceName, deviceId: string | undefined): Promise<MediaStreamTrack> {
    if (source === "microphone") return openMicrophone(deviceId);
    if (source === "screen") return openScreen();
    return openCamera(deviceId === undefined ? { facing: this.facing } : { deviceId });
  }

  private async take(source: SourceName, opened: MediaStreamTrack | DeviceError): Promise<void> {
    if (opened instanceof DeviceError) {
      const dismissed = source === "screen" && opened.reason === "refused";
      if (!dismissed) this.problem.value = { source, reason: opened.reason };
      return;
    }
    if (this.closed) return opened.stop(); // the person was quicker than the device
    this.tracks[source].value?.stop();
    this.tracks[source].value = opened;
    if (this.problem.value?.source === source) this.problem.value = null;
    // An unplugged device or a share ended by the browser's own button.
    opened.addEventListener("ended", () => {
      if (this.tracks[source].value === opened) this.stop(source);
    });
    await this.publish(source, opened);
  }

  private async publish(source: SourceName, track: MediaStreamTrack): Promise<void> {
    if (!this.session) return;
    if (source === "camera") this.session.cameraIs(track);
    await this.session.publish(source, track);
    if (source === "microphone" && this.muted.value) await this.session.setMuted(source, true);
  }

  private async refreshDevices(): Promise<void> {
    this.devices.value = await listDevices();
  }
}
