/** The specialist's desk: worklist, live picture, patient. Three columns from 1280 px, fewer below. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { formatDateTime, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { LanguageSwitch } from "../lib/ui/language_switch";
import type { StaffCall } from "../staff/call";
import { CallError, ConnectionLine } from "../staff/connection_line";
import { birthDateWords, describePatient } from "../staff/format";
import { OwnProblem } from "../staff/own_controls";
import { RoomSound } from "../staff/room_sound";
import { signOut } from "../staff/session";
import { UndoToasts } from "../staff/undo_toasts";
import type { StaffView } from "../wire/messages";
import { CalibrationLine } from "./calibration_line";
import { CallBar, isRunning } from "./call_bar";
import { Desk } from "./desk_state";
import { DisplayCheck } from "./display_check";
import { deskKeys } from "./desk_keys";
import { KeySheet } from "./key_sheet";
import { listenToKeys } from "./keys";
import { PatientColumn } from "./patient_column";
import { People } from "./people";
import { Stage } from "./stage";
import { StatisticsPanel } from "./statistics_panel";
import { Timeline } from "./timeline";
import { Viewer } from "./viewer";
import { Worklist } from "./worklist";

export function SpecialistDesk({ who }: { who: StaffView }): JSX.Element {
  const desk = useMemo(() => new Desk(), []);
  const note = useRef<HTMLTextAreaElement>(null);
  const chat = useRef<HTMLInputElement>(null);
  const keys = useMemo(() => deskKeys(desk, note, chat), [desk]);
  useEffect(() => listenToKeys(() => keys), [keys]);
  useLayoutEffect(() => desk.followAddress(), [desk]);

  const call = desk.call.value;
  const waiting = desk.lists.worklist.value?.consultations.reduce((sum, one) => sum + one.waiting.length, 0) ?? 0;
  const panel = desk.panel.value;
  const toggle = (which: "keys" | "settings") => () => {
    desk.panel.value = desk.panel.value === which ? null : which;
  };
  return (
    <div class={`desk${call ? " desk-open" : ""}${desk.worklistOpen.value || !call ? " desk-list" : ""}`}>
      <header class="desk-top">
        <h1 class="brand">TrueHue</h1>
        <span class="desk-who">
          {who.name} · {who.site_name}
        </span>
        <div class="row">
          {call && (
            <span class="desk-list-button">
              <Button
                expanded={desk.worklistOpen.value}
                onClick={() => {
                  desk.worklistOpen.value = !desk.worklistOpen.value;
                }}
              >
                {t("desk.worklist", { count: waiting })}
              </Button>
            </span>
          )}
          <LanguageSwitch />
          <Button icon="eye" expanded={panel === "settings"} onClick={toggle("settings")}>
            <span class="top-words">{t("display.title")}</span>
          </Button>
          <Button icon="help" shortcut="?" expanded={panel === "keys"} onClick={toggle("keys")}>
            <span class="top-words">{t("keys.title")}</span>
          </Button>
          <Button icon="leave" onClick={() => void signOut()}>
            <span class="top-words">{t("sign_out")}</span>
          </Button>
        </div>
      </header>
      <nav class="desk-left" aria-label={t("desk.worklist_title")}>
        <Worklist desk={desk} />
      </nav>
      {/* After a call there may be nothing to focus in this column, and it scrolls: so it takes focus itself. */}
      <main class={`desk-middle${desk.shown.value ? " desk-viewing" : ""}`} tabIndex={call?.ended.value ? 0 : undefined}>
        {panel === "keys" && <KeySheet keys={keys} onClose={toggle("keys")} />}
        {panel === "settings" && <DisplayCheck onClose={toggle("settings")} />}
        {call ? <Middle desk={desk} call={call} key={call.consultationId} /> : <Stage desk={desk} />}
      </main>
      {call && (
        <aside class="desk-right" aria-label={t("desk.patient")}>
          <PatientColumn desk={desk} call={call} noteRef={note} chatRef={chat} key={call.consultationId} />
        </aside>
      )}
      <UndoToasts queue={desk.undo} />
    </div>
  );
}

function Middle({ desk, call }: { desk: Desk; call: StaffCall }): JSX.Element {
  const detail = call.detail.value;
  const patient = detail?.referral.patient;
  const ended = call.ended.value;
  const capturing = isRunning(call.view.value?.capture);
  return (
    <>
      <div class="middle-top">
        {patient && (
          <p class="middle-who">
            <strong class="middle-name">{patient.name}</strong> <span>{describePatient(patient)}</span>{" "}
            <span class="quiet">{birthDateWords(patient)}</span>
          </p>
        )}
        <p class="middle-state">
          <strong>{t(`phase.${call.view.value?.phase ?? detail?.phase ?? "scheduled"}`)}</strong>
          {call.inRoom.value && <span>{capturing ? t("recording.capturing") : t("recording.nothing")}</span>}
        </p>
      </div>
      <ConnectionLine call={call} />
      <CallError call={call} />
      {!ended && <OwnProblem call={call} />}
      <RoomSound call={call} />
      {ended ? (
        <section class="after" aria-label={t("after.title")}>
          <h2>{t("after.title")}</h2>
          {detail?.ended_at && <p>{t("after.ended_at", { time: formatDateTime(detail.ended_at) })}</p>}
          <p>{t("after.words", { site: detail?.referral.site_name ?? "" })}</p>
          <Viewer desk={desk} snapshots={call.snapshots.value} />
          {patient && <Timeline patientId={patient.patient_id} changed={call.snapshots.value} />}
        </section>
      ) : (
        <>
          <Stage desk={desk} />
          <CalibrationLine desk={desk} />
          {call.inRoom.value && <CallBar desk={desk} call={call} />}
          {call.inRoom.value && desk.panel.value === "statistics" && (
            <StatisticsPanel
              call={call}
              onClose={() => {
                desk.panel.value = null;
              }}
            />
          )}
          <Viewer desk={desk} snapshots={call.snapshots.value} />
          <People desk={desk} call={call} />
        </>
      )}
    </>
  );
}
