/** From Y'CbCr codes to R'G'B', with the matrix and the range stated: what a browser does by itself for a video. */

export interface YuvToRgb {
  /** Rows R, G, B; columns Y, Cb, Cr; for codes 0 to 255 in and out. */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/** Kr and Kb (ITU-T H.273, table 4) by VideoColorSpace's names. */
const LUMA_WEIGHTS: Readonly<Record<string, readonly [number, number]>> = {
  bt709: [0.2126, 0.0722],
  bt470bg: [0.299, 0.114],
  smpte170m: [0.299, 0.114],
  "bt2020-ncl": [0.2627, 0.0593],
};

/** The conversion for a frame's color space; untagged means BT.601 in limited range, which VP8 is. */
export function yuvToRgb(space: { readonly matrix?: string | null; readonly fullRange?: boolean | null }): YuvToRgb {
  const [kr, kb] = LUMA_WEIGHTS[space.matrix ?? "smpte170m"] ?? [0.299, 0.114];
  const kg = 1 - kr - kb;
  const [luma, chroma] = space.fullRange ? [1, 1] : [255 / 219, 255 / 224];
  // H.273, section 8.3
  const matrix = [
    [luma, 0, 2 * (1 - kr) * chroma],
    [luma, (-2 * kb * (1 - kb) * chroma) / kg, (-2 * kr * (1 - kr) * chroma) / kg],
    [luma, 2 * (1 - kb) * chroma, 0],
  ] as const;
  const black = space.fullRange ? 0 : 16;
  const offset = matrix.map(([y, cb, cr]) => -(y * black + (cb + cr) * 128));
  return { matrix: matrix.flat(), offset };
}
