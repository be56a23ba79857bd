/** Everything about the patient beside the picture: the question, the links, snapshots, note, chat, timeline. */

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useState } from "preact/hooks";

import { t } from "../lib/i18n";
import type { StaffCall } from "../staff/call";
import { Chat } from "../staff/chat";
import { PhotoRow } from "../staff/photo_row";
import type { Desk } from "./desk_state";
import { LinkPanel } from "./link_panel";
import { Note } from "./note";
import { SnapshotStrip } from "./snapshots";
import { Timeline } from "./timeline";

interface PatientColumnProps {
  readonly desk: Desk;
  readonly call: StaffCall;
  readonly noteRef: RefObject<HTMLTextAreaElement | null>;
  readonly chatRef: RefObject<HTMLInputElement | null>;
}

export function PatientColumn({ desk, call, noteRef, chatRef }: PatientColumnProps): JSX.Element {
  const detail = call.detail.value;
  if (!detail) {
    return (
      <p class="quiet" role="status">
        {t("progress.working")}
      </p>
    );
  }
  const { referral } = detail;
  const ended = call.ended.value;
  return (
    <>
      <Section title={t("patient.question")} open>
        <p class="pre">{referral.question}</p>
        <p class="quiet">
          {t("patient.asked_by", { name: referral.referrer_name, site: referral.site_name })} · {t(`urgency.${referral.urgency}`)}
        </p>
        <PhotoRow photos={referral.photos} open />
      </Section>
      {!ended && (
        <Section title={t("link.title")} open={desk.patient.value?.present !== true}>
          <LinkPanel
            consultationId={call.consultationId}
            patientHasEmail={referral.patient.has_email}
            patientPresent={desk.patient.value?.present === true}
          />
        </Section>
      )}
      <Section title={t("snapshots.title")} count={call.snapshots.value.length} open>
        <SnapshotStrip desk={desk} snapshots={call.snapshots.value} />
      </Section>
      <section class="block">
        <Note call={call} initial={detail.note} inputRef={noteRef} />
      </section>
      <Section title={t("chat.title")} count={call.chat.value.length} open>
        <Chat call={call} inputRef={chatRef} />
      </Section>
      {!ended && (
        <Section title={t("timeline.title")} open={false}>
          <Timeline patientId={referral.patient.patient_id} changed={call.snapshots.value} />
        </Section>
      )}
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly count?: number;
  readonly open: boolean;
  readonly children: ComponentChildren;
}

/**
 * `open` is how it begins; from then on only the reader opens and closes it. What was never opened is never
 * read from the record, where each reading is written down.
 */
function Section({ title, count, open, children }: SectionProps): JSX.Element {
  const [begins] = useState(open);
  const [opened, setOpened] = useState(open);
  return (
    <details
      class="block"
      open={begins}
      onToggle={(event) => {
        if (event.currentTarget.open) setOpened(true);
      }}
    >
      <summary>
        <h2>
          {title} {count !== undefined && <span class="count">{count}</span>}
        </h2>
      </summary>
      <div class="block-body">{opened && children}</div>
    </details>
  );
}
