/** The specialist's keys: one table that the listener, the hover titles and the sheet behind `?` share. */

export interface KeyAction {
  /** KeyboardEvent.key, letters in lower case. */
  readonly key: string;
  /** As it stands on the sheet and in aria-keyshortcuts. */
  readonly shown: string;
  readonly wordsKey: string;
  readonly onDown: () => void;
  readonly onUp?: () => void;
}

/** Where a person types, or operates a control that has its own keys, ours are silent. */
export function isTyping(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("input, textarea, select")) return true;
  const operates = key === " " || key === "Enter";
  const moves = key.startsWith("Arrow");
  return (
    (operates && target.matches("button, a, summary")) ||
    (moves && target.matches("[role=slider], [role=listbox], ol, video"))
  );
}

/** Listen until the returned function is called. Keys with Ctrl, Alt or Meta belong to the browser. */
export function listenToKeys(actions: () => readonly KeyAction[]): () => void {
  const find = (event: KeyboardEvent): KeyAction | undefined => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return undefined;
    return actions().find(({ key }) => key === (event.key.length === 1 ? event.key.toLowerCase() : event.key));
  };
  const held = new Set<string>();
  const down = (event: KeyboardEvent): void => {
    const action = find(event);
    if (!action || isTyping(event.target, action.key)) return;
    event.preventDefault();
    if (action.onUp) {
      if (held.has(action.key)) return; // repeats while it is held
      held.add(action.key);
    }
    action.onDown();
  };
  const up = (event: KeyboardEvent): void => {
    for (const action of actions()) {
      const released = event.key === action.key && held.delete(action.key);
      if (released) action.onUp?.();
    }
  };
  // A key that is released over another window would stay down for ever.
  const blur = (): void => {
    for (const action of actions()) if (held.delete(action.key)) action.onUp?.();
  };
  window.addEventListener("keydown", down);
  window.addEventListener("keyup", up);
  window.addEventListener("blur", blur);
  return () => {
    window.removeEventListener("keydown", down);
    window.removeEventListener("keyup", up);
    window.removeEventListener("blur", blur);
  };
}
