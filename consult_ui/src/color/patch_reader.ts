/**
 * Reads a chart's patches out of the texture that the live picture is drawn from: what is measured is what the
 * correction gets, on whatever way the browser brought a frame to the GPU. Few bytes, and nothing waits for them.
 */

import { link } from "./gl_program";
import { COVER_SHADER, SAMPLES_SHADER } from "./lut_shader";
import { PATCHES, type PatchPlaces, REACH, SAMPLES, SIDE_SAMPLES } from "./patches";

const BYTES = 4 * SAMPLES * PATCHES;

/** Belongs to one graphics context, and goes with it. */
export class PatchReader {
  private fence: WebGLSync | null = null;

  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly picture: WebGLTexture,
    private readonly program: WebGLProgram,
    private readonly target: WebGLTexture,
    private readonly frameBuffer: WebGLFramebuffer,
    private readonly bytes: WebGLBuffer,
  ) {}

  /** null where the context gives no program, or is lost. */
  static of(gl: WebGL2RenderingContext, picture: WebGLTexture): PatchReader | null {
    const program = link(gl, COVER_SHADER, SAMPLES_SHADER);
    const [target, frameBuffer, bytes] = [gl.createTexture(), gl.createFramebuffer(), gl.createBuffer()];
    if (!program || !target || !frameBuffer || !bytes) return null;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, target);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, SAMPLES, PATCHES);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frameBuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target, 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindTexture(gl.TEXTURE_2D, picture);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, bytes);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, BYTES, gl.STREAM_READ);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    return new PatchReader(gl, picture, program, target, frameBuffer, bytes);
  }

  /** Sample what is in the picture's texture now. */
  begin({ centers, across, down }: PatchPlaces): void {
    const { gl, program } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frameBuffer);
    gl.viewport(0, 0, SAMPLES, PATCHES);
    gl.useProgram(program);
    gl.uniform1i(gl.getUniformLocation(program, "picture"), 0);
    gl.uniform1i(gl.getUniformLocation(program, "side"), SIDE_SAMPLES);
    gl.uniform1f(gl.getUniformLocation(program, "reach"), REACH);
    gl.uniform2fv(gl.getUniformLocation(program, "centers"), centers);
    gl.uniform2fv(gl.getUniformLocation(program, "across"), across);
    gl.uniform2fv(gl.getUniformLocation(program, "down"), down);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.bytes);
    gl.readPixels(0, 0, SAMPLES, PATCHES, gl.RGBA, gl.UNSIGNED_BYTE, 0);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this.forgetFence();
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  }

  /** The samples, RGBA, patch by patch, once the GPU has them. */
  take(): Uint8Array | null {
    const { gl, fence } = this;
    if (!fence || gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) return null;
    this.forgetFence();
    const bytes = new Uint8Array(BYTES);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.bytes);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, bytes);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    return bytes;
  }

  close(): void {
    const { gl } = this;
    this.forgetFence();
    gl.deleteTexture(this.target);
    gl.deleteFramebuffer(this.frameBuffer);
    gl.deleteBuffer(this.bytes);
    gl.deleteProgram(this.program);
  }

  private forgetFence(): void {
    if (this.fence) this.gl.deleteSync(this.fence);
    this.fence = null;
  }
}
