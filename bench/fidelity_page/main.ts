/** The pages of `./dev bench fidelity`: one sends its camera, one looks at what arrives. Python drives both. */

import { canEmphasize, type EmphasizedTrack, emphasize } from "../../consult_ui/src/lib/emphasized_track";
import { openCamera } from "../../consult_ui/src/lib/devices";
import { addSender, tuneVideoSender } from "../../consult_ui/src/lib/media_sender";
import { takeStill } from "../../consult_ui/src/lib/still";

interface Order {
  /** "defaults": what a browser does by itself; "product": what the patient's page does. */
  readonly sender: "defaults" | "product";
  readonly codec: string;
  readonly cap_bps: number;
  /** 256 codes each, or null: chroma is sent as it is. */
  readonly tables: { readonly u: readonly number[]; readonly v: readonly number[] } | null;
  readonly max_framerate: number | null;
  readonly content_hint: string;
}

interface Sampled {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

type Processor = new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => {
  readonly readable: ReadableStream<VideoFrame>;
};

let connection = new RTCPeerConnection();
let camera: MediaStreamTrack | null = null;
let sender: RTCRtpSender | null = null;
let order: Order | null = null;
let emphasized: EmphasizedTrack | null = null;
let received: Promise<MediaStreamTrack> = Promise.resolve(null as never);

/** Add the camera to a new connection as ordered; returns the offer. */
async function offer(given: Order): Promise<string> {
  order = given;
  connection = new RTCPeerConnection();
  camera ??= await openCamera();
  let track = camera;
  if (given.tables) {
    if (!canEmphasize()) throw new Error("this browser cannot emphasize");
    const tables = { u: Uint8Array.from(given.tables.u), v: Uint8Array.from(given.tables.v) };
    emphasized = await emphasize(camera, tables, () => console.error("emphasis broke off"));
    if (!emphasized) throw new Error("no frame went through the emphasis");
    track = emphasized.track;
  }
  track.contentHint = given.content_hint;
  const transceiver =
    given.sender === "product"
      ? addSender(connection, "camera", track, given.codec)
      : connection.addTransceiver(track, { direction: "sendonly" });
  if (given.sender === "defaults" && given.codec !== "VP8") {
    const all = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
    transceiver.setCodecPreferences(all.filter(({ mimeType }) => mimeType === `video/${given.codec}`));
  }
  sender = transceiver.sender;
  await connection.setLocalDescription(await connection.createOffer());
  return gathered();
}

async function accept(sdp: string): Promise<void> {
  await connection.setRemoteDescription({ type: "answer", sdp });
  if (!sender || !order) return;
  if (order.sender === "product") await tuneVideoSender(sender, order.cap_bps);
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings;
  if (!encoding) throw new Error("nothing was negotiated");
  encoding.maxBitrate = order.cap_bps;
  if (order.max_framerate !== null) encoding.maxFramerate = order.max_framerate;
  await sender.setParameters(parameters);
}

function listen(): void {
  received = new Promise((resolve) => {
    connection.ontrack = ({ track }) => resolve(track);
  });
}

/** Ask a server for a stream; returns the offer. */
async function wish(): Promise<string> {
  connection = new RTCPeerConnection();
  listen();
  connection.addTransceiver("video", { direction: "recvonly" });
  await connection.setLocalDescription(await connection.createOffer());
  return gathered();
}

/** Answer another page's offer, or a server's. */
async function answer(sdp: string): Promise<string> {
  connection = new RTCPeerConnection();
  listen();
  await connection.setRemoteDescription({ type: "offer", sdp });
  await connection.setLocalDescription(await connection.createAnswer());
  return gathered();
}

/** The local description with its candidates. */
async function gathered(): Promise<string> {
  while (connection.iceGatheringState !== "complete")
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  return connection.localDescription?.sdp ?? "";
}

/** Watch for so long, then give every frame that is `spacing_ms` after the last to Python, as I420. */
async function sample(to: string, warm_ms: number, count: number, spacing_ms: number): Promise<Sampled[]> {
  const { MediaStreamTrackProcessor } = window as unknown as { MediaStreamTrackProcessor: Processor };
  const track = await received;
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
  const sampled: Sampled[] = [];
  let next = performance.now() + warm_ms;
  while (sampled.length < count) {
    const { value: frame, done } = await reader.read();
    if (done) throw new Error("the track ended");
    const now = performance.now();
    if (now >= next) {
      next = now + spacing_ms;
      const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
      if (frame.format !== "I420") throw new Error(`decoded frames are ${frame.format}`);
      const bytes = new Uint8Array(frame.allocationSize());
      await frame.copyTo(bytes);
      await fetch(`${to}?width=${width}&height=${height}`, { method: "POST", body: bytes });
      sampled.push({ width, height, bytes: bytes.length });
    }
    frame.close();
  }
  await reader.cancel();
  return sampled;
}

/** Bytes and frames sent so far. */
async function sent(): Promise<{ bytes: number; frames: number; at_ms: number; limited: string; qp: number }> {
  for (const report of (await connection.getStats()).values())
    if (report.type === "outbound-rtp")
      return {
        bytes: report.bytesSent,
        frames: report.framesEncoded,
        at_ms: report.timestamp,
        limited: report.qualityLimitationReason,
        qp: report.qpSum,
      };
  throw new Error("nothing is sent");
}

/** The product's still of the camera. */
async function still(to: string): Promise<string> {
  camera ??= await openCamera();
  const taken = await takeStill(camera);
  await fetch(to, { method: "POST", body: taken.bytes });
  return taken.method;
}

function end(): void {
  connection.close();
  emphasized?.stop();
  emphasized = null;
}

Object.assign(window, { bench: { offer, accept, wish, answer, sample, sent, still, end } });
