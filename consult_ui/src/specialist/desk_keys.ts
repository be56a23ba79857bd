/** What each key does at the specialist's desk. */

import type { RefObject } from "preact";

import { type Desk, isAtTheDoor } from "./desk_state";
import type { KeyAction } from "./keys";

export function deskKeys(
  desk: Desk,
  note: RefObject<HTMLTextAreaElement | null>,
  chat: RefObject<HTMLInputElement | null>,
): readonly KeyAction[] {
  const own = () => desk.call.peek()?.own;
  const admitNext = (): void => {
    const next = desk.call.peek()?.others.peek().find(isAtTheDoor);
    if (next) void desk.admit(next);
  };
  const arrow = (direction: 1 | -1): void => {
    if (desk.shown.peek()) desk.showNext(direction);
    else desk.moveWipe(direction * 0.05);
  };
  const dismiss = (): void => {
    if (desk.panel.peek()) desk.panel.value = null;
    else if (desk.shown.peek()) desk.shown.value = null;
    else desk.worklistOpen.value = false;
  };
  let talking = false;
  const talk = (on: boolean): void => {
    const media = own();
    if (!media) return;
    // Only what the key opened does the key close: an open microphone stays open.
    if (on && (media.muted.peek() || !media.tracks.microphone.peek())) {
      talking = true;
      void media.setMuted(false);
    } else if (!on && talking) {
      talking = false;
      void media.setMuted(true);
    }
  };
  return [
    { key: "c", shown: "C", wordsKey: "keys.capture", onDown: () => void desk.capture() },
    { key: "w", shown: "W", wordsKey: "keys.wipe", onDown: () => desk.toggleWipe() },
    { key: "ArrowLeft", shown: "←", wordsKey: "keys.left", onDown: () => arrow(-1) },
    { key: "ArrowRight", shown: "→", wordsKey: "keys.right", onDown: () => arrow(1) },
    { key: "a", shown: "A", wordsKey: "keys.admit", onDown: admitNext },
    { key: "n", shown: "N", wordsKey: "keys.note", onDown: () => note.current?.focus() },
    { key: "t", shown: "T", wordsKey: "keys.chat", onDown: () => chat.current?.focus() },
    { key: " ", shown: "Space", wordsKey: "keys.talk", onDown: () => talk(true), onUp: () => talk(false) },
    {
      key: "m",
      shown: "M",
      wordsKey: "keys.mute",
      onDown: () => void own()?.setMuted(!(own()?.muted.peek() ?? true) && own()?.tracks.microphone.peek() !== null),
    },
    { key: "v", shown: "V", wordsKey: "keys.camera", onDown: () => void own()?.toggle("camera") },
    {
      key: "s",
      shown: "S",
      wordsKey: "keys.statistics",
      onDown: () => {
        desk.panel.value = desk.panel.peek() === "statistics" ? null : "statistics";
      },
    },
    {
      key: "?",
      shown: "?",
      wordsKey: "keys.sheet",
      onDown: () => {
        desk.panel.value = desk.panel.peek() === "keys" ? null : "keys";
      },
    },
    { key: "Escape", shown: "Esc", wordsKey: "keys.close_panel", onDown: dismiss },
  ];
}
