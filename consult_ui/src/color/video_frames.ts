/** What a <video> plays, and when it shows something new. */

/** The video track that an element plays, or null. */
export function trackOf(video: HTMLVideoElement): MediaStreamTrack | null {
  const { srcObject } = video;
  return srcObject instanceof MediaStream ? (srcObject.getVideoTracks()[0] ?? null) : null;
}

/** Call back for each new frame of a video; by display refresh and media time where the browser has no frame callback. */
export function onEachFrame(video: HTMLVideoElement, callback: () => void): () => void {
  if (typeof video.requestVideoFrameCallback === "function") {
    let handle = 0;
    const next = () => {
      handle = video.requestVideoFrameCallback(next);
      callback();
    };
    handle = video.requestVideoFrameCallback(next);
    return () => video.cancelVideoFrameCallback(handle);
  }
  let handle = 0;
  let lastTime = -1;
  const poll = () => {
    handle = requestAnimationFrame(poll);
    if (video.currentTime === lastTime) return;
    lastTime = video.currentTime;
    callback();
  };
  handle = requestAnimationFrame(poll);
  return () => cancelAnimationFrame(handle);
}
