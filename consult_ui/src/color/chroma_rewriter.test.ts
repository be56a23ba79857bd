/** Chroma planes are rewritten, luma is not, in both layouts and at odd sizes. */

import { describe, expect, it } from "vitest";

import { rewriteChroma } from "./chroma_rewriter";

const u = Uint8Array.from({ length: 256 }, (_, code) => 255 - code);
const v = Uint8Array.from({ length: 256 }, (_, code) => (code + 1) % 256);

describe("rewriteChroma", () => {
  it.each([
    [4, 2],
    [5, 3],
  ])("of I420 at %i x %i", (width, height) => {
    const samples = Math.ceil(width / 2) * Math.ceil(height / 2);
    const picture = new Uint8Array(width * height + 2 * samples).fill(100);
    rewriteChroma(picture, "I420", width, height, u, v);
    expect([...picture.subarray(0, width * height)].every((code) => code === 100)).toBe(true);
    expect([...picture.subarray(width * height, width * height + samples)]).toEqual(Array(samples).fill(155));
    expect([...picture.subarray(width * height + samples)]).toEqual(Array(samples).fill(101));
  });

  it("of NV12, where Cb and Cr alternate", () => {
    const picture = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40);
    rewriteChroma(picture, "NV12", 4, 2, u, v);
    expect([...picture]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 245, 21, 225, 41]);
  });
});
