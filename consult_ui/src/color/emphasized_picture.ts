/**
 * The frames of a Publication whose chroma is stretched, brought back on the GPU.
 *
 * A decoded frame is read as planes, since between stretched chroma and RGB lies a gamut that would clip it. Each
 * chroma sample goes through the inverse table, and only then are samples interpolated and converted to RGB.
 */

import type { ChromaEmphasisView } from "../wire/messages";
import { inverseTable } from "./emphasis";
import { link } from "./gl_program";
import { COVER_SHADER, PLANES_SHADER } from "./lut_shader";
import { yuvToRgb } from "./yuv";

/** A frame's planes in one tightly packed buffer. */
export interface FramePlanes {
  readonly format: "I420" | "NV12";
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly space: { readonly matrix?: string | null; readonly fullRange?: boolean | null };
}

/** Frames of this decoder have no planes that a page may read. */
export class NoPlanes extends Error {}

const UNITS = { luma: 2, cb: 3, cr: 4, tables: 5 } as const;

const UNREADABLE = "truehue.frames_unreadable";

/** Whether this browser can bring stretched chroma back: planes of frames, and a GPU program over them. */
export function canUndoEmphasis(): boolean {
  if (typeof VideoFrame === "undefined" || typeof document === "undefined" || foundUnreadable()) return false;
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext(); // browsers keep few at a time
  return context !== null;
}

/** Frames of this browser's decoders turned out to have no planes: remembered, so that a reload does not try again. */
export function rememberUnreadable(): void {
  try {
    sessionStorage.setItem(UNREADABLE, "1");
  } catch {
    // then a reload finds out once more
  }
}

function foundUnreadable(): boolean {
  try {
    return sessionStorage.getItem(UNREADABLE) !== null;
  } catch {
    return false;
  }
}

/** Read the present frame of a video. Rejects with NoPlanes. */
export async function readPlanes(video: HTMLVideoElement, into: Uint8Array<ArrayBuffer>): Promise<FramePlanes> {
  const frame = new VideoFrame(video);
  try {
    const { format, visibleRect } = frame;
    if ((format !== "I420" && format !== "NV12") || visibleRect === null) throw new NoPlanes(`frames are ${format}`);
    const size = frame.allocationSize({ rect: visibleRect });
    const bytes = into.length === size ? into : new Uint8Array(size);
    await frame.copyTo(bytes, { rect: visibleRect });
    return { format, width: visibleRect.width, height: visibleRect.height, bytes, space: frame.colorSpace.toJSON() };
  } finally {
    frame.close();
  }
}

/** Paints planes into a texture as RGB. Belongs to one graphics context, and goes with it. */
export class EmphasizedPicture {
  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly program: WebGLProgram,
    private readonly target: WebGLTexture,
    private readonly frameBuffer: WebGLFramebuffer,
    private readonly planes: Record<keyof typeof UNITS, WebGLTexture>,
  ) {}

  /** null where the context gives no program, or is lost. */
  static over(gl: WebGL2RenderingContext, target: WebGLTexture): EmphasizedPicture | null {
    const program = link(gl, COVER_SHADER, PLANES_SHADER);
    const frameBuffer = gl.createFramebuffer();
    const [luma, cb, cr, tables] = [gl.createTexture(), gl.createTexture(), gl.createTexture(), gl.createTexture()];
    if (!program || !frameBuffer || !luma || !cb || !cr || !tables) return null;
    const planes = { luma, cb, cr, tables };
    gl.useProgram(program);
    for (const [name, unit] of Object.entries(UNITS) as [keyof typeof UNITS, number][]) {
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, planes[name]);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    }
    return new EmphasizedPicture(gl, program, target, frameBuffer, planes);
  }

  setEmphasis({ center_u, center_v, softness }: ChromaEmphasisView): void {
    const { gl } = this;
    const tables = new Float32Array(512);
    tables.set(inverseTable(center_u, softness), 0);
    tables.set(inverseTable(center_v, softness), 256);
    gl.activeTexture(gl.TEXTURE0 + UNITS.tables);
    gl.bindTexture(gl.TEXTURE_2D, this.planes.tables);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, 256, 2, 0, gl.RED, gl.FLOAT, tables);
  }

  /** Upload planes and paint them into the target texture, which takes their size. */
  paint({ format, width, height, bytes, space }: FramePlanes): void {
    const { gl } = this;
    const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const [luma, samples] = [width * height, columns * rows];
    this.upload("luma", gl.R8, gl.RED, width, height, bytes.subarray(0, luma));
    if (format === "NV12") this.upload("cb", gl.RG8, gl.RG, columns, rows, bytes.subarray(luma, luma + 2 * samples));
    else {
      this.upload("cb", gl.R8, gl.RED, columns, rows, bytes.subarray(luma, luma + samples));
      this.upload("cr", gl.R8, gl.RED, columns, rows, bytes.subarray(luma + samples, luma + 2 * samples));
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.target);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frameBuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.target, 0);
    gl.viewport(0, 0, width, height);
    gl.useProgram(this.program);
    const { matrix, offset } = yuvToRgb(space);
    gl.uniformMatrix3fv(gl.getUniformLocation(this.program, "to_rgb"), true, matrix);
    gl.uniform3fv(gl.getUniformLocation(this.program, "to_rgb_offset"), offset);
    gl.uniform1i(gl.getUniformLocation(this.program, "interleaved"), format === "NV12" ? 1 : 0);
    // A texture that is painted must not be one that is read.
    gl.bindTexture(gl.TEXTURE_2D, null);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindTexture(gl.TEXTURE_2D, this.target);
  }

  close(): void {
    const { gl } = this;
    for (const texture of Object.values(this.planes)) gl.deleteTexture(texture);
    gl.deleteFramebuffer(this.frameBuffer);
    gl.deleteProgram(this.program);
  }

  private upload(
    name: keyof typeof UNITS,
    internal: GLint,
    format: GLenum,
    width: number,
    height: number,
    bytes: Uint8Array,
  ): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + UNITS[name]);
    gl.bindTexture(gl.TEXTURE_2D, this.planes[name]);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.UNSIGNED_BYTE, bytes);
  }
}
