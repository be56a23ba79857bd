/** The personal link's token: read from the address once, taken out of sight, kept for this tab only. */

const STORED = "truehue.token";

/** The token of `/p/#TOKEN`, or null when the fragment holds none. */
export function tokenOfFragment(fragment: string): string | null {
  const token = fragment.replace(/^#/, "");
  return /^[A-Za-z0-9_-]{16,128}$/.test(token) ? token : null;
}

/** Read the token and remove it from the address, so that it is in no history, screenshot or shared link. */
export function takeToken(): string | null {
  const fresh = tokenOfFragment(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  try {
    if (fresh !== null && fresh !== sessionStorage.getItem(STORED)) {
      // Another link, another person: nothing of the one before may stay.
      forgetEverything();
      sessionStorage.setItem(STORED, fresh);
    }
    return fresh ?? sessionStorage.getItem(STORED);
  } catch {
    return fresh; // without storage the link works until the page is left
  }
}

/** Remove all that this page kept in the tab. */
export function forgetEverything(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("truehue.")) sessionStorage.removeItem(key);
  } catch {
    // nothing could be kept either
  }
}
