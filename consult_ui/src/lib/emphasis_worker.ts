/** The worker that rewrites a camera's chroma, frame by frame, through two tables. */

import { ChromaRewriter } from "../color/chroma_rewriter";

/** Frames in, frames out, and what each code of Cb and Cr becomes. */
export interface EmphasisOrder {
  readonly readable: ReadableStream<VideoFrame>;
  readonly writable: WritableStream<VideoFrame>;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/** begun: a first frame has gone through; failed: frames of this camera cannot be rewritten. */
export type EmphasisReport = "begun" | "failed";

async function run({ readable, writable, u, v }: EmphasisOrder): Promise<void> {
  const rewriter = new ChromaRewriter(u, v);
  const reader = readable.getReader();
  const writer = writable.getWriter();
  let begun = false;
  try {
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) break;
      let rewritten: VideoFrame;
      try {
        rewritten = await rewriter.rewrite(frame);
      } finally {
        frame.close();
      }
      await writer.write(rewritten);
      if (!begun) report("begun");
      begun = true;
    }
    await writer.close();
  } catch {
    // Never a frame that is not rewritten: better none.
    report("failed");
    await Promise.allSettled([reader.cancel(), writer.abort()]);
  }
}

function report(what: EmphasisReport): void {
  self.postMessage(what);
}

self.onmessage = ({ data }: MessageEvent<EmphasisOrder>) => void run(data);
