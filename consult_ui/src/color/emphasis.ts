/**
 * Chroma emphasis: chroma stretched around skin before the encoder, and the way back at the viewer.
 *
 * f(x) = offset + gain * asinh((x - center) / softness), for Cb and Cr each; the codes 0 and 255 keep their place, so
 * that nothing is clipped. media/emphasis.py computes the same tables.
 */

import type { ChromaEmphasisView } from "../wire/messages";

export const EMPHASIS_VERSION = 1;

/** Skin's chroma in daylight, of any tone. */
export const SKIN_EMPHASIS: ChromaEmphasisView = { version: EMPHASIS_VERSION, center_u: 115, center_v: 142, softness: 8 };

function scaleOf(center: number, softness: number): { gain: number; offset: number } {
  const below = Math.asinh(center / softness);
  const gain = 255 / (below + Math.asinh((255 - center) / softness));
  return { gain, offset: gain * below };
}

/** What each code becomes before the encoder, not rounded. */
export function stretch(code: number, center: number, softness: number): number {
  const { gain, offset } = scaleOf(center, softness);
  return offset + gain * Math.asinh((code - center) / softness);
}

/** What each code becomes before the encoder: 256 codes. */
export function forwardTable(center: number, softness: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 256 }, (_, code) => Math.floor(stretch(code, center, softness) + 0.5));
}

/**
 * What each decoded code was before, 0 to 255, not rounded: 256 values. They pass through the forward table's own
 * points, and straight between them, so that what the encoder leaves alone comes back as it was.
 */
export function inverseTable(center: number, softness: number): Float32Array<ArrayBuffer> {
  const forward = forwardTable(center, softness);
  const sums = new Float64Array(256);
  const counts = new Uint8Array(256);
  forward.forEach((stretched, code) => {
    sums[stretched] = (sums[stretched] as number) + code;
    counts[stretched] = (counts[stretched] as number) + 1;
  });
  const table = new Float32Array(256);
  // The ends are points of the forward table, so every gap lies between two.
  let last = 0;
  for (let at = 0; at < 256; at++) {
    if (counts[at] === 0) continue;
    const before = (sums[at] as number) / (counts[at] as number);
    const from = table[last] as number;
    table[at] = before;
    for (let between = last + 1; between < at; between++)
      table[between] = from + ((before - from) * (between - last)) / (at - last);
    last = at;
  }
  return table;
}

export function sameEmphasis(a: ChromaEmphasisView | null, b: ChromaEmphasisView | null): boolean {
  if (a === null || b === null) return a === b;
  return a.version === b.version && a.center_u === b.center_u && a.center_v === b.center_v && a.softness === b.softness;
}
