/** Rewrites the chroma of video frames through two tables; luma, size, time and tags stay. */

type FrameLayout = VideoFrameBufferInit & { rotation?: number; flip?: boolean };

/** Rewrites frames into one buffer that is used again. Throws for formats without planes of their own for chroma. */
export class ChromaRewriter {
  private buffer = new Uint8Array(0);

  constructor(
    private readonly u: Uint8Array,
    private readonly v: Uint8Array,
  ) {}

  async rewrite(frame: VideoFrame): Promise<VideoFrame> {
    const { format, visibleRect } = frame;
    if (visibleRect === null || (format !== "I420" && format !== "NV12")) throw new Error(`frames are ${format}`);
    const size = frame.allocationSize({ rect: visibleRect });
    if (this.buffer.length !== size) this.buffer = new Uint8Array(size);
    await frame.copyTo(this.buffer, { rect: visibleRect });
    const { width, height } = visibleRect;
    rewriteChroma(this.buffer, format, width, height, this.u, this.v);
    const turned = frame as VideoFrame & { rotation?: number; flip?: boolean };
    const layout: FrameLayout = {
      format,
      codedWidth: width,
      codedHeight: height,
      timestamp: frame.timestamp,
      colorSpace: frame.colorSpace.toJSON(),
      displayWidth: frame.displayWidth,
      displayHeight: frame.displayHeight,
    };
    if (frame.duration !== null) layout.duration = frame.duration;
    if (turned.rotation !== undefined) layout.rotation = turned.rotation;
    if (turned.flip !== undefined) layout.flip = turned.flip;
    return new VideoFrame(this.buffer, layout);
  }
}

/** Rewrite the chroma of a tightly packed picture in place; luma is left alone. */
export function rewriteChroma(
  picture: Uint8Array,
  format: "I420" | "NV12",
  width: number,
  height: number,
  u: Uint8Array,
  v: Uint8Array,
): void {
  const luma = width * height;
  const samples = Math.ceil(width / 2) * Math.ceil(height / 2);
  if (format === "I420") {
    const middle = luma + samples;
    const end = middle + samples;
    for (let i = luma; i < middle; i++) picture[i] = u[picture[i] as number] as number;
    for (let i = middle; i < end; i++) picture[i] = v[picture[i] as number] as number;
    return;
  }
  const end = luma + 2 * samples;
  for (let i = luma; i < end; i += 2) {
    picture[i] = u[picture[i] as number] as number;
    picture[i + 1] = v[picture[i + 1] as number] as number;
  }
}
