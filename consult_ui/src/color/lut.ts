/**
 * A 3D LUT and its application on the CPU: the reference that the GPU path is held against.
 *
 * A LUT maps sRGB-encoded RGB to sRGB-encoded RGB. Its bytes are size^3 * 3, red fastest:
 * index = ((b * size + g) * size + r) * 3, as LutEvent carries them.
 */

export interface Lut {
  /** Grid points on each axis, at least 2. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** A LUT whose bytes do not fit its size, or whose size no GPU is asked to hold. */
export class LutError extends Error {
  readonly id = "color.lut_malformed";
}

export const LARGEST_LUT = 65;

/** Check a LUT that came over the wire. */
export function lutOf(size: number, bytes: Uint8Array): Lut {
  if (!Number.isInteger(size) || size < 2 || size > LARGEST_LUT) {
    throw new LutError(`a LUT has 2 to ${LARGEST_LUT} points on an axis, not ${size}`);
  }
  if (bytes.length !== size ** 3 * 3) {
    throw new LutError(`a LUT of ${size} points has ${size ** 3 * 3} bytes, not ${bytes.length}`);
  }
  return { size, bytes };
}

/** The LUT that changes nothing (up to the rounding of its 8-bit grid values). */
export function identityLut(size: number): Lut {
  const bytes = new Uint8Array(size ** 3 * 3);
  const step = 255 / (size - 1);
  let i = 0;
  for (let b = 0; b < size; b++) {
    for (let g = 0; g < size; g++) {
      for (let r = 0; r < size; r++) {
        bytes[i++] = Math.round(r * step);
        bytes[i++] = Math.round(g * step);
        bytes[i++] = Math.round(b * step);
      }
    }
  }
  return { size, bytes };
}

/**
 * Where on the texture axis (0 to 1) an encoded value (0 to 1) is to be sampled.
 *
 * A texture's first and last values sit half a texel inside its edges; without this black and white
 * would be pulled toward their neighbors.
 */
export function textureCoordinate(value: number, size: number): number {
  return (value * (size - 1) + 0.5) / size;
}

/** What a GPU's LINEAR filter with CLAMP_TO_EDGE returns for one texel axis: two texels and a weight. */
function linearTexels(coordinate: number, size: number): [number, number, number] {
  const position = coordinate * size - 0.5;
  const low = Math.floor(position);
  const clamp = (texel: number) => Math.min(size - 1, Math.max(0, texel));
  return [clamp(low), clamp(low + 1), position - low];
}

/** One pixel, 0 to 255 a channel in and out (out not rounded), as the fragment shader computes it. */
export function applyToPixel(lut: Lut, r: number, g: number, b: number): [number, number, number] {
  const { size, bytes } = lut;
  const [r0, r1, fr] = linearTexels(textureCoordinate(r / 255, size), size);
  const [g0, g1, fg] = linearTexels(textureCoordinate(g / 255, size), size);
  const [b0, b1, fb] = linearTexels(textureCoordinate(b / 255, size), size);
  const at = (ri: number, gi: number, bi: number, channel: number) =>
    bytes[((bi * size + gi) * size + ri) * 3 + channel] ?? 0;
  const channel = (c: number) => {
    const near = mix(mix(at(r0, g0, b0, c), at(r1, g0, b0, c), fr), mix(at(r0, g1, b0, c), at(r1, g1, b0, c), fr), fg);
    const far = mix(mix(at(r0, g0, b1, c), at(r1, g0, b1, c), fr), mix(at(r0, g1, b1, c), at(r1, g1, b1, c), fr), fg);
    return mix(near, far, fb);
  };
  return [channel(0), channel(1), channel(2)];
}

/** RGBA pixels (alpha kept) through a LUT, rounded to bytes. */
export function applyToPixels(lut: Lut, rgba: Uint8ClampedArray): Uint8ClampedArray {
  const out = new Uint8ClampedArray(rgba.length);
  for (let i = 0; i + 3 < rgba.length; i += 4) {
    const [r, g, b] = applyToPixel(lut, rgba[i] ?? 0, rgba[i + 1] ?? 0, rgba[i + 2] ?? 0);
    out[i] = r;
    out[i + 1] = g;
    out[i + 2] = b;
    out[i + 3] = rgba[i + 3] ?? 255;
  }
  return out;
}

function mix(from: number, to: number, weight: number): number {
  return from + (to - from) * weight;
}
