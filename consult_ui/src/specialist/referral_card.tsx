/** A referral that asks for an answer: accept it for now or for a time, or decline it with words. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { sendJson } from "../lib/api";
import { formatDay, formatTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { TextArea, TextField } from "../lib/ui/field";
import { describePatient } from "../staff/format";
import { PhotoRow } from "../staff/photo_row";
import type { AcceptRequest, DeclineRequest, ReferralView } from "../wire/messages";
import type { Desk } from "./desk_state";

type Asking = "schedule" | "decline" | null;

export function ReferralCard({ desk, referral }: { desk: Desk; referral: ReferralView }): JSX.Element {
  const [asking, setAsking] = useState<Asking>(null);
  const [at, setAt] = useState("");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const path = `/api/referrals/${referral.referral_id}`;
  const declineKey = `decline/${referral.referral_id}`;

  const run = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };

  const accept = (when: Date, openIt: boolean): Promise<void> =>
    run(async () => {
      const request: AcceptRequest = { scheduled_at: when.toISOString() };
      const accepted = await sendJson<{ consultation_id?: string | null } | undefined>("POST", `${path}/accept`, request);
      if (openIt && accepted?.consultation_id) desk.open(accepted.consultation_id);
    });

  const decline = (): void => {
    const request: DeclineRequest = { reason: reason.trim() };
    setAsking(null);
    desk.undo.later(declineKey, t("referral.declining", { name: referral.patient.name }), () => {
      void run(() => sendJson("POST", `${path}/decline`, request));
    });
  };

  const leaving = desk.undo.isPending(declineKey);
  return (
    <li class={`card${leaving ? " card-leaving" : ""}`}>
      <span class="card-title">
        {referral.patient.name}
        {referral.urgency !== "routine" && <span class={`tag tag-${referral.urgency}`}>{t(`urgency.${referral.urgency}`)}</span>}
      </span>
      <span class="quiet">
        {[describePatient(referral.patient), referral.site_name].filter(Boolean).join(" · ")}
      </span>
      <p class="card-question card-question-whole">{referral.question}</p>
      <PhotoRow photos={referral.photos} />
      <span class="quiet">
        {t("referral.sent_at", { day: formatDay(referral.created_at), time: formatTime(referral.created_at) })}
      </span>
      {error !== null && (
        <p class="field-error" role="alert">
          {tError(error)}
        </p>
      )}
      {asking === null && !leaving && (
        <div class="row referral-actions">
          <Button kind="primary" busy={busy} onClick={() => void accept(new Date(), true)}>
            {t("referral.accept")}
          </Button>
          <Button onClick={() => setAsking("schedule")}>{t("referral.schedule")}</Button>
          <Button kind="quiet" onClick={() => setAsking("decline")}>
            {t("referral.decline")}
          </Button>
        </div>
      )}
      {asking === "schedule" && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (at) void accept(new Date(at), false);
          }}
        >
          <TextField label={t("referral.when")} type="datetime-local" required value={at} onInput={setAt} min={localMinute(new Date())} />
          <div class="row">
            <Button kind="primary" type="submit" busy={busy} onClick={() => undefined}>
              {t("referral.accept_then")}
            </Button>
            <Button kind="quiet" onClick={() => setAsking(null)}>
              {t("action.back")}
            </Button>
          </div>
        </form>
      )}
      {asking === "decline" && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim()) decline();
          }}
        >
          <TextArea label={t("referral.reason")} hint={t("referral.reason_hint")} required rows={3} maxLength={2000} value={reason} onInput={setReason} />
          <div class="row">
            <Button kind="primary" type="submit" onClick={() => undefined}>
              {t("referral.send_decline")}
            </Button>
            <Button kind="quiet" onClick={() => setAsking(null)}>
              {t("action.back")}
            </Button>
          </div>
        </form>
      )}
    </li>
  );
}

/** A moment as `datetime-local` writes it, in the zone of this desk. */
function localMinute(moment: Date): string {
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
