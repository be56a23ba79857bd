/** Text beside the call, to everybody admitted. */

import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { formatTime, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { announce } from "../lib/ui/live_region";
import type { StaffCall } from "./call";

export function Chat({ call, inputRef }: { call: StaffCall; inputRef?: RefObject<HTMLInputElement | null> }): JSX.Element {
  const [text, setText] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const lines = call.chat.value;
  const you = call.view.value?.you.participant_id;
  const seen = useRef<string | null>(null);

  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
    const last = lines.at(-1);
    // Old lines are not read out; a new one from somebody else is.
    if (last && seen.current !== null && last.line_id !== seen.current && last.participant_id !== you)
      announce(t("chat.said", { name: last.name, text: last.text }));
    seen.current = last?.line_id ?? "";
  }, [lines]);

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const line = text.trim();
    if (!line) return;
    setText("");
    if ((await call.ask("chat", { text: line })) === null) setText(line);
  };

  return (
    <div class="chat">
      <ol class="chat-lines" ref={list} tabIndex={0} aria-label={t("chat.lines")}>
        {lines.map((line) => (
          <li key={line.line_id} class={line.participant_id === you ? "chat-line chat-own" : "chat-line"}>
            <span class="chat-who">
              {line.participant_id === you ? t("you") : line.name} <time dateTime={line.sent_at}>{formatTime(line.sent_at)}</time>
            </span>
            <span>{line.text}</span>
          </li>
        ))}
        {lines.length === 0 && <li class="quiet">{t("chat.none")}</li>}
      </ol>
      {call.inRoom.value ? (
        <form class="chat-form" onSubmit={(event) => void send(event)}>
          <input
            ref={inputRef}
            class="field-control"
            aria-label={t("chat.message")}
            placeholder={t("chat.message")}
            value={text}
            maxLength={2000}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" onClick={() => undefined} disabled={text.trim() === ""}>
            {t("action.send")}
          </Button>
        </form>
      ) : (
        <p class="quiet">{call.ended.value ? t("chat.over") : t("chat.not_yet")}</p>
      )}
    </div>
  );
}
