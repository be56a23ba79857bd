/** Live connections over Socket.IO: a consultation's room, and the staff's lists. They reconnect by themselves. */

import { signal, type Signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import type { ConsultationView, LinkAuth, ReferralList, StaffAuth, WorklistView } from "../wire/messages";
import { ApiError, isErrorReply } from "./api";

const CALL_TIMEOUT_MS = 15_000;

export interface LiveConnection {
  /** True while the server is reachable; it goes false and true again by itself. */
  readonly connected: Signal<boolean>;
  /** Why the server will not have us (no further attempts are made), or null. */
  readonly refused: Signal<ApiError | null>;
  /**
   * Send an event and wait for its reply. Waits for a lost connection to come back, within the same time.
   * Rejects with ApiError: the server's id, or "network.timeout".
   */
  call<T>(event: string, data?: object): Promise<T>;
  /** Listen to an event; returns the function that stops it. */
  on<T>(event: string, listener: (message: T) => void): () => void;
  /** Try again at once instead of waiting for the next attempt. */
  reconnect(): void;
  close(): void;
}

export interface ConsultationConnection extends LiveConnection {
  /** What we may know of the consultation: the server pushes it whole at every change. */
  readonly state: Signal<ConsultationView | null>;
  /** Come in again with other auth; media go on meanwhile. */
  restate(auth: LinkAuth | StaffAuth): void;
}

export interface ListConnection extends LiveConnection {
  /** For specialists. */
  readonly worklist: Signal<WorklistView | null>;
  /** For a referring site. */
  readonly referrals: Signal<ReferralList | null>;
}

/** The typed refusal inside Socket.IO's connect_error, or null when it was a mere network failure. */
export function refusalOf(error: Error & { data?: unknown }): ApiError | null {
  const { data } = error;
  if (isErrorReply(data)) return new ApiError(data.error.id, data.error.message, 403);
  if (isErrorReply({ error: data })) {
    const view = data as { id: string; message: string };
    return new ApiError(view.id, view.message, 403);
  }
  return null;
}

function open(namespace: string, auth: object, callTimeoutMs: number): { socket: Socket; live: LiveConnection } {
  const socket = io(namespace, {
    auth: auth as Record<string, unknown>,
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    forceNew: true,
  });
  const connected = signal(false);
  const refused = signal<ApiError | null>(null);
  socket.on("connect", () => {
    refused.value = null;
    connected.value = true;
  });
  // The same link was opened somewhere else; coming back by ourselves would throw the other page out again.
  socket.on("replaced", (reply: unknown) => {
    refused.value = isErrorReply(reply) ? new ApiError(reply.error.id, reply.error.message, 409) : null;
  });
  socket.on("disconnect", (reason) => {
    connected.value = false;
    // The server hung up on purpose; Socket.IO leaves it to us to come back.
    if (reason === "io server disconnect" && refused.peek() === null) setTimeout(() => socket.connect(), 500);
  });
  socket.on("connect_error", (error: Error & { data?: unknown }) => {
    connected.value = false;
    if (!socket.active) refused.value = refusalOf(error) ?? new ApiError("live.refused", error.message, 403);
  });
  const onOnline = (): void => {
    if (!socket.connected && socket.active) socket.disconnect().connect();
  };
  window.addEventListener("online", onOnline);

  const untilConnected = (deadline: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (socket.connected) return resolve();
      const timer = setTimeout(() => {
        socket.off("connect", done);
        reject(new ApiError("network.timeout", "The server did not answer in time.", 0));
      }, deadline - Date.now());
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      socket.once("connect", done);
    });

  const live: LiveConnection = {
    connected,
    refused,
    async call<T>(event: string, data: object = {}): Promise<T> {
      const deadline = Date.now() + callTimeoutMs;
      await untilConnected(deadline);
      let reply: unknown;
      try {
        reply = await socket.timeout(Math.max(1, deadline - Date.now())).emitWithAck(event, data);
      } catch {
        throw new ApiError("network.timeout", "The server did not answer in time.", 0);
      }
      if (isErrorReply(reply)) throw new ApiError(reply.error.id, reply.error.message, 400);
      return reply as T;
    },
    on<T>(event: string, listener: (message: T) => void): () => void {
      const plain = listener as (...args: unknown[]) => void;
      socket.on(event, plain);
      return () => void socket.off(event, plain);
    },
    reconnect() {
      if (!socket.connected) socket.disconnect().connect();
    },
    close() {
      window.removeEventListener("online", onOnline);
      socket.removeAllListeners();
      socket.disconnect();
      connected.value = false;
    },
  };
  return { socket, live };
}

/** Enter a consultation's namespace, by personal link or as signed-in staff. */
export function connectConsultation(auth: LinkAuth | StaffAuth, callTimeoutMs = CALL_TIMEOUT_MS): ConsultationConnection {
  const { socket, live } = open("/consultation", auth, callTimeoutMs);
  const state = signal<ConsultationView | null>(null);
  socket.on("state", (view: ConsultationView) => {
    state.value = view;
  });
  return {
    ...live,
    state,
    restate(changed) {
      socket.auth = changed as unknown as Record<string, unknown>;
      socket.disconnect().connect();
    },
  };
}

/** Follow the worklist (specialists) or the referrals of one's site (referrers). */
export function connectWorklist(callTimeoutMs = CALL_TIMEOUT_MS): ListConnection {
  const { socket, live } = open("/worklist", {}, callTimeoutMs);
  const worklist = signal<WorklistView | null>(null);
  const referrals = signal<ReferralList | null>(null);
  socket.on("worklist", (view: WorklistView) => {
    worklist.value = view;
  });
  socket.on("referrals", (view: ReferralList) => {
    referrals.value = view;
  });
  return { ...live, worklist, referrals };
}
