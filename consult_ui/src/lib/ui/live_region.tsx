/** Things that a screen reader says although nothing was focused. One region a page, always in the document. */

import { signal } from "@preact/signals";
import type { JSX } from "preact";

const spoken = signal({ text: "", count: 0 });

/** Have a sentence read out when the reader pauses; the same sentence twice is read twice. */
export function announce(text: string): void {
  spoken.value = { text, count: spoken.peek().count + 1 };
}

export function LiveRegion(): JSX.Element {
  const { text, count } = spoken.value;
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      <span key={count}>{text}</span>
    </div>
  );
}
