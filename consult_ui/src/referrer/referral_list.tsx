/** The site's referrals, newest first, each with its state in words and shape. */

import type { JSX } from "preact";

import { formatDateTime, formatDay, formatTime, t } from "../lib/i18n";
import { Icon, type IconName } from "../lib/ui/icons";
import { describePatient } from "../staff/format";
import type { ReferralView } from "../wire/messages";

export type Stage = "sent" | "accepted" | "scheduled" | "in_call" | "answered" | "declined";

const ICONS: Record<Stage, IconName> = {
  sent: "upload",
  accepted: "check",
  scheduled: "clock",
  in_call: "video",
  answered: "chat",
  declined: "close",
};

/** "scheduled" is an accepted referral whose time is still to come. */
export function stageOf(referral: ReferralView, nowMs: number): Stage {
  if (referral.state !== "accepted") return referral.state;
  return referral.scheduled_at && Date.parse(referral.scheduled_at) > nowMs ? "scheduled" : "accepted";
}

export function StageMark({ referral }: { referral: ReferralView }): JSX.Element {
  const stage = stageOf(referral, Date.now());
  return (
    <span class={`tag stage-mark stage-mark-${stage}`}>
      <Icon name={ICONS[stage]} />
      {t(`state.${stage}`)}
    </span>
  );
}

interface ReferralListProps {
  readonly referrals: readonly ReferralView[];
  readonly open: string | null;
  readonly onOpen: (referralId: string) => void;
}

export function ReferralItems({ referrals, open, onOpen }: ReferralListProps): JSX.Element {
  const newest = [...referrals].sort((a, b) => b.created_at.localeCompare(a.created_at));
  return (
    <ul class="cards" aria-label={t("list.title")}>
      {newest.map((referral) => (
        <li key={referral.referral_id}>
          <button
            type="button"
            class={`card card-button${open === referral.referral_id ? " card-open" : ""}`}
            aria-current={open === referral.referral_id ? "true" : undefined}
            onClick={() => onOpen(referral.referral_id)}
          >
            <span class="card-title">
              {referral.patient.name}
              <StageMark referral={referral} />
            </span>
            <span class="quiet">{describePatient(referral.patient)}</span>
            <span class="card-question">{referral.question}</span>
            <span class="quiet">
              {referral.scheduled_at && referral.state === "accepted"
                ? t("list.scheduled", { day: formatDay(referral.scheduled_at), time: formatTime(referral.scheduled_at) })
                : t("list.sent", { when: formatDateTime(referral.created_at) })}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
