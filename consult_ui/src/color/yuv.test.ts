/** Y'CbCr to R'G'B' against values of ITU-T H.273. */

import { describe, expect, it } from "vitest";

import { yuvToRgb } from "./yuv";

function convert(space: Parameters<typeof yuvToRgb>[0], y: number, cb: number, cr: number): number[] {
  const { matrix, offset } = yuvToRgb(space);
  return [0, 1, 2].map((row) => (matrix[3 * row] ?? 0) * y + (matrix[3 * row + 1] ?? 0) * cb + (matrix[3 * row + 2] ?? 0) * cr + (offset[row] ?? 0));
}

describe("yuvToRgb", () => {
  it.each(["smpte170m", "bt709", "bt2020-ncl"])("maps black, white and grey of %s in limited range", (matrix) => {
    const space = { matrix, fullRange: false };
    for (const value of convert(space, 16, 128, 128)) expect(value).toBeCloseTo(0, 6);
    for (const value of convert(space, 235, 128, 128)) expect(value).toBeCloseTo(255, 6);
  });

  it("maps the primaries of BT.601 and BT.709", () => {
    const red601 = convert({ matrix: "smpte170m", fullRange: false }, 81.481, 90.203, 240);
    [255, 0, 0].forEach((value, i) => expect(red601[i]).toBeCloseTo(value, 1));
    const red709 = convert({ matrix: "bt709", fullRange: false }, 62.5594, 102.3364, 240);
    [255, 0, 0].forEach((value, i) => expect(red709[i]).toBeCloseTo(value, 1));
  });

  it("leaves luma alone in full range", () => {
    for (const value of convert({ matrix: "bt709", fullRange: true }, 77, 128, 128)) expect(value).toBeCloseTo(77, 6);
  });

  it("takes an untagged frame for BT.601 in limited range", () => {
    expect(yuvToRgb({ matrix: null, fullRange: null })).toEqual(yuvToRgb({ matrix: "smpte170m", fullRange: false }));
  });
});
