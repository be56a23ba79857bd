/** Line icons drawn for this project, 24 x 24, in the color of the text beside them. Never alone without words. */

import type { JSX } from "preact";

const paths = {
  alert: "M12 3 2.5 20h19L12 3Zm0 6.5v5m0 2.5v.01",
  arrow_left: "M20 12H4m7-7-7 7 7 7",
  arrow_right: "M4 12h16m-7-7 7 7-7 7",
  camera: "M3 8h4l1.7-2.5h6.6L17 8h4v11.5H3V8Zm9 8.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
  chat: "M4 4.5h16v11.5h-9l-4.5 4v-4H4V4.5Zm4 4h8m-8 3.5h5",
  check: "m4.5 12.5 5 5 10-11",
  close: "m5.5 5.5 13 13m0-13-13 13",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5.5l3.5 2",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Zm9.5 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  gear: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-7 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  globe: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-8.5-9h17M12 3c-2.5 2.5-3.7 5.5-3.7 9s1.2 6.5 3.7 9c2.5-2.5 3.7-5.5 3.7-9S14.5 5.5 12 3Z",
  hang_up: "M3 14.500c5-5.5 13-5.5 18 0l-2 3-4-1.500v-2.700c-2-.6-4-.6-6 0V16l-4 1.5-2-3Z",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-2.7-11.300c.2-1.7 1.3-2.7 2.8-2.7 1.6 0 2.7 1 2.7 2.4 0 2.1-2.8 2.3-2.8 4.300m0 3v.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.500m0-9v.01",
  leave: "M14 4H5v16h9m-4-8h11m-4-4 4 4-4 4",
  mic: "M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3Zm-6-3a6 6 0 0 0 12 0m-6 6v3.500m-3 0h6",
  mic_off: "M9 9.500V12a3 3 0 0 0 4.5 2.600M15 11V6a3 3 0 0 0-5.7-1.300M6 12a6 6 0 0 0 9.5 4.900M18 12c0 .9-.2 1.7-.5 2.500M12 18v3.500m-3 0h6M4 3l16 18",
  minus: "M5 12h14",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 9c0-4 2.5-6 6.5-6s6.5 2 6.5 6m0-15.700a3.5 3.5 0 0 1 0 6.400m2.5 3.600c2.3.8 3.5 2.7 3.5 5.7",
  plus: "M12 5v14m-7-7h14",
  reload: "M20 11a8 8 0 1 0-1.5 6M20 4v7h-7",
  screen: "M3 4.500h18v12H3v-12ZM8.5 20.500h7M12 16.500v4",
  speaker: "M4 9.500v5h3.500L12 19V5L7.5 9.500H4Zm11.5-1a5 5 0 0 1 0 7m2.5-9.500a8.5 8.5 0 0 1 0 12",
  switch_camera: "M3 8h4l1.7-2.500h6.600L17 8h4v11.500H3V8Zm5.5 6.500a3.5 3.5 0 0 1 6-2.500m1-2v2.300h-2.300m2.3 1.200a3.5 3.5 0 0 1-6 2.500m-1 2v-2.300h2.3",
  upload: "M12 16V4m-5 5 5-5 5 5M4 16v4h16v-4",
  video: "M3 6.500h12v11H3v-11Zm12 4 6-3.500v10l-6-3.5",
  video_off: "M7 6.500h8v8m0 3H3v-11M15 10.500l6-3.500v10l-4-2.300M3 3l18 18",
  wifi: "M2.5 9c6-5.5 13-5.5 19 0M6 12.800c3.8-3.4 8.2-3.4 12 0m-8.8 3.600c1.9-1.5 3.7-1.5 5.6 0M12 19.500v.01",
} as const;

export type IconName = keyof typeof paths;

/** Decoration beside words: hidden from screen readers. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.9"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
