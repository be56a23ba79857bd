/**
 * Draws a live <video> through a 3D LUT onto a WebGL2 canvas, with a raw | corrected wipe.
 *
 * The video itself stays untouched: the correction exists only on this canvas. Left of the split is raw,
 * right of it corrected; without a LUT all of it is raw. Chroma that was stretched before the encoder is brought back
 * first: what is raw here is what the camera saw.
 */

import type { ChromaEmphasisView, PatchReading } from "../wire/messages";
import { ChartMeter } from "./chart_meter";
import { sameEmphasis } from "./emphasis";
import { EmphasizedPicture, NoPlanes, readPlanes } from "./emphasized_picture";
import { link } from "./gl_program";
import { type Lut } from "./lut";
import { FRAGMENT_SHADER, VERTEX_SHADER } from "./lut_shader";
import { onEachFrame, trackOf } from "./video_frames";

/**
 * waiting: no frame yet; lost: the GPU went away and may come back; unsupported: no WebGL2 here; unreadable: stretched
 * chroma, and frames that this browser does not let be read.
 */
export type LutCanvasState = "waiting" | "drawing" | "lost" | "unsupported" | "unreadable";

/** A fence that is not reported by then is not waited for. */
const LONGEST_DRAWING_MS = 2000;

/** So many frames in a row that could not be read are not chance any more. */
const UNREAD_FRAMES = 10;

interface Resources {
  readonly program: WebGLProgram;
  readonly picture: WebGLTexture;
  readonly lut: WebGLTexture;
  readonly lutSize: WebGLUniformLocation | null;
  readonly split: WebGLUniformLocation | null;
  readonly corrected: WebGLUniformLocation | null;
}

/** For a small picture beside the main one: it need not be as large, nor as smooth. */
export interface LutCanvasOptions {
  readonly maxWidth?: number;
  readonly interval_ms?: number;
}

