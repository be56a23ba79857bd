/**
 * Undo instead of "are you sure": an act that others would feel waits a few seconds before it is done.
 *
 * Nothing has happened until the time is up, so undoing is exact. An act that is waiting when the page closes
 * is not done.
 */

import { signal, type ReadonlySignal } from "@preact/signals";

export interface PendingAct {
  readonly id: number;
  /** What will happen, in the reader's words. */
  readonly label: string;
  readonly secondsLeft: number;
}

export interface UndoQueue {
  readonly pending: ReadonlySignal<readonly PendingAct[]>;
  /** Do `act` after the delay unless it is undone. A new act of the same key takes the old one's place. */
  later(key: string, label: string, act: () => void): void;
  undo(id: number): void;
  now(id: number): void;
  /** While somebody points at an act or has its buttons in focus, its time stands still. */
  hold(id: number, held: boolean): void;
  /** True while an act of this key waits. */
  isPending(key: string): boolean;
}

/** Enough to read the words and reach the button, also with a keyboard or a screen reader. */
export const UNDO_SECONDS = 10;

interface Entry extends PendingAct {
  readonly key: string;
  readonly act: () => void;
  readonly held: boolean;
}

/** `everySecond` is setInterval with one second, injected so that tests hold the clock. */
export function undoQueue(
  everySecond: (tick: () => void) => () => void = (tick) => {
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  },
): UndoQueue {
  const pending = signal<readonly Entry[]>([]);
  let nextId = 1;
  let stop: (() => void) | null = null;

  const set = (entries: readonly Entry[]) => {
    pending.value = entries;
    if (entries.length > 0 && !stop) stop = everySecond(tick);
    if (entries.length === 0 && stop) {
      stop();
      stop = null;
    }
  };
  const tick = () => {
    const aged = pending.value.map((entry) => ({ ...entry, secondsLeft: entry.secondsLeft - (entry.held ? 0 : 1) }));
    set(aged.filter((entry) => entry.secondsLeft > 0));
    for (const entry of aged) if (entry.secondsLeft <= 0) entry.act();
  };

  return {
    pending,
    later(key, label, act) {
      const others = pending.value.filter((entry) => entry.key !== key);
      set([...others, { id: nextId++, key, label, act, held: false, secondsLeft: UNDO_SECONDS }]);
    },
    undo(id) {
      set(pending.value.filter((entry) => entry.id !== id));
    },
    now(id) {
      const entry = pending.value.find((candidate) => candidate.id === id);
      set(pending.value.filter((candidate) => candidate.id !== id));
      entry?.act();
    },
    hold(id, held) {
      set(pending.value.map((entry) => (entry.id === id ? { ...entry, held } : entry)));
    },
    isPending(key) {
      return pending.value.some((entry) => entry.key === key);
    },
  };
}
