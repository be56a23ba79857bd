/** Who waits and for how long, what is scheduled, and which referrals ask for an answer. */

import type { JSX } from "preact";

import { formatDayTime, t } from "../lib/i18n";
import { serverNowMs } from "../staff/clock";
import { describePatient, formatDuration } from "../staff/format";
import type { ConsultationSummary } from "../wire/messages";
import type { Desk } from "./desk_state";
import { byNeed } from "./referral_order";
import { ReferralCard } from "./referral_card";

export function Worklist({ desk }: { desk: Desk }): JSX.Element {
  const worklist = desk.lists.worklist.value;
  if (!worklist) {
    return (
      <p class="quiet" role="status">
        {t("progress.working")}
      </p>
    );
  }
  const { consultations } = worklist;
  const waitingSince = (one: ConsultationSummary) =>
    one.waiting.map((who) => who.waiting_since ?? "").sort()[0] ?? "";
  const waiting = consultations
    .filter((one) => one.waiting.length > 0 && one.phase !== "ended")
    .sort((a, b) => waitingSince(a).localeCompare(waitingSince(b)));
  const rest = consultations.filter((one) => !waiting.includes(one));
  const inCall = rest.filter((one) => one.phase === "in_call");
  const scheduled = rest
    .filter((one) => one.phase === "scheduled")
    .sort((a, b) => a.scheduled_at.localeCompare(b.scheduled_at));
  const ended = rest.filter((one) => one.phase === "ended");
  const referrals = worklist.referrals.filter((one) => one.state === "sent").sort(byNeed);
  return (
    <div class="worklist">
      {!desk.lists.connected.value && (
        <p class="facts-warning" role="status">
          {t("worklist.lost")}
        </p>
      )}
      <Group title={t("worklist.waiting")} desk={desk} list={waiting} empty={t("worklist.nobody")} always />
      <Group title={t("worklist.in_call")} desk={desk} list={inCall} />
      <section aria-labelledby="referrals-title">
        <h2 id="referrals-title">
          {t("worklist.referrals")} <span class="count">{referrals.length}</span>
        </h2>
        {referrals.length === 0 && <p class="quiet">{t("worklist.no_referrals")}</p>}
        <ul class="cards">
          {referrals.map((referral) => (
            <ReferralCard key={referral.referral_id} desk={desk} referral={referral} />
          ))}
        </ul>
      </section>
      <Group title={t("worklist.scheduled")} desk={desk} list={scheduled} />
      <Group title={t("worklist.ended")} desk={desk} list={ended} />
    </div>
  );
}

interface GroupProps {
  readonly title: string;
  readonly desk: Desk;
  readonly list: readonly ConsultationSummary[];
  readonly empty?: string;
  readonly always?: boolean;
}

function Group({ title, desk, list, empty, always = false }: GroupProps): JSX.Element | null {
  if (list.length === 0 && !always) return null;
  return (
    <section aria-label={title}>
      <h2>
        {title} <span class="count">{list.length}</span>
      </h2>
      {list.length === 0 && <p class="quiet">{empty}</p>}
      <ul class="cards">
        {list.map((one) => (
          <ConsultationCard key={one.consultation_id} desk={desk} summary={one} />
        ))}
      </ul>
    </section>
  );
}

function ConsultationCard({ desk, summary }: { desk: Desk; summary: ConsultationSummary }): JSX.Element {
  const isOpen = desk.call.value?.consultationId === summary.consultation_id;
  const now = serverNowMs();
  const late = summary.phase === "scheduled" && summary.waiting.length === 0 && Date.parse(summary.scheduled_at) < now;
  return (
    <li>
      <button
        type="button"
        class={`card card-button${isOpen ? " card-open" : ""}`}
        aria-current={isOpen ? "true" : undefined}
        onClick={() => desk.open(summary.consultation_id)}
      >
        <span class="card-title">
          {summary.patient.name}
          {summary.urgency !== "routine" && <span class={`tag tag-${summary.urgency}`}>{t(`urgency.${summary.urgency}`)}</span>}
        </span>
        <span class="quiet">{describePatient(summary.patient)}</span>
        <span class="card-question">{summary.question}</span>
        {summary.waiting.map((who) => (
          <span class="card-waiting" key={who.participant_id}>
            {t("worklist.waits", {
              who: who.role === "patient" ? t("role.patient") : who.name,
              time: who.waiting_since ? formatDuration((now - Date.parse(who.waiting_since)) / 1000) : "",
            })}
            {!who.present && ` · ${t("worklist.away")}`}
          </span>
        ))}
        <span class="quiet">
          {formatDayTime(summary.scheduled_at)}
          {late && ` · ${t("worklist.not_here_yet")}`}
        </span>
      </button>
    </li>
  );
}
