/** A capture on the device: what is said, what the video yields, and that a still which cannot be sent is not lost. */

import { expect, it } from "vitest";

import type { CaptureView } from "../wire/messages";
import { ApiError } from "./api";
import { Capturing, outcomeOf, YIELDED_BITRATE_BPS } from "./capturing";
import { type Still, StillImpossible } from "./still";

interface Device {
  readonly capturing: Capturing;
  /** capture_id of every upload that was begun. */
  readonly uploads: string[];
  readonly told: string[];
  readonly limits: (number | null)[];
}

/** A device whose n-th upload (from 0) ends as `ends` says: a status that is an error, or arrived. */
function device(ends: readonly (number | "arrives")[], canTake = true): Device {
  const uploads: string[] = [];
  const told: string[] = [];
  const limits: (number | null)[] = [];
  const capturing = new Capturing({
    call: <T>(event: string, data?: object) => {
      const { state, reason, held } = data as { state?: string; reason?: string; held?: boolean };
      told.push(`${event} ${state ?? reason}${held ? " held" : ""}`);
      return Promise.resolve(undefined as T);
    },
    camera: () => ({}) as MediaStreamTrack,
    limitVideo: (bitrate) => limits.push(bitrate),
    takeStill: () => (canTake ? Promise.resolve({} as Still) : Promise.reject(new StillImpossible())),
    uploadStill: (_still, { captureId, onProgress }) => {
      const end = ends[uploads.length];
      uploads.push(captureId ?? "");
      onProgress?.(1, 2);
      return end === "arrives"
        ? Promise.resolve({ upload_id: "u", offset_bytes: 2, size_bytes: 2, snapshot_id: "s" })
        : Promise.reject(new ApiError("test.refused", "no", end ?? 0));
    },
  });
  return { capturing, uploads, told, limits };
}

const ask = (capture_id: string) => ({ capture_id, consultation_id: "c" });

it("takes and sends, and the video yields meanwhile", async () => {
  const { capturing, told, limits } = device(["arrives"]);
  await capturing.take(ask("1"));
  expect(capturing.step.value).toEqual({ phase: "sent" });
  expect(told).toEqual(["capture_progress taking", "capture_progress uploading"]);
  expect(limits).toEqual([YIELDED_BITRATE_BPS, null]);
});

it.each([507, 0, 503, 460])("keeps what could not be sent (%i), and sends it again", async (status) => {
  const { capturing, uploads, told, limits } = device([status, "arrives"]);
  await capturing.take(ask("1"));
  expect(capturing.step.value).toMatchObject({ phase: "failed", captureId: "1", kept: true });
  expect(told.at(-1)).toBe("capture_failed upload_failed held");
  expect(capturing.holds.value).toBe(true);
  await capturing.sendAgain();
  expect(capturing.holds.value).toBe(false);
  expect(uploads).toEqual(["1", "1"]);
  expect(capturing.step.value).toEqual({ phase: "sent" });
  await capturing.sendAgain();
  expect(uploads).toHaveLength(2);
  expect(limits).toEqual([YIELDED_BITRATE_BPS, null, YIELDED_BITRATE_BPS, null]);
});

it("does not keep what the server refuses", async () => {
  const { capturing, uploads } = device([422]);
  await capturing.take(ask("1"));
  expect(capturing.step.value).toMatchObject({ phase: "failed", kept: false });
  expect(capturing.holds.value).toBe(false);
  await capturing.sendAgain();
  expect(uploads).toHaveLength(1);
});

it("sends the newer still first, then the one that was left", async () => {
  const { capturing, uploads } = device([507, "arrives", "arrives"]);
  await capturing.take(ask("1"));
  await capturing.take(ask("2"));
  expect(uploads).toEqual(["1", "2", "1"]);
  expect(capturing.step.value).toEqual({ phase: "sent" });
});

it("forgets everything when it is cancelled", async () => {
  const { capturing, uploads } = device([507]);
  await capturing.take(ask("1"));
  capturing.cancel();
  await capturing.sendAgain();
  expect([capturing.step.value, uploads.length]).toEqual([null, 1]);
});

it("asks for a file where no still can be taken, and says when there is none", async () => {
  const { capturing, told } = device([], false);
  const taken = capturing.take(ask("1"));
  await new Promise<void>((asked) => {
    const stop = capturing.step.subscribe((step) => {
      if (step?.phase === "file_needed") asked();
    });
    void taken.finally(stop);
  });
  await null; // the question is put in the same breath
  capturing.decline();
  await taken;
  expect(capturing.step.value).toEqual({ phase: "not_taken", captureId: "1" });
  expect(told.at(-1)).toBe("capture_failed not_supported");
});

it("knows what is kept in place of a still", () => {
  const capture = (state: CaptureView["state"]): CaptureView => ({
    capture_id: "1",
    state,
    sent_bytes: 0,
    size_bytes: null,
    error: null,
    snapshot_id: null,
    held_by_device: false,
  });
  expect(outcomeOf(capture("storing"), "1")).toBe("pending");
  expect(outcomeOf(capture("stored"), "1")).toBe("frame");
  expect(outcomeOf(capture("failed"), "1")).toBe("nothing");
  expect(outcomeOf(capture("failed"), "2")).toBe("pending");
  expect(outcomeOf(null, "1")).toBe("pending");
});
