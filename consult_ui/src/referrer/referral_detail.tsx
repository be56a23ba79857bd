/** One referral: where it stands, what was asked, and the answer with its pictures. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { getJson } from "../lib/api";
import { formatDateTime, formatDay, formatTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Notice } from "../lib/ui/notice";
import { birthDateWords, describePatient } from "../staff/format";
import { PhotoRow } from "../staff/photo_row";
import { PicturePair } from "../staff/picture_pair";
import { SnapshotStanding } from "../staff/snapshot_facts";
import type { ConsultationDetail, ReferralView } from "../wire/messages";
import { StageMark, stageOf } from "./referral_list";

interface ReferralDetailProps {
  readonly referral: ReferralView;
  readonly onJoin: (consultationId: string) => void;
  readonly onBack: () => void;
}

export function ReferralDetail({ referral, onJoin, onBack }: ReferralDetailProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [referral.referral_id]);
  const { patient, consultation_id: consultationId } = referral;
  const open = consultationId !== null && (referral.state === "accepted" || referral.state === "in_call");
  return (
    <article class="stack">
      <div class="page-top">
        <Button kind="quiet" icon="arrow_left" onClick={onBack}>
          {t("action.back")}
        </Button>
        <h2 ref={heading} tabIndex={-1}>
          {patient.name}
        </h2>
      </div>
      <p class="quiet">
        {[describePatient(patient), birthDateWords(patient)].filter(Boolean).join(" · ")}
      </p>
      <p class="row">
        <StageMark referral={referral} />
        <span>{t(`state_words.${stageOf(referral, Date.now())}`, whenWords(referral))}</span>
      </p>
      {referral.decline_reason && (
        <Notice tone="info" title={t("detail.declined")} announce={false}>
          <p class="pre">{referral.decline_reason}</p>
        </Notice>
      )}
      {open && (
        <div class="stack-tight">
          <Button kind="primary" icon="video" wide onClick={() => onJoin(consultationId)}>
            {t("detail.join")}
          </Button>
          <p class="quiet">{t("detail.join_hint")}</p>
        </div>
      )}
      {referral.state === "answered" && consultationId && <Answer consultationId={consultationId} answer={referral.answer} />}
      <section class="stack-tight" aria-labelledby="question-title">
        <h3 id="question-title">{t("form.question")}</h3>
        <p class="pre">{referral.question}</p>
        <p class="quiet">
          {t(`urgency.${referral.urgency}`)} · {t("list.sent", { when: formatDateTime(referral.created_at) })}
        </p>
        <PhotoRow photos={referral.photos} open />
      </section>
    </article>
  );
}

function whenWords({ scheduled_at: at }: ReferralView): Record<string, string> {
  return at ? { day: formatDay(at), time: formatTime(at) } : {};
}

function Answer({ consultationId, answer }: { consultationId: string; answer: string | null }): JSX.Element {
  const [detail, setDetail] = useState<ConsultationDetail | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let current = true;
    getJson<ConsultationDetail>(`/api/consultations/${consultationId}`).then(
      (read) => current && setDetail(read),
      (cause: unknown) => current && setError(cause),
    );
    return () => {
      current = false;
    };
  }, [consultationId, answer]);
  const words = answer ?? detail?.note.text;
  return (
    <section class="answer stack" aria-labelledby="answer-title">
      <h3 id="answer-title">{t("detail.answer")}</h3>
      {words ? <p class="pre">{words}</p> : <p class="quiet">{t("detail.no_words")}</p>}
      {error !== null && <p class="facts-warning">{tError(error)}</p>}
      {detail?.snapshots.map((snapshot) => (
        <div key={snapshot.snapshot_id} class="stack-tight">
          <p>
            <SnapshotStanding snapshot={snapshot} />
          </p>
          <PicturePair snapshot={snapshot} />
        </div>
      ))}
    </section>
  );
}
