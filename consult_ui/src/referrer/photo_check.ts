/**
 * A first look at a photo before it is sent: large, sharp and bright enough to be judged. Advice, never a barrier.
 *
 * Smallest size: 800 x 600, the minimum of the American Telemedicine Association's practice guideline for
 * store-and-forward teledermatology. Blur: the no-reference measure of Crete et al., "The blur effect" (SPIE 6492,
 * 2007): blur the picture again and see how little its neighboring differences change.
 */

export type PhotoVerdict = "good" | "too_small" | "too_dark" | "too_bright" | "blurred" | "unreadable";

export interface Luma {
  readonly width: number;
  readonly height: number;
  /** Row by row, 0 to 255. */
  readonly values: Uint8Array;
}

export const SHORTEST_SIDE_PX = 600;
export const LONGEST_SIDE_PX = 800;
const DARKEST_MEAN = 50;
const BRIGHTEST_MEAN = 225;
const MOST_CLIPPED = 0.3;
/** Sharp photographs lie at about 0.2 to 0.5 on the scale of 0 to 1. */
const BLURRIEST = 0.65;
/** Half of the 9-tap blur of the paper. */
const REACH = 4;

/** One verdict, the most helpful first: a person can follow one instruction at a time. */
export function checkPhoto(widthPx: number, heightPx: number, luma: Luma): PhotoVerdict {
  const [shorter, longer] = [Math.min(widthPx, heightPx), Math.max(widthPx, heightPx)];
  if (shorter < SHORTEST_SIDE_PX || longer < LONGEST_SIDE_PX) return "too_small";
  const { mean, clipped } = brightness(luma);
  if (mean < DARKEST_MEAN) return "too_dark";
  if (mean > BRIGHTEST_MEAN || clipped > MOST_CLIPPED) return "too_bright";
  return blurEffect(luma) > BLURRIEST ? "blurred" : "good";
}

export function brightness({ values }: Luma): { mean: number; clipped: number } {
  let sum = 0;
  let clipped = 0;
  for (const value of values) {
    sum += value;
    if (value >= 253) clipped += 1;
  }
  return { mean: sum / Math.max(1, values.length), clipped: clipped / Math.max(1, values.length) };
}

/** 0: no blur, 1: nothing but blur; the worse of the two directions. */
export function blurEffect({ width, height, values }: Luma): number {
  return Math.max(
    blurAlong(values, height, width, width, 1),
    blurAlong(values, width, height, 1, width),
  );
}

/** `lines` runs of `length` pixels; a step along a run is `stride`, from run to run `lineStride`. */
function blurAlong(values: Uint8Array, lines: number, length: number, lineStride: number, stride: number): number {
  let before = 0;
  let kept = 0;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStride;
    const at = (i: number) => values[start + Math.min(length - 1, Math.max(0, i)) * stride] ?? 0;
    let sum = 0;
    for (let i = -REACH; i <= REACH; i++) sum += at(i);
    let last = sum;
    for (let i = 1; i < length; i++) {
      sum += at(i + REACH) - at(i - REACH - 1);
      const sharp = Math.abs(at(i) - at(i - 1));
      const soft = Math.abs(sum - last) / (2 * REACH + 1);
      before += sharp;
      kept += Math.max(0, sharp - soft); // what a blur takes away was there to be taken
      last = sum;
    }
  }
  return before === 0 ? 1 : (before - kept) / before;
}

/** Enough to see blur and light by; a whole sensor's picture would only cost time. */
const LOOK_SIDE_PX = 1024;

/** Decode a file and look at it; "unreadable" where this browser cannot show the format. */
export async function lookAtPhoto(file: Blob): Promise<{ verdict: PhotoVerdict; picture: ImageBitmap | null }> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { verdict: "unreadable", picture: null };
  }
  const scale = Math.min(1, LOOK_SIDE_PX / Math.max(picture.width, picture.height));
  const [width, height] = [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return { verdict: "unreadable", picture };
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) {
    // Rec. 709 weights on encoded values: a measure of what looks bright, not of light.
    values[i] = 0.2126 * (data[i * 4] ?? 0) + 0.7152 * (data[i * 4 + 1] ?? 0) + 0.0722 * (data[i * 4 + 2] ?? 0);
  }
  return { verdict: checkPhoto(picture.width, picture.height, { width, height, values }), picture };
}
