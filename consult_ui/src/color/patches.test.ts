/** Samples follow the chart's pose, and their means and spreads leave out what does not belong to a patch. */

import { describe, expect, it } from "vitest";

import { PATCHES, type PatchPlaces, placesIn, readPatches, REACH, sampleOffset, SAMPLES } from "./patches";

/** A chart turned by a quarter, 20 px from patch to patch, in a picture of 200 x 300. */
const TURNED: [number, number][] = Array.from({ length: PATCHES }, (_, at) => {
  const [column, row] = [at % 6, Math.floor(at / 6)];
  return [(100 - 20 * row + 0.5) / 200, (50 + 20 * column + 0.5) / 300];
});

function samples(color: (patch: number, index: number) => readonly [number, number, number]): Uint8Array {
  const rgba = new Uint8Array(4 * PATCHES * SAMPLES);
  for (let patch = 0; patch < PATCHES; patch++)
    for (let index = 0; index < SAMPLES; index++) rgba.set([...color(patch, index), 255], 4 * (patch * SAMPLES + index));
  return rgba;
}

const read = (rgba: Uint8Array, places: PatchPlaces = placesIn(TURNED, 200, 300)) => readPatches(rgba, places, 200, 300);

describe("places", () => {
  it("are the centers in px with the steps to the next patch, at the edges too", () => {
    const { centers, across, down } = placesIn(TURNED, 200, 300);
    expect([...centers.slice(0, 4)]).toEqual([100, 50, 100, 70].map((value) => expect.closeTo(value, 4)));
    for (const at of [0, 5, 9, 18, 23]) {
      expect([across[2 * at], across[2 * at + 1]]).toEqual([expect.closeTo(0, 4), expect.closeTo(20, 4)]);
      expect([down[2 * at], down[2 * at + 1]]).toEqual([expect.closeTo(-20, 4), expect.closeTo(0, 4)]);
    }
  });

  it("scale with the picture", () => {
    const { across } = placesIn(TURNED, 400, 600);
    expect(across[1]).toBeCloseTo(40, 4);
  });

  it("are refused for anything but a chart", () => {
    expect(() => placesIn(TURNED.slice(1), 200, 300)).toThrow(RangeError);
  });
});

describe("samples", () => {
  it("fill the square in the middle of a patch", () => {
    const offsets = Array.from({ length: SAMPLES }, (_, index) => sampleOffset(index));
    expect(offsets[0]).toEqual([-REACH, -REACH]);
    expect(offsets[SAMPLES - 1]).toEqual([expect.closeTo(REACH, 9), expect.closeTo(REACH, 9)]);
    expect(new Set(offsets.map(String)).size).toBe(SAMPLES);
  });

  it("give each patch its color", () => {
    const patches = read(samples((patch) => [patch, 2 * patch, 255 - patch]));
    patches.forEach(({ mean, spread, clipped, visible }, patch) => {
      expect(mean).toEqual([patch / 255, (2 * patch) / 255, (255 - patch) / 255].map((value) => expect.closeTo(value, 9)));
      expect(spread).toEqual([0, 0, 0]);
      expect(clipped).toBe(patch <= 3); // 252 and above
      expect(visible).toBe(true);
    });
  });

  it("leave out specks and shadows of up to a fifth", () => {
    const [patch] = read(samples((_, index) => (index < 30 ? [255, 255, 255] : index < 60 ? [0, 0, 0] : [90, 80, 70])));
    expect(patch?.mean).toEqual([90, 80, 70].map((value) => expect.closeTo(value / 255, 9)));
    expect(patch?.clipped).toBe(false);
  });

  it("tell how much they spread", () => {
    const [patch] = read(samples((_, index) => (index % 2 ? [100, 50, 50] : [110, 50, 50])));
    expect(patch?.spread).toEqual([expect.closeTo(10 / 1.349 / 255, 9), 0, 0]);
  });

  it("say which patches lie outside", () => {
    const places = placesIn(TURNED.map(([x, y]): [number, number] => [x, y - 46 / 300]), 200, 300);
    const patches = read(samples(() => [9, 9, 9]), places);
    expect(patches.map(({ visible }) => visible)).toEqual(Array.from({ length: PATCHES }, (_, at) => at % 6 > 0));
  });
});
