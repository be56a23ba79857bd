/** Takes a still at the device's native resolution, unaltered: the picture that is judged, not the video. */

import type { UploadRequest } from "../wire/messages";
import { type CameraLock, lockCamera } from "./camera_lock";

export interface Still {
  readonly bytes: Blob;
  readonly method: UploadRequest["method"];
  /** Camera settings as the browser states them; nothing that identifies the device. */
  readonly settings: Record<string, string | number | boolean | null>;
  readonly device: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
}

/** No still can be taken from this track: ask for a file, or say that it failed. */
export class StillImpossible extends Error {
  constructor() {
    super("no still can be taken from this camera");
    this.name = "StillImpossible";
  }
}

interface PhotoCapabilities {
  readonly imageWidth?: { readonly max: number };
  readonly imageHeight?: { readonly max: number };
  readonly fillLightMode?: readonly string[];
}

interface ImageCaptureLike {
  getPhotoCapabilities(): Promise<PhotoCapabilities>;
  takePhoto(settings?: { imageWidth?: number; imageHeight?: number; fillLightMode?: string }): Promise<Blob>;
}

declare const ImageCapture: (new (track: MediaStreamTrack) => ImageCaptureLike) | undefined;

const LOCK_TIMEOUT_MS = 2_500;
const PHOTO_TIMEOUT_MS = 8_000;
const FRAME_TIMEOUT_MS = 4_000;

/** The plain values of a track's settings, without the ids that would tell devices apart. */
export function plainSettings(settings: object): Still["settings"] {
  const plain: Still["settings"] = {};
  for (const [name, value] of Object.entries(settings)) {
    if (name === "deviceId" || name === "groupId") continue;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") plain[name] = value;
  }
  return plain;
}

function within<T>(promise: Promise<T>, duration_ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StillImpossible()), duration_ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The camera's own photo at its largest size, without a flash: it would be a light that no calibration has seen.
 * Chrome interrupts the video for a moment. */
async function takePhoto(track: MediaStreamTrack): Promise<Blob> {
  if (typeof ImageCapture === "undefined") throw new StillImpossible();
  const capture = new ImageCapture(track);
  const { imageWidth, imageHeight, fillLightMode } = await capture.getPhotoCapabilities();
  const size = imageWidth?.max && imageHeight?.max ? { imageWidth: imageWidth.max, imageHeight: imageHeight.max } : {};
  const light = fillLightMode?.includes("off") ? { fillLightMode: "off" } : {};
  const photo = await capture.takePhoto({ ...size, ...light });
  if (photo.size === 0) throw new StillImpossible();
  return photo;
}

/** The present frame as JPEG at quality 1.0: below it browsers halve the color resolution (4:2:0). */
async function drawFrame(track: MediaStreamTrack): Promise<Blob> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  try {
    await video.play();
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)
      await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext("2d", { colorSpace: "srgb" });
    if (!context || canvas.width === 0) throw new StillImpossible();
    context.drawImage(video, 0, 0);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new StillImpossible())), "image/jpeg", 1),
    );
  } finally {
    video.srcObject = null;
  }
}

/** A still of a live camera track, its settings held: takePhoto, else the frame that is shown.
 * Rejects with StillImpossible. */
export async function takeStill(track: MediaStreamTrack): Promise<Still> {
  if (track.readyState !== "live" || !track.enabled) throw new StillImpossible();
  const locking = lockCamera(track);
  const lock = await within(locking, LOCK_TIMEOUT_MS).catch(() => null);
  try {
    return await shoot(track, lock);
  } finally {
    void locking.then(({ release }) => release());
  }
}

async function shoot(track: MediaStreamTrack, lock: CameraLock | null): Promise<Still> {
  const settings = { ...plainSettings(track.getSettings()), held: lock?.held.join(" ") ?? "" };
  const frame = { settings, device: track.label.slice(0, 300) };
  const takenAt = new Date().toISOString();
  try {
    return { bytes: await within(takePhoto(track), PHOTO_TIMEOUT_MS), method: "take_photo", takenAt, ...frame };
  } catch {
    // Many phones cannot, or break off; the frame is always at hand.
  }
  try {
    const at = new Date().toISOString();
    return { bytes: await within(drawFrame(track), FRAME_TIMEOUT_MS), method: "canvas", takenAt: at, ...frame };
  } catch {
    throw new StillImpossible();
  }
}

/** A still that the person took with the camera app, or chose. */
export function stillFromFile(file: File): Still {
  return {
    bytes: file,
    method: "file",
    settings: {},
    device: "",
    takenAt: new Date(file.lastModified).toISOString(),
  };
}
