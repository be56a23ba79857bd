/** When a camera's chroma is stretched, and what is published as circumstances change. */

import { describe, expect, it } from "vitest";

import { SKIN_EMPHASIS } from "../color/emphasis";
import { CameraSender, emphasisFor } from "./camera_sender";
import type { EmphasizedTrack } from "./emphasized_track";

const good = { agreedVersion: 1, codec: "VP8", capable: true, failed: false };

describe("emphasisFor", () => {
  it("stretches where everybody can undo it", () => {
    expect(emphasisFor(good)).toEqual(SKIN_EMPHASIS);
    expect(emphasisFor({ ...good, agreedVersion: 7 })).toEqual(SKIN_EMPHASIS);
  });

  it.each([{ agreedVersion: 0 }, { codec: "H264" }, { codec: "VP9" }, { capable: false }, { failed: true }])(
    "sends the camera as it is when %o",
    (change) => {
      expect(emphasisFor({ ...good, ...change })).toBeNull();
    },
  );
});

/** Tracks are only passed on, so a name does for one. */
const track = (name: string): MediaStreamTrack => name as unknown as MediaStreamTrack;

class World {
  readonly log: string[] = [];
  works = true;
  readonly cameras: string[] = [];
  breakOff: () => void = () => undefined;
  private made = 0;
  readonly sender = new CameraSender(
    {
      codec: "VP8",
      cameraIs: (camera) => {
        this.cameras.push(String(camera));
      },
      publish: async (_source, sending) => {
        this.log.push(typeof sending === "string" ? `publish ${String(sending)}` : `publish ${String((sending as { track: unknown }).track)}`);
      },
      replace: async (_source, replaced) => {
        this.log.push(`replace ${String(replaced)}`);
      },
    },
    async (camera, _tables, ended): Promise<EmphasizedTrack | null> => {
      if (!this.works) return null;
      this.breakOff = ended;
      const name = `${String(camera)}*${++this.made}`;
      return { track: track(name), setEnabled: () => undefined, stop: () => this.log.push(`stop ${name}`) };
    },
    () => true,
  );
}

describe("CameraSender", () => {
  it("says which camera is behind a stretched track, before it is sent", async () => {
    const world = new World();
    await world.sender.send(track("rear"), 1);
    await world.sender.send(null, 1);
    await world.sender.send(track("front"), 1);
    expect(world.cameras).toEqual(["rear", "front"]);
  });

  it("publishes stretched, and plainly once somebody cannot undo it; the old one ends after that", async () => {
    const world = new World();
    await world.sender.send(track("rear"), 1);
    await world.sender.send(track("rear"), 0);
    expect(world.log).toEqual(["publish rear*1", "publish rear", "stop rear*1"]);
  });

  it("publishes plainly where frames of the camera cannot be rewritten", async () => {
    const world = new World();
    world.works = false;
    await world.sender.send(track("rear"), 1);
    expect(world.log).toEqual(["publish rear"]);
  });

  it("publishes plainly when it breaks off, and tries again with another camera", async () => {
    const world = new World();
    await world.sender.send(track("rear"), 1);
    world.breakOff();
    await world.sender.send(track("rear"), 1);
    await world.sender.send(track("front"), 1);
    expect(world.log).toEqual(["publish rear*1", "publish rear", "stop rear*1", "publish front*2"]);
  });

  it("sends nothing when the camera is off, and keeps its place", async () => {
    const world = new World();
    await world.sender.send(track("rear"), 1);
    await world.sender.send(null, 1);
    await world.sender.send(track("rear"), 1);
    expect(world.log).toEqual(["publish rear*1", "replace null", "stop rear*1", "publish rear*2"]);
  });

  it("does the last of many wishes, and nothing twice", async () => {
    const world = new World();
    void world.sender.send(track("rear"), 0);
    void world.sender.send(track("rear"), 1);
    await world.sender.send(track("front"), 1);
    await world.sender.send(track("front"), 1);
    expect(world.log).toEqual(["publish front*1"]);
  });

  it("ends with the page", async () => {
    const world = new World();
    await world.sender.send(track("rear"), 1);
    world.sender.close();
    await world.sender.send(track("front"), 1);
    expect(world.log).toEqual(["publish rear*1", "stop rear*1"]);
  });
});
