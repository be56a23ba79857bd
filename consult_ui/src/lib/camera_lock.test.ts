/** What is asked of a camera before a still, and that it gets its freedom back. */

import { describe, expect, it } from "vitest";

import { type CameraCapabilities, type CameraSettings, holdPlan, lockCamera } from "./camera_lock";

const PHONE: CameraCapabilities = {
  whiteBalanceMode: ["continuous", "manual", "none"],
  colorTemperature: { min: 2000, max: 8000 },
  exposureMode: ["continuous", "manual"],
  exposureTime: { min: 1, max: 500 },
  iso: { min: 50, max: 3200 },
  focusMode: ["manual", "continuous", "single-shot"],
  focusDistance: { min: 0.1, max: 10 },
  torch: true,
};
const NOW: CameraSettings = {
  whiteBalanceMode: "continuous",
  colorTemperature: 4300,
  exposureMode: "continuous",
  exposureTime: 30,
  iso: 0,
  focusMode: "continuous",
  torch: true,
};

describe("holdPlan", () => {
  it("holds what a phone has, at its present levels, and knows the way back", () => {
    expect(holdPlan(PHONE, NOW)).toEqual([
      { hold: { whiteBalanceMode: "manual", colorTemperature: 4300 }, release: { whiteBalanceMode: "continuous" } },
      { hold: { exposureMode: "manual", exposureTime: 30 }, release: { exposureMode: "continuous" } },
      { hold: { focusMode: "single-shot" }, release: { focusMode: "continuous" } },
      { hold: { torch: true }, release: { torch: true } },
    ]);
  });

  it("holds no level that is out of range, for it is not the present one", () => {
    expect(holdPlan(PHONE, { ...NOW, colorTemperature: 9000 })[0]?.hold).toEqual({ whiteBalanceMode: "manual" });
  });

  it("asks nothing of a camera that says nothing, or that is held already", () => {
    expect(holdPlan({}, {})).toEqual([]);
    expect(holdPlan({ exposureMode: ["manual", "continuous"] }, { exposureMode: "manual" })).toEqual([]);
    expect(holdPlan({ exposureMode: ["manual"] }, {})).toEqual([]);
    expect(holdPlan({ focusMode: ["continuous"] }, { focusMode: "continuous" })).toEqual([]);
  });
});

/** A camera that refuses some names, as a whole and alone. */
function camera(refused: readonly string[]) {
  const asked: MediaTrackConstraints[] = [];
  return {
    asked,
    getCapabilities: () => PHONE,
    getSettings: () => NOW,
    getConstraints: () => ({ width: { ideal: 1280 }, advanced: [{ aspectRatio: 1 }] }),
    applyConstraints: (constraints: MediaTrackConstraints) => {
      const names = Object.keys(constraints.advanced?.[0] ?? {});
      if (names.some((name) => refused.includes(name))) return Promise.reject(new Error("OverconstrainedError"));
      asked.push(constraints);
      return Promise.resolve();
    },
  };
}

describe("lockCamera", () => {
  it("asks for everything at once, keeps the size, waits for focus, and gives back", async () => {
    const track = camera([]);
    const waits: number[] = [];
    const lock = await lockCamera(track, async (ms) => void waits.push(ms));
    expect(lock.held).toEqual(["whiteBalanceMode", "exposureMode", "focusMode"]);
    expect(waits).toHaveLength(1);
    await lock.release();
    expect(track.asked).toHaveLength(2);
    expect(track.asked[0]).toMatchObject({ width: { ideal: 1280 } });
    expect(track.asked[1]?.advanced).toEqual([
      { whiteBalanceMode: "continuous", exposureMode: "continuous", focusMode: "continuous", torch: true },
    ]);
  });

  it("holds the rest where one is refused", async () => {
    const track = camera(["whiteBalanceMode"]);
    const lock = await lockCamera(track, async () => undefined);
    expect(lock.held).toEqual(["exposureMode", "focusMode"]);
    await lock.release();
    expect(Object.keys(track.asked.at(-1)?.advanced?.[0] ?? {})).toEqual(["exposureMode", "focusMode", "torch"]);
  });

  it("leaves a browser without capabilities alone", async () => {
    const { getCapabilities: _, ...old } = camera([]);
    const lock = await lockCamera(old);
    await lock.release();
    expect(lock.held).toEqual([]);
    expect(old.asked).toEqual([]);
  });
});
