/** Simple drawings for the guidance, in greys that follow the color scheme. They repeat what the words say. */

import type { ComponentChildren, JSX } from "preact";

function Drawing({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <svg
      class="drawing"
      viewBox="0 0 120 90"
      fill="none"
      stroke="currentColor"
      stroke-width="2.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

/** Daylight from a window falls on the arm; the lamp is off. */
export function LightDrawing(): JSX.Element {
  return (
    <Drawing>
      <path d="M10 10h34v40H10zM27 10v40M10 30h34" />
      <path d="m52 22 16 8M52 36l14 5M48 48l12 10" stroke-dasharray="3 6" />
      <path class="drawing-fill" d="M58 84c6-14 16-22 28-24l26-4v20l-24 4-8 4Z" />
      <path d="M58 84c6-14 16-22 28-24l26-4M80 84l8-4 24-4" />
      <circle cx="94" cy="68" r="3" fill="currentColor" stroke="none" />
      <path d="M96 8v8m-10 12 4-12h12l4 12ZM84 34l24-24" />
    </Drawing>
  );
}

/** First from a forearm's length, then close. */
export function DistanceDrawing(): JSX.Element {
  return (
    <Drawing>
      <path class="drawing-fill" d="M8 84V62c14-6 30-6 44 0v22Z" />
      <path d="M8 84V62c14-6 30-6 44 0v22" />
      <circle cx="30" cy="70" r="3" fill="currentColor" stroke="none" />
      <rect x="16" y="6" width="28" height="16" rx="3" />
      <path d="M30 26v26m-5-5 5 5 5-5m-10-16 5-5 5 5" />
      <path class="drawing-fill" d="M68 84V62c14-6 30-6 44 0v22Z" />
      <path d="M68 84V62c14-6 30-6 44 0v22" />
      <circle cx="90" cy="70" r="3" fill="currentColor" stroke="none" />
      <rect x="76" y="26" width="28" height="16" rx="3" />
      <path d="M90 45v8m-3-3 3 3 3-3" />
      <path d="M56 14h10m-4-4 4 4-4 4" />
    </Drawing>
  );
}

/** The color card lies flat beside the place, both in the picture. */
export function CardDrawing(): JSX.Element {
  return (
    <Drawing>
      <path class="drawing-fill" d="M6 74V40c30-12 78-12 108 0v34Z" />
      <path d="M6 74V40c30-12 78-12 108 0v34" />
      <circle cx="32" cy="54" r="4" fill="currentColor" stroke="none" />
      <path class="drawing-card" d="M48 40h52v28H48z" />
      <path d="M61 40v28m13-28v28m13-28v28M48 54h52" />
      <path d="M16 22v-10h12m64 0h12v10M16 76v8h12m64 0h12v-8" stroke-dasharray="1 0" />
    </Drawing>
  );
}

/** A face for 1 (bad) to 5 (very good); the words beside it say the same. */
export function Face({ score }: { score: 1 | 2 | 3 | 4 | 5 }): JSX.Element {
  const bend = [-6, -3, 0, 4, 7][score - 1] ?? 0;
  return (
    <svg class="face" viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true" focusable="false">
      <circle cx="16" cy="16" r="13" />
      <path d="M11.5 12.500v1M20.5 12.500v1" stroke-width="2.6" />
      <path d={`M10 ${21 - bend / 2}q6 ${bend} 12 0`} />
    </svg>
  );
}
