/** Where a chart's patches are sampled in a picture, and what the samples say: as colorcal/patches.py does it. */

import type { PatchReading } from "../wire/messages";

export const PATCHES = 24;
const COLUMNS = 6;
const ROWS = 4;
/** Samples along a side of the square in the middle of a patch. */
export const SIDE_SAMPLES = 13;
export const SAMPLES = SIDE_SAMPLES * SIDE_SAMPLES;
/** Half that square's side, in distances between patches. */
export const REACH = 0.26;
const TRIM = 0.2;
const CLIP_HIGH = 0.985;
const CLIPPED_SHARE = 0.25;
/** Quartiles of a normal distribution lie so many standard deviations apart. */
const QUARTILES_APART = 1.349;

/** x, y of each patch in turn. Centers in px, (0, 0) the middle of a pixel; the steps to the next patch likewise. */
export interface PatchPlaces {
  readonly centers: Float32Array<ArrayBuffer>;
  readonly across: Float32Array<ArrayBuffer>;
  readonly down: Float32Array<ArrayBuffer>;
}

/** Places in a picture of this size, from centers in shares of it. */
export function placesIn(centers: readonly (readonly [number, number])[], width: number, height: number): PatchPlaces {
  if (centers.length !== PATCHES) throw new RangeError(`a chart has ${PATCHES} patches, not ${centers.length}`);
  const px = Float32Array.from(centers.flatMap(([x, y]) => [x * width - 0.5, y * height - 0.5]));
  const across = new Float32Array(2 * PATCHES);
  const down = new Float32Array(2 * PATCHES);
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < COLUMNS; column++) {
      const at = row * COLUMNS + column;
      const [left, right] = [Math.max(0, column - 1), Math.min(COLUMNS - 1, column + 1)];
      const [above, below] = [Math.max(0, row - 1), Math.min(ROWS - 1, row + 1)];
      for (let axis = 0; axis < 2; axis++) {
        const value = (r: number, c: number): number => px[2 * (r * COLUMNS + c) + axis] as number;
        across[2 * at + axis] = (value(row, right) - value(row, left)) / (right - left);
        down[2 * at + axis] = (value(below, column) - value(above, column)) / (below - above);
      }
    }
  return { centers: px, across, down };
}

/** Offset of a sample from its patch's center, in distances between patches. */
export function sampleOffset(index: number): readonly [number, number] {
  const step = (2 * REACH) / (SIDE_SAMPLES - 1);
  return [(index % SIDE_SAMPLES) * step - REACH, Math.floor(index / SIDE_SAMPLES) * step - REACH];
}

/** What the samples say. rgba: for each patch in turn its samples, 4 bytes each. */
export function readPatches(rgba: Uint8Array, places: PatchPlaces, width: number, height: number): PatchReading[] {
  return Array.from({ length: PATCHES }, (_, patch) => {
    const colors = Array.from({ length: SAMPLES }, (_, index) => {
      const at = 4 * (patch * SAMPLES + index);
      return [rgba[at] as number, rgba[at + 1] as number, rgba[at + 2] as number] as const;
    });
    colors.sort((a, b) => a[0] + a[1] + a[2] - (b[0] + b[1] + b[2]));
    const cut = Math.floor(TRIM * SAMPLES);
    const kept = colors.slice(cut, SAMPLES - cut);
    const channels = [0, 1, 2].map((channel) => Float64Array.from(colors, (color) => color[channel] as number).sort());
    const mean = [0, 1, 2].map((channel) => kept.reduce((sum, color) => sum + (color[channel] as number), 0) / kept.length / 255);
    const spread = channels.map((values) => (quantile(values, 0.75) - quantile(values, 0.25)) / QUARTILES_APART / 255);
    const clipped = channels.some((values) => values.filter((value) => value > CLIP_HIGH * 255).length > CLIPPED_SHARE * SAMPLES);
    return { mean: triple(mean), spread: triple(spread), clipped, visible: lies(patch, places, width, height) };
  });
}

function lies(patch: number, { centers, across, down }: PatchPlaces, width: number, height: number): boolean {
  for (const u of [-REACH, REACH])
    for (const v of [-REACH, REACH]) {
      const [x, y] = [0, 1].map((axis) => {
        const at = 2 * patch + axis;
        return (centers[at] as number) + u * (across[at] as number) + v * (down[at] as number);
      }) as [number, number];
      if (x <= -0.5 || y <= -0.5 || x >= width - 0.5 || y >= height - 0.5) return false;
    }
  return true;
}

/** Linear between the two nearest of ascending values. */
function quantile(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const low = Math.floor(at);
  const from = values[low] as number;
  return from + (at - low) * ((values[Math.min(low + 1, values.length - 1)] as number) - from);
}

function triple(values: readonly number[]): [number, number, number] {
  return [values[0] as number, values[1] as number, values[2] as number];
}
