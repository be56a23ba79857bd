"""A web page for tests of the relay in real browsers: it publishes and views, and signals by fetch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from media.interface import MediaError, Source
from media.worker import MediaWorker

PAGE = """<!doctype html><meta charset=utf-8><title>relay</title><body><script>
const pc = new RTCPeerConnection();
const room = new URL(location).searchParams.get('room');
const participant = new URL(location).searchParams.get('participant');
const sources = new Map(), wanted = new Map(), videos = new Map();

// Offers whatever was added to the two maps (transceiver -> source, transceiver -> publication id).
async function negotiate(options) {
  await pc.setLocalDescription(await pc.createOffer(options));
  const byMid = (map) => Object.fromEntries([...map].map(([transceiver, value]) => [transceiver.mid, value]));
  const reply = await fetch(`/negotiate/${room}/${participant}`, {method: 'POST', body: JSON.stringify(
    {sdp: pc.localDescription.sdp, publications: byMid(sources), subscriptions: byMid(wanted)})});
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  await pc.setRemoteDescription({type: 'answer', sdp: answer.sdp});
  return answer.publications;
}

// Every encoded frame that passes a sender or a receiver from now on, as a number each.
function record(end) {
  const source = `onrtctransform = ({transformer}) => transformer.readable.pipeThrough(new TransformStream({
    transform(frame, controller) {
      let hash = 0;
      for (const octet of new Uint8Array(frame.data)) hash = (hash * 31 + octet) | 0;
      postMessage(hash);
      controller.enqueue(frame);
    }})).pipeTo(transformer.writable);`;
  const worker = new Worker(URL.createObjectURL(new Blob([source])));
  const list = [];
  worker.onmessage = ({data}) => list.push(data);
  end.transform = new RTCRtpScriptTransform(worker);
  return list;
}
let recorded = [];

async function publish(codec, video = {width: 320, height: 240}, sendEncodings = undefined) {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video});
  for (const track of stream.getTracks()) {
    const encodings = track.kind === 'video' && sendEncodings ? {sendEncodings} : {};
    const transceiver = pc.addTransceiver(track, {direction: 'sendonly', streams: [stream], ...encodings});
    if (track.kind === 'video' && sendEncodings?.length === 1) recorded = record(transceiver.sender);
    sources.set(transceiver, track.kind === 'audio' ? 'microphone' : 'camera');
    if (track.kind === 'video') {
      const all = RTCRtpSender.getCapabilities('video').codecs;
      transceiver.setCodecPreferences([...all.filter((c) => c.mimeType === 'video/' + codec),
        ...all.filter((c) => c.mimeType === 'video/rtx')]);
    }
  }
  return negotiate();
}

async function addScreen() {
  const canvas = document.createElement('canvas');
  canvas.width = 320; canvas.height = 240;
  const context = canvas.getContext('2d');
  setInterval(() => { context.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`;
    context.fillRect(0, 0, 320, 240); }, 66);
  const [track] = canvas.captureStream().getVideoTracks();
  sources.set(pc.addTransceiver(track, {direction: 'sendonly'}), 'screen');
  return negotiate();
}

pc.ontrack = ({track, transceiver}) => {
  const media = document.createElement(track.kind);
  media.autoplay = media.playsInline = true; media.muted = track.kind === 'video';
  media.srcObject = new MediaStream([track]);
  document.body.append(media);
  videos.set(wanted.get(transceiver), media);
};

async function view(publications, recording = false) {
  for (const [id, kind] of publications) {
    const transceiver = pc.addTransceiver(kind, {direction: 'recvonly'});
    wanted.set(transceiver, id);
    if (recording && kind === 'video') recorded = record(transceiver.receiver);
  }
  return negotiate();
}

// Resolves when a frame of this size is shown.
function sized(id, width, height) {
  const video = videos.get(id);
  return new Promise((resolve) => {
    const look = () => video.videoWidth === width && video.videoHeight === height
      ? resolve(true) : video.requestVideoFrameCallback(look);
    look();
  });
}

// Resolves to [width, height] after so many more frames have been shown.
function frames(id, count) {
  const video = videos.get(id);
  return new Promise((resolve) => {
    const next = () => count-- > 1 ? video.requestVideoFrameCallback(next)
      : resolve([video.videoWidth, video.videoHeight]);
    video.requestVideoFrameCallback(next);
  });
}

async function statistics(type, kind) {
  for (const report of (await pc.getStats()).values())
    if (report.type === type && report.kind === kind) return report;
  return null;
}

// Resolves when a statistic is no more than most; looks again at each frame that the camera shows.
async function sinksTo(most, type, kind, name) {
  const own = document.createElement('video');
  own.muted = true;
  own.srcObject = new MediaStream(pc.getSenders().map((sender) => sender.track).filter(Boolean));
  await own.play();
  while (!((await statistics(type, kind))?.[name] <= most))
    await new Promise((shown) => own.requestVideoFrameCallback(shown));
}

// RTP time of the sound that was played last, or null before there is any.
function soundTime() {
  const hearing = pc.getReceivers().filter(({track}) => track.kind === 'audio');
  const heard = hearing.flatMap((receiver) => receiver.getSynchronizationSources());
  return heard[0]?.rtpTimestamp ?? null;
}

const localPort = () => pc.getReceivers()[0].transport.iceTransport.getSelectedCandidatePair().local.port;
</script>"""


@asynccontextmanager
async def serve(
    worker: MediaWorker, ports: Mapping[str, int] | None = None, patient: str | None = None
) -> AsyncIterator[str]:
    """Serve the page on loopback; yields its address, which wants ?room=...&participant=...

    ports: participant -> UDP port that it is told instead of the relay's, as of a proxy before it.
    patient: the participant who is the patient.
    """

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def negotiate(request: web.Request) -> web.Response:
        body = await request.json()
        try:
            negotiation = await worker.negotiate(
                request.match_info["room"],
                request.match_info["participant"],
                body["sdp"],
                {mid: Source(source) for mid, source in body["publications"].items()},
                body["subscriptions"],
                request.remote,
                is_patient=request.match_info["participant"] == patient,
            )
        except MediaError as error:
            return web.json_response({"error": error.error_id}, status=400)
        published = [[info.publication_id, info.kind] for info in negotiation.publications]
        port = (ports or {}).get(request.match_info["participant"], worker.port)
        sdp = negotiation.sdp.replace(f" {worker.port} typ host", f" {port} typ host")
        return web.json_response({"sdp": sdp, "publications": published})

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/negotiate/{room}/{participant}", negotiate)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
