/** The m-line bookkeeping of a media session. */

import { describe, expect, it } from "vitest";
import { kindOf, midMaps, planReceive, preferCodec, type ReceiveSlot, recoveryStep, sessionOf } from "./media_plan";

const emphasis = { version: 1, center_u: 115, center_v: 142, softness: 8 };
const video = (publication_id: string, stretched = false) =>
  ({ publication_id, kind: "video", emphasis: stretched ? { ...emphasis } : null }) as const;
const audio = (publication_id: string) => ({ publication_id, kind: "audio", emphasis: null }) as const;

describe("planReceive", () => {
  it("opens a slot for each Publication", () => {
    expect(planReceive([], [audio("a"), video("v")])).toEqual({
      slots: [
        { kind: "audio", publicationId: "a", emphasis: null },
        { kind: "video", publicationId: "v", emphasis: null },
      ],
      changed: true,
    });
  });

  it("changes nothing when nothing changed, in whatever order they are told", () => {
    const { slots } = planReceive([], [audio("a"), video("v")]);
    expect(planReceive(slots, [video("v"), audio("a")])).toEqual({ slots, changed: false });
  });

  it("frees the slot of a Publication that is gone, and reuses it for its own kind only", () => {
    const { slots } = planReceive([], [audio("a"), video("v")]);
    const freed = planReceive(slots, [audio("a")]);
    expect(freed.slots[1]).toEqual({ kind: "video", publicationId: null, emphasis: null });
    const grown = planReceive(freed.slots, [audio("a"), audio("b"), video("w")]);
    expect(grown.slots).toEqual([
      { kind: "audio", publicationId: "a", emphasis: null },
      { kind: "video", publicationId: "w", emphasis: null },
      { kind: "audio", publicationId: "b", emphasis: null },
    ]);
  });

  it("reuses a slot for the same emphasis only: what a track carries can always be told", () => {
    const { slots } = planReceive([], [video("v")]);
    const other = planReceive(slots, [video("w", true)]).slots;
    expect(other.map((slot) => slot.publicationId)).toEqual([null, "w"]);
    expect(planReceive(other, [video("x")]).slots.map((slot) => slot.publicationId)).toEqual(["x", null]);
    expect(planReceive(other, [video("y", true)]).slots.map((slot) => slot.publicationId)).toEqual([null, "y"]);
  });

  it("never loses, doubles or moves a slot, whatever comes and goes", () => {
    let slots: readonly ReceiveSlot[] = [];
    let seed = 7;
    const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
    for (let step = 0; step < 300; step += 1) {
      const wanted = Array.from({ length: random(5) }, () => {
        const n = random(9);
        return n % 2 === 0 ? audio(`a${n}`) : video(`v${n}`, n > 4);
      }).filter((one, i, all) => all.findIndex((other) => other.publication_id === one.publication_id) === i);
      const next = planReceive(slots, wanted).slots;
      expect(next.length).toBeGreaterThanOrEqual(slots.length);
      slots.forEach((slot, i) => {
        expect(next[i]?.kind).toBe(slot.kind);
        expect(next[i]?.emphasis).toEqual(slot.emphasis);
      });
      const held = next.flatMap((slot) => (slot.publicationId === null ? [] : [slot.publicationId]));
      expect(held.toSorted()).toEqual(wanted.map((one) => one.publication_id).toSorted());
      for (const slot of slots)
        if (slot.publicationId !== null && held.includes(slot.publicationId))
          expect(next.findIndex((other) => other.publicationId === slot.publicationId)).toBe(slots.indexOf(slot));
      slots = next;
    }
    expect(slots.length).toBeLessThanOrEqual(9);
  });
});

describe("midMaps", () => {
  it("names what is active and has a mid", () => {
    expect(
      midMaps(
        [
          { mid: "0", source: "microphone", active: true, emphasis: null },
          { mid: "1", source: "camera", active: false, emphasis: null },
          { mid: "4", source: "camera", active: true, emphasis },
        ],
        [
          { mid: "2", publicationId: "p" },
          { mid: "3", publicationId: null },
          { mid: null, publicationId: "q" },
        ],
      ),
    ).toEqual({
      publications: { 0: "microphone", 4: "camera" },
      subscriptions: { 2: "p" },
      emphasis: { 4: emphasis },
    });
  });
});

describe("the rest", () => {
  it("puts the preferred codec first and keeps the others in order", () => {
    const codecs = ["video/VP8", "video/rtx", "video/VP9", "video/VP9"].map((mimeType, i) => ({ mimeType, i }));
    expect(preferCodec(codecs, "VP9").map(({ i }) => i)).toEqual([2, 3, 0, 1]);
  });

  it("waits, restarts ICE twice, then rebuilds", () => {
    expect(recoveryStep(1_000, 0)).toBe("wait");
    expect(recoveryStep(2_500, 0)).toBe("restart_ice");
    expect(recoveryStep(2_600, 1)).toBe("wait");
    expect(recoveryStep(5_000, 1)).toBe("restart_ice");
    expect(recoveryStep(7_500, 2)).toBe("rebuild");
  });

  it("reads the session of an answer", () => {
    expect(sessionOf("v=0\r\no=- 4611 2 IN IP4 0.0.0.0\r\ns=-\r\n")).toBe("4611");
    expect(sessionOf("v=0\r\n")).toBeNull();
  });

  it("knows sound from picture", () => {
    expect([kindOf("microphone"), kindOf("camera"), kindOf("screen")]).toEqual(["audio", "video", "video"]);
  });
});
