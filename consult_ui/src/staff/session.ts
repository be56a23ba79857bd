/** Who is signed in at this page: password, a one-time link of the server's console, or the cookie of before. */

import { signal } from "@preact/signals";

import { ApiError, getJson, sendJson } from "../lib/api";
import { languageChosen, setLanguage } from "../lib/i18n";
import type { LoginRequest, SignInLinkRequest, StaffView } from "../wire/messages";

/** undefined: not known yet; null: nobody. */
export const staff = signal<StaffView | null | undefined>(undefined);
export const sessionError = signal<unknown>(null);

export async function openSession(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("sign-in");
  try {
    if (token) {
      // The token works once; it is gone from the address and the history before anything else happens.
      history.replaceState(null, "", location.pathname + location.search);
      const request: SignInLinkRequest = { token };
      await sendJson("POST", "/api/login/link", request);
    }
    enter(await getJson<StaffView>("/api/me"));
  } catch (error) {
    staff.value = null;
    const nobodyYet = error instanceof ApiError && error.status === 401 && !token;
    sessionError.value = nobodyYet ? null : error;
  }
}

export async function signIn(request: LoginRequest): Promise<void> {
  await sendJson("POST", "/api/login", request);
  enter(await getJson<StaffView>("/api/me"));
}

export async function signOut(): Promise<void> {
  await sendJson("POST", "/api/logout");
  // A fresh document: nothing of a patient stays in this page's memory.
  location.replace(location.pathname);
}

function enter(who: StaffView): void {
  if (!languageChosen()) setLanguage(who.language, false);
  sessionError.value = null;
  staff.value = who;
}
