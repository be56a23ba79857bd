/** Consent: the text as the clinic words it, care required, teaching a free choice. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError, getJson } from "../lib/api";
import { language, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Checkbox } from "../lib/ui/field";
import { Notice } from "../lib/ui/notice";
import type { ConsentTextView } from "../wire/messages";
import { Screen } from "./screen";
import type { Visit } from "./visit";

export function Consent({ visit }: { visit: Visit }): JSX.Element {
  const text = useSignal<ConsentTextView | null>(null);
  const teaching = useSignal(false);
  const declined = useSignal(false);
  const sending = useSignal(false);
  const error = useSignal<unknown>(null);
  const wanted = language.value;

  const load = async (): Promise<void> => {
    error.value = null;
    try {
      const loaded = await getJson<ConsentTextView>(`/api/consent/${wanted}`);
      if (wanted === language.peek()) text.value = loaded;
    } catch (cause) {
      error.value = cause;
    }
  };
  useEffect(() => void load(), [wanted]);

  const agree = async (): Promise<void> => {
    const read = text.peek();
    if (!read) return;
    sending.value = true;
    error.value = null;
    try {
      await visit.consent({
        version: read.version,
        language: read.language,
        text_sha256: read.sha256,
        purposes: teaching.peek() ? ["care", "teaching"] : ["care"],
      });
    } catch (cause) {
      error.value = cause;
      if (cause instanceof ApiError && cause.id === "consent.text_changed") await load();
    } finally {
      sending.value = false;
    }
  };

  if (declined.value)
    return (
      <Screen
        key="declined"
        title={t("consent.declined_title")}
        actions={
          <Button
            wide
            icon="arrow_left"
            onClick={() => {
              declined.value = false;
            }}
          >
            {t("consent.read_again")}
          </Button>
        }
      >
        <p>{t("consent.declined")}</p>
      </Screen>
    );
  return (
    <Screen
      key="text"
      title={text.value?.title ?? t("consent.title")}
      onBack={() => visit.back()}
      actions={
        <>
          <Button kind="primary" wide icon="check" onClick={agree} disabled={text.value === null} busy={sending.value}>
            {t("consent.agree")}
          </Button>
          <Button
            kind="quiet"
            onClick={() => {
              declined.value = true;
            }}
          >
            {t("consent.disagree")}
          </Button>
        </>
      }
    >
      {error.value !== null && (
        <Notice tone="error">
          <p>{tError(error.value)}</p>
          {text.value === null && <Button onClick={load}>{t("action.retry")}</Button>}
        </Notice>
      )}
      {text.value === null && error.value === null && <p role="status">{t("progress.working")}</p>}
      {text.value && (
        <>
          <div class="consent-text" lang={text.value.language === "zh" ? "zh-CN" : "en-GB"}>
            {text.value.paragraphs.map((paragraph) => (
              <p key={paragraph}>{paragraph}</p>
            ))}
          </div>
          <Checkbox
            checked={teaching.value}
            onChange={(checked) => {
              teaching.value = checked;
            }}
          >
            {t("consent.teaching")}
          </Checkbox>
          <p class="quiet">{t("consent.version", { version: text.value.version })}</p>
        </>
      )}
    </Screen>
  );
}
