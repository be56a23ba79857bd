/** Cameras, microphones and loudspeakers: opening them, and why one could not be opened. */

export type DeviceProblem = "refused" | "missing" | "busy" | "insecure" | "unsupported" | "failed";

/** A device could not be opened; `reason` is for the page to put into words. */
export class DeviceError extends Error {
  constructor(readonly reason: DeviceProblem) {
    super(`device ${reason}`);
    this.name = "DeviceError";
  }
}

/** What getUserMedia's error name means for a person. */
export function deviceProblem(errorName: string): DeviceProblem {
  switch (errorName) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
    case "DevicesNotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
    case "TrackStartError":
      return "busy";
    default:
      return "failed";
  }
}

export function hasWebRtc(): boolean {
  return typeof RTCPeerConnection !== "undefined";
}

/** Whether this browser can hold a call at all; null when it can. */
export function callObstacle(): "insecure" | "unsupported" | null {
  if (!window.isSecureContext) return "insecure";
  if (!hasWebRtc() || !navigator.mediaDevices?.getUserMedia) return "unsupported";
  return null;
}

export type Facing = "environment" | "user";

export interface CameraWish {
  readonly deviceId?: string;
  /** Patients show their skin: "environment". Staff show themselves: "user". */
  readonly facing?: Facing;
}

async function getTrack(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  const obstacle = callObstacle();
  if (obstacle) throw new DeviceError(obstacle);
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw new DeviceError(deviceProblem(error instanceof Error ? error.name : ""));
  }
  const [track] = stream.getTracks();
  if (!track) throw new DeviceError("missing");
  return track;
}

function cameraConstraints({ deviceId, facing }: CameraWish): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30 },
    ...(deviceId !== undefined ? { deviceId: { exact: deviceId } } : facing ? { facingMode: { ideal: facing } } : {}),
  };
}

function microphoneConstraints(deviceId?: string): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(deviceId !== undefined ? { deviceId: { exact: deviceId } } : {}),
  };
}

/** A camera's track at 1280x720, 30 frames/s where the device has them. Rejects with DeviceError. */
export function openCamera(wish: CameraWish = {}): Promise<MediaStreamTrack> {
  return getTrack({ video: cameraConstraints(wish) });
}

/** A microphone's track, with the browser's echo and noise handling. Rejects with DeviceError. */
export function openMicrophone(deviceId?: string): Promise<MediaStreamTrack> {
  return getTrack({ audio: microphoneConstraints(deviceId) });
}

export interface OpenedDevices {
  readonly camera: MediaStreamTrack | DeviceError;
  readonly microphone: MediaStreamTrack | DeviceError;
}

/** Camera and microphone with one question to the person; each comes back as a track or as the reason why not. */
export async function openCameraAndMicrophone(wish: CameraWish = {}): Promise<OpenedDevices> {
  const wanted = { video: cameraConstraints(wish), audio: microphoneConstraints() };
  try {
    if (callObstacle()) throw new DeviceError("failed");
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    const [camera] = stream.getVideoTracks();
    const [microphone] = stream.getAudioTracks();
    return { camera: camera ?? new DeviceError("missing"), microphone: microphone ?? new DeviceError("missing") };
  } catch {
    // One of the two failed both; each alone tells which, and why.
    const settle = (opening: Promise<MediaStreamTrack>): Promise<MediaStreamTrack | DeviceError> =>
      opening.catch((error: unknown) => (error instanceof DeviceError ? error : new DeviceError("failed")));
    const camera = await settle(openCamera(wish));
    return { camera, microphone: await settle(openMicrophone()) };
  }
}

/** A screen or window that the user chooses. Rejects with DeviceError. */
export async function openScreen(): Promise<MediaStreamTrack> {
  if (!navigator.mediaDevices?.getDisplayMedia) throw new DeviceError("unsupported");
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } } });
    const [track] = stream.getVideoTracks();
    if (!track) throw new DeviceError("missing");
    return track;
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw new DeviceError(deviceProblem(error instanceof Error ? error.name : ""));
  }
}

export interface Devices {
  readonly cameras: readonly MediaDeviceInfo[];
  readonly microphones: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
}

/** Devices of this machine; labels are empty until one of the kind was opened. */
export async function listDevices(): Promise<Devices> {
  const all = navigator.mediaDevices ? await navigator.mediaDevices.enumerateDevices().catch(() => []) : [];
  const kind = (name: MediaDeviceKind): MediaDeviceInfo[] =>
    all.filter((device) => device.kind === name && device.deviceId !== "");
  return { cameras: kind("videoinput"), microphones: kind("audioinput"), speakers: kind("audiooutput") };
}

/** Call listener whenever a device is plugged in or out; returns the function that ends it. */
export function onDeviceChange(listener: () => void): () => void {
  const { mediaDevices } = navigator;
  if (!mediaDevices) return () => undefined;
  mediaDevices.addEventListener("devicechange", listener);
  return () => mediaDevices.removeEventListener("devicechange", listener);
}

/** Which way a camera looks, where it says so: own pictures of a rear camera are never mirrored. */
export function facingOf(track: MediaStreamTrack): Facing | null {
  const { facingMode } = track.getSettings();
  if (facingMode === "environment" || facingMode === "user") return facingMode;
  if (/back|rear|environment|后置/i.test(track.label)) return "environment";
  if (/front|user|face|前置/i.test(track.label)) return "user";
  return null;
}
