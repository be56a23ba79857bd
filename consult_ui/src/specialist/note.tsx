/** The consultation's note: saved by itself, and honest about it; a conflict shows both texts. */

import type { JSX, RefObject } from "preact";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";

import { ApiError } from "../lib/api";
import { t } from "../lib/i18n";
import { useAskBeforeLeaving } from "../lib/leaving";
import { Button } from "../lib/ui/button";
import { Notice } from "../lib/ui/notice";
import { noteDoor, type StaffCall } from "../staff/call";
import { noteSync } from "../staff/note_sync";
import type { NoteView } from "../wire/messages";

/** Long enough not to write at every key, short enough that little is lost with a battery. */
const QUIET_MS = 800;
const RETRY_MS = 5000;

interface NoteProps {
  readonly call: StaffCall;
  readonly initial: NoteView;
  readonly inputRef: RefObject<HTMLTextAreaElement | null>;
}

export function Note({ call, initial, inputRef }: NoteProps): JSX.Element {
  const id = useId();
  const sync = useMemo(
    () =>
      noteSync(initial, {
        ...noteDoor(call.consultationId),
        isConflict: (error) => error instanceof ApiError && error.status === 409,
      }),
    [call],
  );
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const state = sync.state.value;
  const theirs = sync.theirs.value;

  useAskBeforeLeaving(() => sync.state.peek() !== "saved");
  useEffect(() => {
    const flush = () => void sync.save();
    document.addEventListener("visibilitychange", flush);
    return () => {
      clearTimeout(timer.current);
      document.removeEventListener("visibilitychange", flush);
      flush();
    };
  }, [sync]);
  useEffect(() => {
    if (state !== "failed") return;
    const retry = setTimeout(() => void sync.save(), RETRY_MS);
    return () => clearTimeout(retry);
  }, [state, sync]);

  const edit = (text: string): void => {
    sync.edit(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void sync.save(), QUIET_MS);
  };

  return (
    <div class="note">
      <div class="note-top">
        <label class="field-label" for={id}>
          {t("note.title")}
        </label>
        <span class="quiet" role="status">
          {t(`note.${state}`)}
        </span>
      </div>
      <textarea
        id={id}
        ref={inputRef}
        class="field-control note-text"
        aria-keyshortcuts="N"
        title={t("keys.hover", { key: "N" })}
        maxLength={20000}
        value={sync.text.value}
        onInput={(event) => edit(event.currentTarget.value)}
        onBlur={() => void sync.save()}
      />
      <p class="quiet">{t("note.goes_to", { site: call.detail.value?.referral.site_name ?? "" })}</p>
      {theirs && (
        <Notice tone="warning" title={t("note.conflict_title")}>
          <p>{t("note.conflict_words")}</p>
          <blockquote class="note-theirs">{theirs.text || t("note.empty")}</blockquote>
          <div class="row">
            <Button onClick={() => void sync.resolve(sync.text.value)}>{t("note.keep_mine")}</Button>
            <Button onClick={() => void sync.resolve(theirs.text)}>{t("note.take_theirs")}</Button>
            <Button onClick={() => void sync.resolve(`${theirs.text}\n\n${sync.text.value}`)}>{t("note.keep_both")}</Button>
          </div>
        </Notice>
      )}
    </div>
  );
}