export class LutCanvas {
  private readonly gl: WebGL2RenderingContext | null;
  private resources: Resources | null = null;
  private lut: Lut | null = null;
  private split = 0;
  private track: MediaStreamTrack | null = null;
  private emphasis: ChromaEmphasisView | null = null;
  private emphasized: EmphasizedPicture | null = null;
  private planeBytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  private reading = false;
  private readonly chart = new ChartMeter();
  private unread = 0;
  private drawnMs = 0;
  private hasFrame = false;
  private stopFrames: () => void = () => undefined;
  private redraw = 0;
  private fence: WebGLSync | null = null;
  private fenceMs = 0;
  private restUntilMs = 0;
  private closed = false;
  private lastState: LutCanvasState = "waiting";

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly video: HTMLVideoElement,
    private readonly onState: (state: LutCanvasState) => void,
    private readonly options: LutCanvasOptions = {},
  ) {
    this.gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      stencil: false,
      // The picture can be read at any time (a copy to a second view, a measurement on what is shown),
      // not only within the task that drew it. It costs one copy a frame.
      preserveDrawingBuffer: true,
      powerPreference: "high-performance",
    });
    if (!this.gl) {
      this.report("unsupported");
      return;
    }
    canvas.addEventListener("webglcontextlost", this.onLost);
    canvas.addEventListener("webglcontextrestored", this.onRestored);
    this.build();
    this.stopFrames = onEachFrame(video, this.onFrame);
  }

  get state(): LutCanvasState {
    return this.lastState;
  }

  /** Use a correction from the next drawing on; null shows the raw picture. */
  setLut(lut: Lut | null): void {
    if (lut === this.lut) return;
    this.lut = lut;
    this.uploadLut();
    this.drawSoon();
  }

  /** Where raw ends and corrected begins, 0 (all corrected) to 1 (all raw). */
  setSplit(split: number): void {
    const wanted = Math.min(1, Math.max(0, split));
    if (wanted === this.split) return;
    this.split = wanted;
    this.drawSoon();
  }

  /**
   * What the video element plays from now on, and how its chroma is stretched, for as long as this track lives. What
   * was drawn is shown no more, and no frame of another track is drawn.
   */
  show(track: MediaStreamTrack | null, emphasis: ChromaEmphasisView | null): void {
    if (track === this.track && sameEmphasis(emphasis, this.emphasis)) return;
    this.track = track;
    this.emphasis = emphasis;
    this.emphasized?.close();
    this.emphasized = null;
    this.forgetFrame();
  }

  /** What the next frame shows at a chart's patches, before any correction; null when it cannot be told. */
  measure(centers: readonly (readonly [number, number])[]): Promise<readonly PatchReading[] | null> {
    return this.gl && !this.closed ? this.chart.ask(centers) : Promise.resolve(null);
  }

  private forgetFrame(): void {
    this.chart.stop();
    this.hasFrame = false;
    if (this.lastState === "drawing" || this.lastState === "unreadable") this.report("waiting");
  }

  close(): void {
    this.closed = true;
    this.stopFrames();
    cancelAnimationFrame(this.redraw);
    this.canvas.removeEventListener("webglcontextlost", this.onLost);
    this.canvas.removeEventListener("webglcontextrestored", this.onRestored);
    this.emphasized?.close();
    this.emphasized = null;
    this.chart.close();
    if (this.gl && this.resources) {
      this.gl.deleteTexture(this.resources.picture);
      this.gl.deleteTexture(this.resources.lut);
      this.gl.deleteProgram(this.resources.program);
      this.resources = null;
    }
  }

  private readonly onLost = (event: Event): void => {
    event.preventDefault(); // else the browser never restores it
    this.resources = null;
    this.emphasized = null;
    this.chart.lost();
    this.fence = null;
    this.hasFrame = false;
    this.report("lost");
  };

  private readonly onRestored = (): void => {
    this.report("waiting");
    this.build();
    this.onFrame();
  };

  private readonly onFrame = (): void => {
    const { gl, video } = this;
    if (!gl || !this.resources || this.closed || document.hidden) return;
    this.chart.poll();
    if (this.isBehind()) return;
    const beganMs = performance.now();
    if (beganMs - this.drawnMs < (this.options.interval_ms ?? 0)) return;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return;
    if (!this.track || trackOf(video) !== this.track) return;
    if (this.emphasis) {
      void this.readAndDraw();
      return;
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.resources.picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, video);
    this.drawNew(video.videoWidth, video.videoHeight, beganMs);
  };

  /** A frame whose chroma is stretched: its planes are copied out of the decoder first, which takes a moment. */
  private async readAndDraw(): Promise<void> {
    const { gl, video, track, emphasis } = this;
    if (!gl || !emphasis || this.reading) return;
    this.reading = true;
    try {
      const planes = await readPlanes(video, this.planeBytes);
      this.planeBytes = planes.bytes;
      // The track or the context may have gone meanwhile: then these planes are of no use.
      if (this.track !== track || this.closed || !this.resources) return;
      const beganMs = performance.now();
      if (!this.emphasized) {
        this.emphasized = EmphasizedPicture.over(gl, this.resources.picture);
        this.emphasized?.setEmphasis(emphasis);
      }
      if (!this.emphasized) {
        if (!gl.isContextLost()) this.report("unreadable");
        return;
      }
      this.emphasized.paint(planes);
      this.drawNew(planes.width, planes.height, beganMs);
      this.unread = 0;
    } catch (error) {
      if (this.track !== track || this.closed) return;
      // A decoder that is just starting may fail once; one without planes always does.
      this.unread += 1;
      if (!(error instanceof NoPlanes) && this.unread < UNREAD_FRAMES) return;
      this.hasFrame = false;
      this.report("unreadable");
    } finally {
      this.reading = false;
    }
  }

  /** Draw the picture that was just put into its texture. */
  private drawNew(width: number, height: number, beganMs: number): void {
    const { gl, canvas, resources } = this;
    if (!gl || !resources) return;
    const scale = Math.min(1, (this.options.maxWidth ?? width) / width);
    const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== columns || canvas.height !== rows) {
      canvas.width = columns;
      canvas.height = rows;
    }
    this.drawnMs = beganMs;
    this.hasFrame = true;
    this.chart.drawn(gl, resources.picture, width, height);
    this.draw();
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    this.fenceMs = performance.now();
    this.restUntilMs = this.fenceMs + (this.fenceMs - beganMs);
    this.report("drawing");
  }

  /**
   * The GPU still draws an earlier frame, or drawing took half of this thread's time: then a frame is left out.
   * A slow machine shows fewer frames; its buttons, sound and messages stay quick.
   */
  private isBehind(): boolean {
    const nowMs = performance.now();
    if (nowMs < this.restUntilMs) return true;
    if (!this.gl || !this.fence) return false;
    const done = this.gl.getSyncParameter(this.fence, this.gl.SYNC_STATUS) === this.gl.SIGNALED;
    if (!done && nowMs - this.fenceMs < LONGEST_DRAWING_MS) return true;
    this.gl.deleteSync(this.fence);
    this.fence = null;
    return false;
  }

  /** At most one extra drawing a display refresh, however often the wipe moves between two frames. */
  private drawSoon(): void {
    if (this.redraw || !this.hasFrame || this.closed) return;
    this.redraw = requestAnimationFrame(() => {
      this.redraw = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { gl, resources } = this;
    if (!gl || !resources || !this.hasFrame) return;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.useProgram(resources.program);
    gl.uniform1f(resources.split, this.split);
    gl.uniform1f(resources.lutSize, this.lut?.size ?? 2);
    gl.uniform1i(resources.corrected, this.lut ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private build(): void {
    const { gl } = this;
    if (!gl) return;
    // The video's own conversion to sRGB is wanted, no second one by the canvas or the texture upload.
    if ("drawingBufferColorSpace" in gl) gl.drawingBufferColorSpace = "srgb";
    if ("unpackColorSpace" in gl) gl.unpackColorSpace = "srgb";
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1); // rows of a LUT are 3 * size bytes
    gl.disable(gl.DITHER); // else a code may change by one on the way out

    const program = link(gl, VERTEX_SHADER, FRAGMENT_SHADER);
    const picture = gl.createTexture();
    const lut = gl.createTexture();
    if (!program || !picture || !lut) {
      this.report(gl.isContextLost() ? "lost" : "unsupported");
      return;
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, picture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST); // one texel, one pixel
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, lut);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_WRAP_R, gl.CLAMP_TO_EDGE);

    gl.useProgram(program);
    gl.uniform1i(gl.getUniformLocation(program, "picture"), 0);
    gl.uniform1i(gl.getUniformLocation(program, "lut"), 1);
    this.resources = {
      program,
      picture,
      lut,
      lutSize: gl.getUniformLocation(program, "lut_size"),
      split: gl.getUniformLocation(program, "split"),
      corrected: gl.getUniformLocation(program, "corrected"),
    };
    this.uploadLut();
    this.warmUp();
  }

  /** Drivers finish a program when it first draws: do that now, on one texel, and not with the first frame. */
  private warmUp(): void {
    const { gl, resources } = this;
    if (!gl || !resources) return;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, resources.picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    this.hasFrame = true;
    this.draw();
    this.hasFrame = false;
    gl.flush();
  }

  private uploadLut(): void {
    const { gl, resources, lut } = this;
    if (!gl || !resources) return;
    // A sampler needs a complete texture even where the shader does not read it.
    const size = lut?.size ?? 1;
    const bytes = lut?.bytes ?? new Uint8Array(3);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, resources.lut);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB8, size, size, size, 0, gl.RGB, gl.UNSIGNED_BYTE, bytes);
  }

  private report(state: LutCanvasState): void {
    if (state === this.lastState) return;
    this.lastState = state;
    this.onState(state);
  }
}
