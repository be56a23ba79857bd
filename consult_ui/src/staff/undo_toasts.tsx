/** What is about to happen, with the seconds left, and the way back. */

import type { JSX } from "preact";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import type { UndoQueue } from "./undo";

export function UndoToasts({ queue }: { queue: UndoQueue }): JSX.Element {
  return (
    <div class="toasts" role="status">
      {queue.pending.value.map(({ id, label, secondsLeft }) => (
        <div
          class="toast"
          key={id}
          onPointerEnter={() => queue.hold(id, true)}
          onPointerLeave={() => queue.hold(id, false)}
          onFocusIn={() => queue.hold(id, true)}
          onFocusOut={() => queue.hold(id, false)}
        >
          <p>{label}</p>
          <span class="toast-seconds" aria-hidden="true">
            {t("duration.s", { s: secondsLeft })}
          </span>
          <Button kind="primary" onClick={() => queue.undo(id)}>
            {t("undo")}
          </Button>
          <Button kind="quiet" onClick={() => queue.now(id)}>
            {t("undo.now")}
          </Button>
        </div>
      ))}
    </div>
  );
}
