/** A participant's own camera, microphone and loudspeaker: what is open, what is chosen, what failed and why. */

import { signal } from "@preact/signals";
import {
  DeviceError,
  type DeviceProblem,
  type Devices,
  type Facing,
  facingOf,
  listDevices,
  onDeviceChange,
  openCamera,
  openCameraAndMicrophone,
  openMicrophone,
} from "../lib/devices";

export class OwnMedia {
  readonly camera = signal<MediaStreamTrack | null>(null);
  readonly microphone = signal<MediaStreamTrack | null>(null);
  readonly cameraProblem = signal<DeviceProblem | null>(null);
  readonly microphoneProblem = signal<DeviceProblem | null>(null);
  readonly devices = signal<Devices>({ cameras: [], microphones: [], speakers: [] });
  readonly speakerId = signal<string | null>(null);
  /** Whether the person wants to be seen and heard; a device that is missing does not change it. */
  readonly cameraOn = signal(true);
  readonly microphoneOn = signal(true);
  readonly opening = signal(false);
  /** True once the person was asked for the devices, whatever came of it. */
  readonly asked = signal(false);
  private lastCameraId: string | undefined;
  private readonly stopListening: () => void;

  constructor(private facing: Facing) {
    this.stopListening = onDeviceChange(() => void this.refresh());
  }

  /** Open camera and microphone, with one question to the person. */
  async open(): Promise<void> {
    this.opening.value = true;
    this.stopCamera();
    this.microphone.peek()?.stop();
    const opened = await openCameraAndMicrophone({ facing: this.facing });
    this.take(opened.camera, "camera");
    this.take(opened.microphone, "microphone");
    await this.refresh();
    this.asked.value = true;
    this.opening.value = false;
  }

  async chooseCamera(deviceId: string): Promise<void> {
    await this.reopenCamera({ deviceId });
  }

  /** The camera on the other side of the phone, else the next one in the list. */
  async switchCamera(): Promise<void> {
    const present = this.camera.peek();
    const { cameras } = this.devices.peek();
    const looks = present && facingOf(present);
    if (looks) {
      this.facing = looks === "environment" ? "user" : "environment";
      await this.reopenCamera({ facing: this.facing });
      return;
    }
    const next = cameras[(cameras.findIndex(({ deviceId }) => deviceId === this.lastCameraId) + 1) % cameras.length];
    if (next) await this.reopenCamera({ deviceId: next.deviceId });
  }

  /** Off means off: the camera is released and its light goes out. */
  async setCameraOn(on: boolean): Promise<void> {
    this.cameraOn.value = on;
    if (on) await this.reopenCamera(this.lastCameraId === undefined ? { facing: this.facing } : { deviceId: this.lastCameraId });
    else this.stopCamera();
  }

  async chooseMicrophone(deviceId: string): Promise<void> {
    this.microphone.peek()?.stop();
    this.take(await openMicrophone(deviceId).catch(asDeviceError), "microphone");
    await this.refresh();
  }

  /** Release everything. */
  close(): void {
    this.stopListening();
    this.stopCamera();
    this.microphone.peek()?.stop();
    this.microphone.value = null;
  }

  private async reopenCamera(wish: Parameters<typeof openCamera>[0]): Promise<void> {
    const before = this.lastCameraId;
    this.opening.value = true;
    // Phones open one camera at a time.
    this.stopCamera();
    let opened = await openCamera(wish).catch(asDeviceError);
    if (opened instanceof DeviceError && before !== undefined && wish?.deviceId !== before)
      opened = await openCamera({ deviceId: before }).catch(asDeviceError);
    this.take(opened, "camera");
    await this.refresh();
    this.opening.value = false;
  }

  private stopCamera(): void {
    this.camera.peek()?.stop();
    this.camera.value = null;
  }

  private take(opened: MediaStreamTrack | DeviceError, kind: "camera" | "microphone"): void {
    const [track, problem] =
      kind === "camera" ? [this.camera, this.cameraProblem] : [this.microphone, this.microphoneProblem];
    if (opened instanceof DeviceError) {
      track.value = null;
      problem.value = opened.reason;
      return;
    }
    // Unplugged, or taken by another program while in use.
    opened.addEventListener("ended", () => {
      if (track.peek() !== opened) return;
      track.value = null;
      problem.value = "missing";
    });
    track.value = opened;
    problem.value = null;
    if (kind === "camera") {
      this.lastCameraId = opened.getSettings().deviceId;
      this.cameraOn.value = true;
    }
  }

  private async refresh(): Promise<void> {
    this.devices.value = await listDevices();
  }
}

function asDeviceError(error: unknown): DeviceError {
  return error instanceof DeviceError ? error : new DeviceError("failed");
}
