/** JSON over HTTP with the server's typed errors; the caller is known by a personal link's token or by cookie. */

import type { ErrorReply } from "../wire/messages";

/** A refusal or a failure. `id` is stable, `status` is the HTTP status, 0 when no answer came. */
export class ApiError extends Error {
  constructor(
    readonly id: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

let bearerToken: string | null = null;

/** From now on every request carries this personal link's token; null goes back to the session cookie. */
export function authorizeByToken(token: string | null): void {
  bearerToken = token;
}

/** Headers that say who asks, for requests made without `getJson` and `sendJson`. */
export function authHeaders(): Record<string, string> {
  return bearerToken === null ? {} : { Authorization: `Bearer ${bearerToken}` };
}

export function isErrorReply(value: unknown): value is ErrorReply {
  if (typeof value !== "object" || value === null || !("error" in value)) return false;
  const error = (value as { error: unknown }).error;
  return typeof error === "object" && error !== null && "id" in error && "message" in error;
}

/** The typed error of an HTTP response that is not a success. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  if (isErrorReply(body)) return new ApiError(body.error.id, body.error.message, response.status);
  return new ApiError(`http.${response.status}`, response.statusText || `HTTP ${response.status}`, response.status);
}

/** fetch that says who asks and throws ApiError: "network.unreachable" when no answer came at all. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(authHeaders())) headers.set(name, value);
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init, headers });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError("network.unreachable", "The server could not be reached.", 0);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function getJson<T>(path: string): Promise<T> {
  return (await (await request(path)).json()) as T;
}

/** Sends a JSON body; resolves with the JSON answer, or undefined when the answer is empty. */
export async function sendJson<T = undefined>(method: "POST" | "PUT" | "DELETE", path: string, body: unknown = {}): Promise<T> {
  const response = await request(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}
