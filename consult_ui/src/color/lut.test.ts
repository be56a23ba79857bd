/** The CPU application of a LUT: identity, corners, the half-texel offset, and what is refused. */

import { describe, expect, it } from "vitest";

import { applyToPixel, applyToPixels, identityLut, lutOf, LutError, textureCoordinate } from "./lut";

/** A small seeded generator, so that every run looks at the same colors. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("the identity LUT", () => {
  it.each([2, 17, 33])("of %i points changes no color by more than half a code", (size) => {
    const lut = identityLut(size);
    const random = seeded(size);
    for (let i = 0; i < 2000; i++) {
      const color = [0, 0, 0].map(() => Math.floor(random() * 256)) as [number, number, number];
      const out = applyToPixel(lut, ...color);
      out.forEach((value, channel) => {
        expect(Math.abs(value - (color[channel] ?? 0))).toBeLessThanOrEqual(0.51);
      });
    }
  });

  it("keeps pure black and pure white exactly", () => {
    const lut = identityLut(33);
    expect(applyToPixel(lut, 0, 0, 0)).toEqual([0, 0, 0]);
    expect(applyToPixel(lut, 255, 255, 255)).toEqual([255, 255, 255]);
  });
});

describe("the layout", () => {
  it("has red fastest, then green, then blue", () => {
    const lut = identityLut(3);
    const entry = (r: number, g: number, b: number) => {
      const at = ((b * 3 + g) * 3 + r) * 3;
      return [...lut.bytes.slice(at, at + 3)];
    };
    expect(entry(2, 0, 0)).toEqual([255, 0, 0]);
    expect(entry(0, 2, 0)).toEqual([0, 255, 0]);
    expect(entry(0, 0, 2)).toEqual([0, 0, 255]);
    expect(entry(1, 2, 0)).toEqual([128, 255, 0]);
  });

  it("returns each of the eight corners as the LUT holds them", () => {
    const bytes = Uint8Array.from({ length: 24 }, (_, i) => i * 10);
    const lut = lutOf(2, bytes);
    for (let corner = 0; corner < 8; corner++) {
      const [r, g, b] = [corner & 1, (corner >> 1) & 1, (corner >> 2) & 1];
      const expected = [...bytes.slice(corner * 3, corner * 3 + 3)];
      expect(applyToPixel(lut, r * 255, g * 255, b * 255)).toEqual(expected);
    }
  });

  it("interpolates half way between two points", () => {
    const bytes = new Uint8Array(24);
    bytes[3] = 200;
    expect(applyToPixel(lutOf(2, bytes), 127.5, 0, 0)[0]).toBeCloseTo(100, 6);
  });
});

describe("the texture coordinate", () => {
  it("puts black and white on texel centers, not on the texture's edges", () => {
    expect(textureCoordinate(0, 33)).toBeCloseTo(0.5 / 33, 12);
    expect(textureCoordinate(1, 33)).toBeCloseTo(32.5 / 33, 12);
    expect(textureCoordinate(0.5, 33)).toBeCloseTo(0.5, 12);
  });
});

describe("pixels", () => {
  it("go through channel by channel and keep their alpha", () => {
    const inverse = identityLut(33);
    inverse.bytes.forEach((value, i) => (inverse.bytes[i] = 255 - value));
    const out = applyToPixels(inverse, Uint8ClampedArray.of(0, 255, 0, 7, 255, 0, 255, 255));
    expect([...out]).toEqual([255, 0, 255, 7, 0, 255, 0, 255]);
  });
});

describe("a LUT from the wire", () => {
  it("is refused when its bytes do not fit its size", () => {
    expect(() => lutOf(33, new Uint8Array(10))).toThrow(LutError);
    expect(() => lutOf(1, new Uint8Array(3))).toThrow(LutError);
    expect(() => lutOf(2.5, new Uint8Array(48))).toThrow(LutError);
    expect(() => lutOf(4096, new Uint8Array(0))).toThrow(LutError);
  });
});
