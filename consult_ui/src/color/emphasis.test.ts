/** Stretching and the way back: nothing is lost beyond rounding, nothing is clipped, and both languages agree. */

import { describe, expect, it } from "vitest";

import { forwardTable, inverseTable, sameEmphasis, SKIN_EMPHASIS } from "./emphasis";

const CHOICES = [64, 100, 115, 128, 142, 192].flatMap((center) => [4, 8, 16, 128].map((softness) => [center, softness] as const));

describe("the compander", () => {
  it.each(CHOICES)("around %i with softness %i brings back every code that has one of its own", (center, softness) => {
    const forward = forwardTable(center, softness);
    const inverse = inverseTable(center, softness);
    for (let code = 0; code < 256; code++) {
      const shared = forward.filter((stretched) => stretched === forward[code]).length;
      const off = Math.abs((inverse[forward[code] as number] as number) - code);
      expect(off).toBeLessThanOrEqual((shared - 1) / 2);
    }
  });

  it.each(CHOICES)("around %i with softness %i keeps the ends and the order", (center, softness) => {
    const forward = forwardTable(center, softness);
    expect([forward[0], forward[255]]).toEqual([0, 255]);
    for (let code = 1; code < 256; code++) expect(forward[code] as number).toBeGreaterThanOrEqual(forward[code - 1] as number);
  });

  it("gives every code within 30 of skin a code of its own", () => {
    for (const center of [SKIN_EMPHASIS.center_u, SKIN_EMPHASIS.center_v]) {
      const near = forwardTable(center, SKIN_EMPHASIS.softness).slice(center - 30, center + 31);
      expect(new Set(near).size).toBe(61);
    }
  });

  it("has the values of media/emphasis.py", () => {
    expect([...forwardTable(115, 8)].filter((_, code) => code % 32 === 0)).toEqual([0, 12, 30, 65, 170, 213, 233, 246]);
    expect([...forwardTable(142, 8)].filter((_, code) => code % 32 === 0)).toEqual([0, 9, 22, 41, 83, 189, 225, 243]);
    const inverse = [...inverseTable(115, 8)].filter((_, code) => code % 32 === 0);
    [0.5, 67.0, 95.5, 108.33334, 116.0, 124.0, 140.0, 175.5].forEach((value, i) => expect(inverse[i]).toBeCloseTo(value, 4));
  });
});

describe("sameEmphasis", () => {
  it("compares values, and null with null only", () => {
    expect(sameEmphasis(SKIN_EMPHASIS, { ...SKIN_EMPHASIS })).toBe(true);
    expect(sameEmphasis(SKIN_EMPHASIS, { ...SKIN_EMPHASIS, softness: 9 })).toBe(false);
    expect(sameEmphasis(SKIN_EMPHASIS, null)).toBe(false);
    expect(sameEmphasis(null, null)).toBe(true);
  });
});
