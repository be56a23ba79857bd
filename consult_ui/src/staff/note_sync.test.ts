/** A note against a store that checks versions: one write at a time, conflicts kept for a person to settle. */

import { describe, expect, it } from "vitest";

import type { NoteView } from "../wire/messages";
import { noteSync, type NoteDoor } from "./note_sync";

class VersionConflict extends Error {}

/** A store with the server's rule: a write must name the current version. */
class Store implements NoteDoor {
  note: NoteView = { text: "", version: 0 };
  writes: string[] = [];
  broken = false;

  async write(text: string, version: number): Promise<NoteView> {
    await Promise.resolve();
    if (this.broken) throw new Error("no network");
    if (version !== this.note.version) throw new VersionConflict();
    this.writes.push(text);
    this.note = { text, version: version + 1 };
    return this.note;
  }

  async read(): Promise<NoteView> {
    await Promise.resolve();
    return this.note;
  }

  isConflict(error: unknown): boolean {
    return error instanceof VersionConflict;
  }
}

describe("a note", () => {
  it("is saved with the version that was read", async () => {
    const store = new Store();
    const note = noteSync(store.note, store);
    expect(note.state.value).toBe("saved");
    note.edit("Nevus, no change.");
    expect(note.state.value).toBe("unsaved");
    await note.save();
    expect(note.state.value).toBe("saved");
    expect(store.note).toEqual({ text: "Nevus, no change.", version: 1 });
  });

  it("keeps writing what was typed while a write was under way, one at a time", async () => {
    const store = new Store();
    const note = noteSync(store.note, store);
    note.edit("a");
    const saving = note.save();
    note.edit("ab");
    await Promise.all([saving, note.save()]);
    expect(store.writes).toEqual(["a", "ab"]);
    expect(note.state.value).toBe("saved");
  });

  it("stays unsaved when the network fails, and is saved later", async () => {
    const store = new Store();
    const note = noteSync(store.note, store);
    store.broken = true;
    note.edit("x");
    await note.save();
    expect(note.state.value).toBe("failed");
    store.broken = false;
    await note.save();
    expect(store.note.text).toBe("x");
    expect(note.state.value).toBe("saved");
  });

  it("shows both texts in a conflict and writes nothing until one is chosen", async () => {
    const store = new Store();
    const note = noteSync(store.note, store);
    await store.write("theirs", 0);
    note.edit("mine");
    await note.save();
    expect(note.state.value).toBe("conflict");
    expect(note.theirs.value?.text).toBe("theirs");
    await note.save();
    expect(store.note.text).toBe("theirs");
    await note.resolve("theirs\n\nmine");
    expect(store.note).toEqual({ text: "theirs\n\nmine", version: 2 });
    expect(note.state.value).toBe("saved");
  });

  it("has no conflict when the other text is the same", async () => {
    const store = new Store();
    const note = noteSync(store.note, store);
    await store.write("same", 0);
    note.edit("same");
    await note.save();
    expect(note.state.value).toBe("saved");
    expect(note.theirs.value).toBeNull();
  });
});
