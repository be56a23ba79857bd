/** The shapes of trust: good, usable, refused, outdated, none. */

import type { JSX } from "preact";

/** A shape for each grade, so that nothing hangs on color. */
export function GradeShape({ grade }: { grade: "good" | "usable" | "refuse" | "outdated" | "none" }): JSX.Element {
  return (
    <svg class="grade-shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.8">
      {grade === "good" && <path d="M8 1.5a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM4.800 8.200l2.300 2.300 4.200-4.700" />}
      {grade === "usable" && (
        <>
          <circle cx="8" cy="8" r="6.500" />
          <path d="M8 1.500a6.500 6.500 0 0 1 0 13Z" fill="currentColor" stroke="none" />
        </>
      )}
      {grade === "refuse" && <path d="M8 1.800 1.200 14h13.600L8 1.800Zm0 4.700v3.700m0 1.500v.6" />}
      {grade === "outdated" && <path d="M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM8 4.200V8l2.700 1.800" stroke-dasharray="2.500 1.200" />}
      {grade === "none" && <circle cx="8" cy="8" r="6.500" stroke-dasharray="2.600 2.500" />}
    </svg>
  );
}
