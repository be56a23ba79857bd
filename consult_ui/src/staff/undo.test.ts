/** Acts wait, can be undone or hurried, and nothing ticks when nothing waits. */

import { describe, expect, it, vi } from "vitest";

import { UNDO_SECONDS, undoQueue } from "./undo";

function heldClock() {
  let tick: (() => void) | null = null;
  return {
    everySecond: (callback: () => void) => {
      tick = callback;
      return () => {
        tick = null;
      };
    },
    pass(seconds: number) {
      for (let i = 0; i < seconds; i++) tick?.();
    },
    get ticking() {
      return tick !== null;
    },
  };
}

describe("an act that can be undone", () => {
  it("is done once, when its time is up, and not before", () => {
    const clock = heldClock();
    const queue = undoQueue(clock.everySecond);
    const act = vi.fn();
    queue.later("refuse/p1", "Refusing", act);
    clock.pass(UNDO_SECONDS - 1);
    expect(act).not.toHaveBeenCalled();
    expect(queue.pending.value[0]?.secondsLeft).toBe(1);
    clock.pass(3);
    expect(act).toHaveBeenCalledTimes(1);
    expect(clock.ticking).toBe(false);
  });

  it("is never done when undone", () => {
    const clock = heldClock();
    const queue = undoQueue(clock.everySecond);
    const act = vi.fn();
    queue.later("end", "Ending", act);
    queue.undo(queue.pending.value[0]?.id ?? 0);
    clock.pass(UNDO_SECONDS * 2);
    expect(act).not.toHaveBeenCalled();
    expect(clock.ticking).toBe(false);
  });

  it("is done at once, and only once, when hurried", () => {
    const clock = heldClock();
    const queue = undoQueue(clock.everySecond);
    const act = vi.fn();
    queue.later("end", "Ending", act);
    const id = queue.pending.value[0]?.id ?? 0;
    queue.now(id);
    queue.now(id);
    clock.pass(UNDO_SECONDS * 2);
    expect(act).toHaveBeenCalledTimes(1);
  });

  it("stands still while it is held", () => {
    const clock = heldClock();
    const queue = undoQueue(clock.everySecond);
    const act = vi.fn();
    queue.later("end", "Ending", act);
    const id = queue.pending.value[0]?.id ?? 0;
    queue.hold(id, true);
    clock.pass(UNDO_SECONDS * 2);
    expect(act).not.toHaveBeenCalled();
    queue.hold(id, false);
    clock.pass(UNDO_SECONDS);
    expect(act).toHaveBeenCalledTimes(1);
  });

  it("takes the place of an earlier one of the same key, and leaves others alone", () => {
    const clock = heldClock();
    const queue = undoQueue(clock.everySecond);
    const [first, second, other] = [vi.fn(), vi.fn(), vi.fn()];
    queue.later("refuse/p1", "a", first);
    queue.later("refuse/p2", "b", other);
    clock.pass(2);
    queue.later("refuse/p1", "c", second);
    expect(queue.isPending("refuse/p1")).toBe(true);
    clock.pass(UNDO_SECONDS - 2);
    expect(other).toHaveBeenCalledTimes(1);
    expect(second).not.toHaveBeenCalled();
    clock.pass(2);
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledTimes(1);
  });
});
