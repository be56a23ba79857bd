/** Text in the call, for when sound fails or a word is hard to hear. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { TextField } from "../lib/ui/field";
import type { Visit } from "./visit";

export function Chat({ visit }: { visit: Visit }): JSX.Element {
  const text = useSignal("");
  const sending = useSignal(false);
  const error = useSignal<string | null>(null);
  const end = useRef<HTMLLIElement>(null);
  const section = useRef<HTMLElement>(null);
  const lines = visit.chat.value;
  // Opened below the pictures, or grown by a line, it would otherwise be hidden behind the bar.
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
    section.current?.scrollIntoView({ block: "nearest" });
  }, [lines.length]);

  const send = async (): Promise<void> => {
    const words = text.peek().trim();
    if (words === "" || sending.peek()) return;
    sending.value = true;
    error.value = null;
    try {
      await visit.say(words);
      text.value = "";
    } catch (cause) {
      error.value = tError(cause);
    } finally {
      sending.value = false;
    }
  };

  return (
    <section class="chat" ref={section} aria-label={t("call.chat")}>
      <div class="chat-lines" role="log" aria-label={t("chat.lines")} tabIndex={0}>
      <ol>
        {lines.length === 0 && <li class="quiet">{t("chat.empty")}</li>}
        {lines.map((line) => (
          <li key={line.line_id} ref={end}>
            <span class="chat-who">
              {line.participant_id === visit.join.value?.participant_id ? t("call.you") : line.name}{" "}
              <time dateTime={line.sent_at}>{formatTime(line.sent_at)}</time>
            </span>
            <span>{line.text}</span>
          </li>
        ))}
      </ol>
      </div>
      <form
        class="chat-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <TextField
          label={t("chat.write")}
          value={text.value}
          maxLength={2000}
          autocomplete="off"
          error={error.value}
          onInput={(value) => {
            text.value = value;
          }}
        />
        <Button kind="primary" type="submit" busy={sending.value} onClick={() => undefined}>
          {t("action.send")}
        </Button>
      </form>
    </section>
  );
}
