/**
 * A note that saves itself: one write at a time, each naming the version that was read.
 *
 * When somebody else wrote in between, both texts are kept and shown; nothing is overwritten until a person chose.
 */

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import type { NoteView } from "../wire/messages";

export type NoteState = "saved" | "unsaved" | "saving" | "failed" | "conflict";

export interface NoteSync {
  readonly text: ReadonlySignal<string>;
  readonly state: ReadonlySignal<NoteState>;
  /** The other text, while there is a conflict. */
  readonly theirs: ReadonlySignal<NoteView | null>;
  edit(text: string): void;
  /** Write what is unsaved; resolves when nothing more can be done now. */
  save(): Promise<void>;
  /** End a conflict with the text that shall stand. */
  resolve(text: string): Promise<void>;
}

export interface NoteDoor {
  write(text: string, version: number): Promise<NoteView>;
  read(): Promise<NoteView>;
  isConflict(error: unknown): boolean;
}

export function noteSync(initial: NoteView, door: NoteDoor): NoteSync {
  const text = signal(initial.text);
  const stored = signal<NoteView>(initial);
  const theirs = signal<NoteView | null>(null);
  const busy = signal(false);
  const failed = signal(false);

  const state = computed<NoteState>(() => {
    if (theirs.value) return "conflict";
    if (busy.value) return "saving";
    if (text.value === stored.value.text) return "saved";
    return failed.value ? "failed" : "unsaved";
  });

  async function save(): Promise<void> {
    if (busy.value || theirs.value) return;
    busy.value = true;
    try {
      // What was typed while a write was under way goes with the next one.
      while (text.value !== stored.value.text) {
        stored.value = await door.write(text.value, stored.value.version);
      }
      failed.value = false;
    } catch (error) {
      failed.value = true;
      if (door.isConflict(error)) await readTheirs();
    } finally {
      busy.value = false;
    }
  }

  async function readTheirs(): Promise<void> {
    try {
      const other = await door.read();
      if (other.text === text.value) stored.value = other;
      else theirs.value = other;
    } catch {
      // Still unsaved and failed: the next save meets the conflict again.
    }
  }

  return {
    text,
    state,
    theirs,
    edit(next) {
      text.value = next;
      failed.value = false;
    },
    save,
    async resolve(next) {
      if (!theirs.value) return;
      stored.value = theirs.value;
      theirs.value = null;
      text.value = next;
      await save();
    },
  };
}
