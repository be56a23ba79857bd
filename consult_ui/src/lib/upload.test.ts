/** The resumable upload against a server that keeps bytes, loses connections and forgets. */

import { describe, expect, it } from "vitest";
import { ApiError } from "./api";
import type { Still } from "./still";
import { sha256Hex, uploadStill, type UploadSurroundings } from "./upload";
import { afterFailure, CHUNK_BYTES, nextChunk, PATIENCE } from "./upload_plan";

const bytes = Uint8Array.from({ length: CHUNK_BYTES * 2 + 1234 }, (_, i) => (i * 31 + (i >> 8)) % 256);
const still: Still = {
  bytes: new Blob([bytes], { type: "image/jpeg" }),
  method: "canvas",
  settings: {},
  device: "",
  takenAt: "2026-01-01T00:00:00Z",
};

/** Headers of HEAD and PATCH: the last byte makes a snapshot. */
function progress(offset: number): Record<string, string> {
  return { "Upload-Offset": String(offset), ...(offset === bytes.length ? { "Snapshot-Id": "s1" } : {}) };
}

interface Fault {
  readonly status: number;
  /** The bytes arrive, only the answer is lost. */
  readonly keepBytes?: boolean;
  /** The server loses its uploads. */
  readonly forget?: boolean;
}

/** Keeps uploads as the real server does; `faults` are thrown at the n-th request (from 0). */
class Server {
  uploads = new Map<string, number[]>();
  requests: string[] = [];

  constructor(private readonly faults: ReadonlyMap<number, Fault> = new Map()) {}

  send = async (path: string, init: RequestInit): Promise<Response> => {
    const fault = this.faults.get(this.requests.length);
    this.requests.push(`${init.method} ${path}`);
    if (fault?.forget) this.uploads.clear();
    if (fault && !fault.keepBytes) throw new ApiError("test.fault", "fault", fault.status);
    const id = path.split("/")[3];
    if (id === undefined) {
      const name = `u${this.uploads.size + 1}`;
      this.uploads.set(name, []);
      return Response.json({ upload_id: name, offset_bytes: 0, size_bytes: bytes.length, snapshot_id: null }, { status: 201 });
    }
    const stored = this.uploads.get(id);
    if (!stored) throw new ApiError("record.not_found", "gone", 404);
    if (init.method === "PATCH") {
      const offset = Number(new Headers(init.headers).get("Upload-Offset"));
      if (offset !== stored.length) throw new ApiError("upload.offset_mismatch", "offset", 409);
      for (const byte of new Uint8Array(await (init.body as Blob).arrayBuffer())) stored.push(byte);
    }
    if (fault) throw new ApiError("test.fault", "fault", fault.status);
    return new Response(null, { status: 204, headers: progress(stored.length) });
  };
}

function surroundings(server: Server, memory: Map<string, string> = new Map()): UploadSurroundings & { pauses: number[] } {
  const pauses: number[] = [];
  return {
    send: server.send,
    pause: async (duration_ms) => void pauses.push(duration_ms),
    memory: {
      getItem: (key) => memory.get(key) ?? null,
      setItem: (key, value) => void memory.set(key, value),
      removeItem: (key) => void memory.delete(key),
    },
    pauses,
  };
}

const arrivedWhole = (server: Server): boolean => Buffer.from(server.uploads.get("u1") ?? []).equals(Buffer.from(bytes));

const options = { purpose: "snapshot", ownerId: "c1", captureId: "k1" } as const;
const lost = { status: 0 };

describe("uploadStill", () => {
  it("sends every byte in order, in chunks, and says how far it is", async () => {
    const server = new Server();
    const progress: number[] = [];
    const view = await uploadStill(still, { ...options, onProgress: (sent) => progress.push(sent) }, surroundings(server));
    expect(view).toMatchObject({ upload_id: "u1", offset_bytes: bytes.length, snapshot_id: "s1" });
    expect(arrivedWhole(server)).toBe(true);
    expect(progress).toEqual([0, CHUNK_BYTES, 2 * CHUNK_BYTES, bytes.length]);
  });

  it("asks where the server stands after a lost connection, and sends nothing twice", async () => {
    const server = new Server(new Map<number, Fault>([[2, { status: 0, keepBytes: true }], [3, lost]]));
    await uploadStill(still, options, surroundings(server));
    expect(arrivedWhole(server)).toBe(true);
    expect(server.requests.filter((request) => request.startsWith("HEAD"))).toHaveLength(2);
  });

  it("begins again when the server no longer knows the upload", async () => {
    const server = new Server(new Map([[2, { status: 404, forget: true }]]));
    await uploadStill(still, options, surroundings(server));
    expect([...server.uploads.values()].map((stored) => stored.length)).toEqual([bytes.length]);
  });

  it("gives up at a refusal, with the server's own error", async () => {
    const server = new Server(new Map([[2, { status: 422 }]]));
    await expect(uploadStill(still, options, surroundings(server))).rejects.toMatchObject({ id: "test.fault", status: 422 });
  });

  it("gives up after many lost connections in a row, and goes on there when the same bytes are sent again", async () => {
    const memory = new Map<string, string>();
    const broken = new Map(Array.from({ length: 40 }, (_, i) => [i + 2, lost] as const));
    const server = new Server(broken);
    const first = surroundings(server, memory);
    await expect(uploadStill(still, options, first)).rejects.toMatchObject({ id: "upload.interrupted" });
    expect(first.pauses).toHaveLength(PATIENCE);
    server.requests = [];
    broken.clear();
    const again = await uploadStill(still, options, surroundings(server, memory));
    expect(again.upload_id).toBe("u1");
    expect(server.requests[0]).toBe("HEAD /api/uploads/u1");
    expect(arrivedWhole(server)).toBe(true);
    expect(memory.size).toBe(0);
  });

  it("tells the hash of the bytes", async () => {
    expect(await sha256Hex(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("the plan", () => {
  it("cuts chunks that cover the whole", () => {
    expect(nextChunk(0, 10)).toEqual({ start: 0, end: 10 });
    expect(nextChunk(CHUNK_BYTES, CHUNK_BYTES + 5)).toEqual({ start: CHUNK_BYTES, end: CHUNK_BYTES + 5 });
    expect(nextChunk(10, 10)).toBeNull();
  });

  it("knows a full disk from a busy server", () => {
    expect(afterFailure(507, 0, false).action).toBe("give_up");
    expect(afterFailure(503, 0, false).action).toBe("resume");
    expect(afterFailure(413, 0, false).action).toBe("give_up");
    expect(afterFailure(404, 0, true).action).toBe("give_up");
    expect(afterFailure(409, 0, false)).toEqual({ action: "resume", pause_ms: 0 });
  });
});
