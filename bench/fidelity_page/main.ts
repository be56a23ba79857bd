/** The pages of `./dev bench fidelity`: one sends its camera, one looks at what arrives. Python drives both. */

import { canEmphasize, type EmphasizedTrack, emphasize } from "../../consult_ui/src/lib/emphasized_track";
import { openCamera } from "../../consult_ui/src/lib/devices";
import { addSender, tuneVideoSender } from "../../consult_ui/src/lib/media_sender";
import { takeStill } from "../../consult_ui/src/lib/still";

interface Order {
  /** "defaults": what a browser does by itself; "product": what the patient's page does. */
  readonly sender: "defaults" | "product";
  readonly cap_bps: number;
  readonly content_hint: string;
  /** 256 codes each, or null: chroma is sent as it is. */
  readonly tables: { readonly u: readonly number[]; readonly v: readonly number[] } | null;
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
  if (given.content_hint !== "") track.contentHint = given.content_hint;
  const transceiver =
    given.sender === "product"
      ? addSender(connection, "camera", track, "VP8")
      : connection.addTransceiver(track, { direction: "sendonly" });
  sender = transceiver.sender;
  await connection.setLocalDescription(await connection.createOffer());
  return gathered();
}

async function accept(sdp: string): Promise<void> {
  await connection.setRemoteDescription({ type: "answer", sdp });
  if (!sender || !order) return;
  if (order.sender === "product") return tuneVideoSender(sender, order.cap_bps);
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings;
  if (!encoding) throw new Error("nothing was negotiated");
  encoding.maxBitrate = order.cap_bps;
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

let reader: ReadableStreamDefaultReader<VideoFrame>;

/** Begin to decode what is received, and go on for so long. */
async function watch(duration_ms: number): Promise<void> {
  const { MediaStreamTrackProcessor } = window as unknown as { MediaStreamTrackProcessor: Processor };
  reader = new MediaStreamTrackProcessor({ track: await received, maxBufferSize: 1 }).readable.getReader();
  await next(duration_ms).then((frame) => frame.close());
}

/** The first frame after so long. */
async function next(after_ms: number): Promise<VideoFrame> {
  const at = performance.now() + after_ms;
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) throw new Error("the track ended");
    if (performance.now() >= at) return frame;
    frame.close();
  }
}

/** Give so many frames to Python, each so long after the last, as I420. */
async function sample(to: string, count: number, spacing_ms: number): Promise<void> {
  for (let taken = 0; taken < count; taken += 1) {
    const frame = await next(spacing_ms);
    const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
    if (frame.format !== "I420") throw new Error(`decoded frames are ${frame.format}`);
    const bytes = new Uint8Array(frame.allocationSize());
    await frame.copyTo(bytes);
    frame.close();
    await fetch(`${to}?width=${width}&height=${height}`, { method: "POST", body: bytes });
  }
  await reader.cancel();
}

/** Bytes and frames sent so far. */
async function sent(): Promise<{ bytes: number; frames: number; at_ms: number; qp: number }> {
  for (const report of (await connection.getStats()).values())
    if (report.type === "outbound-rtp")
      return {
        bytes: report.bytesSent,
        frames: report.framesEncoded,
        at_ms: report.timestamp,
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

Object.assign(window, { bench: { offer, accept, wish, answer, watch, sample, sent, still, end } });
