/** After the call: one question, then thanks and what happens next. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { RadioGroup, TextArea } from "../lib/ui/field";
import { Notice } from "../lib/ui/notice";
import { Face } from "./drawings";
import { Screen } from "./screen";
import type { Visit } from "./visit";

const SCORES = [5, 4, 3, 2, 1] as const;

export function Satisfaction({ visit }: { visit: Visit }): JSX.Element {
  const score = useSignal<string | null>(null);
  const words = useSignal("");
  const sending = useSignal(false);
  const error = useSignal<string | null>(null);
  const send = async (): Promise<void> => {
    if (score.peek() === null) {
      error.value = t("ended.choose");
      return;
    }
    sending.value = true;
    error.value = null;
    try {
      await visit.rate({ score: Number(score.peek()), words: words.peek().trim() });
    } catch (cause) {
      error.value = tError(cause);
    } finally {
      sending.value = false;
    }
  };
  return (
    <Screen
      title={t("ended.title")}
      actions={
        <>
          {error.value !== null && (
            <Notice tone="error">
              <p>{error.value}</p>
            </Notice>
          )}
          <Button kind="primary" wide icon="check" busy={sending.value} onClick={send}>
            {t("action.send")}
          </Button>
          <Button
            kind="quiet"
            onClick={() => {
              visit.answered.value = true;
            }}
          >
            {t("ended.skip")}
          </Button>
        </>
      }
    >
      <p>{t("ended.over")}</p>
      <RadioGroup
        legend={t("ended.question")}
        value={score.value}
        options={SCORES.map((value) => ({
          value: String(value),
          label: (
            <span class="score">
              <Face score={value} /> {t(`ended.score_${value}`)}
            </span>
          ),
        }))}
        onChange={(value) => {
          score.value = value;
          error.value = null;
        }}
      />
      <TextArea
        label={t("ended.words")}
        hint={t("ended.words_hint")}
        value={words.value}
        maxLength={2000}
        rows={3}
        onInput={(value) => {
          words.value = value;
        }}
      />
    </Screen>
  );
}

export function Thanks({ patient }: { patient: boolean }): JSX.Element {
  return (
    <Screen title={t("thanks.title")}>
      {patient && <p>{t("thanks.next")}</p>}
      <p>{t("thanks.close")}</p>
      <p class="quiet">{t("thanks.nothing_kept")}</p>
    </Screen>
  );
}
