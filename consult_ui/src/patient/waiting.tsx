/** The waiting room: place, time, what to do meanwhile, and what the doctor said. Also: refused, and left. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { formatTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Icon } from "../lib/ui/icons";
import { Notice } from "../lib/ui/notice";
import type { ConsultationView } from "../wire/messages";
import { Screen } from "./screen";
import type { Visit } from "./visit";

/** Minutes to say for seconds: rounded up, never zero. */
export function minutesToSay(wait_s: number): number {
  return Math.max(1, Math.ceil(wait_s / 60));
}

function placeWords(position: number): string {
  return position === 1 ? t("waiting.next") : t("waiting.before", { count: position - 1 });
}

export function Waiting({ visit, view }: { visit: Visit; view: ConsultationView }): JSX.Element {
  const patient = view.you.role === "patient";
  const wait_s = view.estimated_wait_s;
  return (
    <Screen title={t(view.you.admission === "sent_back" ? "waiting.sent_back" : "waiting.title")}>
      {view.words && (
        <Notice tone="info" title={t("waiting.words", { doctor: view.specialist_name })}>
          <p class="said">{view.words}</p>
        </Notice>
      )}
      {!(visit.live.value?.connected.value ?? false) && (
        <Notice tone="warning" title={t("waiting.offline_title")}>
          <p>{t("waiting.offline")}</p>
        </Notice>
      )}
      <div class="wait" role="status">
        <Icon name="clock" />
        <div>
          {view.position !== null && <p>{placeWords(view.position)}</p>}
          <p>
            {wait_s !== null && wait_s > 30
              ? t("waiting.minutes", { count: minutesToSay(wait_s) })
              : t("waiting.soon", { doctor: view.specialist_name })}
          </p>
        </div>
      </div>
      <p>{t("waiting.stay", { time: formatTime(view.scheduled_at) })}</p>
      <p class="privacy">
        <Icon name="eye" />
        <span>{t("waiting.nobody")}</span>
      </p>
      {patient && (
        <section class="tips">
          <h2>{t("waiting.tips")}</h2>
          <ul>
            <li>{t("waiting.tip_light")}</li>
            <li>{t("waiting.tip_card")}</li>
            <li>{t("waiting.tip_clean")}</li>
            <li>{t("waiting.tip_questions")}</li>
          </ul>
        </section>
      )}
      <LeaveButton visit={visit} label={t("waiting.leave")} />
    </Screen>
  );
}

function LeaveButton({ visit, label }: { visit: Visit; label: string }): JSX.Element {
  const error = useSignal<unknown>(null);
  return (
    <>
      {error.value !== null && (
        <Notice tone="error">
          <p>{tError(error.value)}</p>
        </Notice>
      )}
      <Button
        kind="quiet"
        icon="leave"
        onClick={() => {
          visit.leave().catch((cause: unknown) => {
            error.value = cause;
          });
        }}
      >
        {label}
      </Button>
    </>
  );
}

/** The doctor turned the person away; the words say why. */
export function Refused({ view }: { view: ConsultationView }): JSX.Element {
  return (
    <Screen title={t("refused.title")}>
      {view.words && (
        <Notice tone="info" title={t("waiting.words", { doctor: view.specialist_name })}>
          <p class="said">{view.words}</p>
        </Notice>
      )}
      <p>{t("refused.what_now")}</p>
    </Screen>
  );
}

/** The person left and may come back. */
export function Left({ visit }: { visit: Visit }): JSX.Element {
  const busy = useSignal(false);
  const error = useSignal<unknown>(null);
  const comeBack = async (): Promise<void> => {
    busy.value = true;
    error.value = null;
    try {
      await visit.knock();
    } catch (cause) {
      error.value = cause;
    } finally {
      busy.value = false;
    }
  };
  return (
    <Screen
      title={t("left.title")}
      actions={
        <Button kind="primary" wide icon="arrow_right" busy={busy.value} onClick={comeBack}>
          {t("left.come_back")}
        </Button>
      }
    >
      <p>{t("left.words")}</p>
      {error.value !== null && (
        <Notice tone="error">
          <p>{tError(error.value)}</p>
        </Notice>
      )}
    </Screen>
  );
}
