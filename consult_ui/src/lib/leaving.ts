/** The browser asks before a page is left that holds what is nowhere else. */

import { useEffect, useRef } from "preact/hooks";

/** `holds` is looked at when somebody is about to leave, reload or close the page. */
export function useAskBeforeLeaving(holds: () => boolean): void {
  const latest = useRef(holds);
  latest.current = holds;
  useEffect(() => {
    const keep = (event: BeforeUnloadEvent) => {
      if (latest.current()) event.preventDefault();
    };
    window.addEventListener("beforeunload", keep);
    return () => window.removeEventListener("beforeunload", keep);
  }, []);
}
