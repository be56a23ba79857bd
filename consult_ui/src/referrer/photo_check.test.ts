/** One instruction at a time for photos that are small, dark, glaring or blurred. */

import { describe, expect, it } from "vitest";

import { blurEffect, brightness, checkPhoto, type Luma } from "./photo_check";

const SIDE = 128;

function picture(at: (x: number, y: number) => number): Luma {
  const values = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) values[y * SIDE + x] = at(x, y);
  return { width: SIDE, height: SIDE, values };
}

/** Skin-like mid grey with seeded patches of a few pixels, as pores and hair make them. */
function textured(): Luma {
  let state = 7;
  const patches = Array.from({ length: SIDE * SIDE }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 90 + (state >>> 25);
  });
  return picture((x, y) => patches[(y >> 2) * SIDE + (x >> 2)] ?? 0);
}

function blurred(luma: Luma, reach: number): Luma {
  return picture((x, y) => {
    let sum = 0;
    let count = 0;
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        sum += luma.values[Math.min(SIDE - 1, Math.max(0, y + dy)) * SIDE + Math.min(SIDE - 1, Math.max(0, x + dx))] ?? 0;
        count += 1;
      }
    }
    return Math.round(sum / count);
  });
}

describe("a photo", () => {
  it("is good when it is large, sharp and neither dark nor glaring", () => {
    expect(checkPhoto(1024, 768, textured())).toBe("good");
    expect(checkPhoto(768, 1024, textured())).toBe("good");
  });

  it("is too small below 800 x 600, whichever way it was held", () => {
    expect(checkPhoto(640, 480, textured())).toBe("too_small");
    expect(checkPhoto(599, 2000, textured())).toBe("too_small");
    expect(checkPhoto(600, 800, textured())).toBe("good");
  });

  it("is too dark or too bright", () => {
    expect(checkPhoto(1024, 768, picture(() => 20))).toBe("too_dark");
    expect(checkPhoto(1024, 768, picture(() => 240))).toBe("too_bright");
    expect(checkPhoto(1024, 768, picture((x) => (x < SIDE / 2 ? 255 : 100)))).toBe("too_bright");
  });

  it("is blurred when blurring it again changes little", () => {
    const sharp = textured();
    const soft = blurred(blurred(sharp, 4), 4);
    expect(blurEffect(sharp)).toBeLessThan(blurEffect(soft));
    expect(checkPhoto(1024, 768, soft)).toBe("blurred");
  });
});

describe("brightness", () => {
  it("counts what is clipped", () => {
    expect(brightness(picture((x) => (x % 2 ? 255 : 0)))).toEqual({ mean: 127.5, clipped: 0.5 });
  });
});
