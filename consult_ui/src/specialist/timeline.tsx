/** The patient's record in time, newest first: consultations with their notes, pictures, referrals, answers. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { getJson } from "../lib/api";
import { formatDateTime, t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { PicturePair } from "../staff/picture_pair";
import { SnapshotStanding } from "../staff/snapshot_facts";
import type { TimelineView } from "../wire/messages";

type Entry = { readonly at: string; readonly key: string; readonly body: JSX.Element };

interface TimelineProps {
  readonly patientId: string;
  /** Read again when this changes: something new is in the record. */
  readonly changed: unknown;
}

export function Timeline({ patientId, changed }: TimelineProps): JSX.Element {
  const [timeline, setTimeline] = useState<TimelineView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    getJson<TimelineView>(`/api/patients/${patientId}/timeline`).then(
      (read) => {
        if (!current) return;
        setTimeline(read);
        setError(null);
      },
      (cause: unknown) => {
        if (current) setError(cause);
      },
    );
    return () => {
      current = false;
    };
  }, [patientId, changed, attempt]);

  if (error !== null && !timeline) {
    return (
      <div class="stack">
        <p class="facts-warning">{tError(error)}</p>
        <Button onClick={() => setAttempt(attempt + 1)}>{t("action.retry")}</Button>
      </div>
    );
  }
  if (!timeline) return <p class="quiet">{t("progress.working")}</p>;
  return (
    <ol class="timeline">
      {entriesOf(timeline).map(({ at, key, body }) => (
        <li key={key}>
          <time class="quiet" dateTime={at}>
            {formatDateTime(at)}
          </time>
          {body}
        </li>
      ))}
    </ol>
  );
}

function entriesOf(timeline: TimelineView): Entry[] {
  const entries: Entry[] = [
    ...timeline.consultations.map((one) => ({
      at: one.started_at ?? one.scheduled_at,
      key: one.consultation_id,
      body: (
        <>
          <h3>{t(`timeline.consultation_${one.phase}`)}</h3>
          {one.note && <p class="pre">{one.note}</p>}
          {one.display_check && (
            <p class="quiet">
              {t(one.display_check.steps_apart ? "timeline.display_apart" : "timeline.display_alike", {
                gamut: t(`display.name_${one.display_check.gamut}`),
              })}
            </p>
          )}
        </>
      ),
    })),
    ...timeline.referrals.map((one) => ({
      at: one.created_at,
      key: one.referral_id,
      body: (
        <>
          <h3>{t("timeline.referral", { site: one.site_name })}</h3>
          <p class="pre">{one.question}</p>
          {one.decline_reason && <p class="pre">{t("timeline.declined", { reason: one.decline_reason })}</p>}
        </>
      ),
    })),
    ...timeline.snapshots.map((one) => ({
      at: one.taken_at,
      key: one.snapshot_id,
      body: (
        <>
          <h3>{one.referral_id ? t("timeline.photo") : t("timeline.snapshot")}</h3>
          <p>
            <SnapshotStanding snapshot={one} />
          </p>
          <PicturePair snapshot={one} />
        </>
      ),
    })),
    ...timeline.satisfactions.map((one) => ({
      at: one.given_at,
      key: `satisfaction/${one.consultation_id}`,
      body: (
        <>
          <h3>{t("timeline.satisfaction", { score: one.score })}</h3>
          {one.words && <p class="pre">{one.words}</p>}
        </>
      ),
    })),
  ];
  return entries.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
