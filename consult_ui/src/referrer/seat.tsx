/** The referring site's seat in the call: knock, wait, and then be a second pair of eyes, with a second camera. */

import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import { Capturing } from "../lib/capturing";
import { t } from "../lib/i18n";
import { useAskBeforeLeaving } from "../lib/leaving";
import { Button } from "../lib/ui/button";
import { Notice } from "../lib/ui/notice";
import { Progress } from "../lib/ui/progress";
import { StillFailure } from "../lib/ui/still_failure";
import { VideoView } from "../lib/ui/track_view";
import { StaffCall } from "../staff/call";
import { Chat } from "../staff/chat";
import { CallError, ConnectionLine } from "../staff/connection_line";
import { OwnControls, OwnDevices, OwnProblem } from "../staff/own_controls";
import { RoomSound } from "../staff/room_sound";
import type { CaptureTake, ConsultationView } from "../wire/messages";

interface SeatProps {
  readonly consultationId: string;
  readonly onLeave: () => void;
  /** The specialist has ended it: the answer stands with the referral. */
  readonly onEnded: () => void;
}

export function Seat({ consultationId, onLeave, onEnded }: SeatProps): JSX.Element {
  const call = useMemo(() => new StaffCall(consultationId, "environment"), [consultationId]);
  const capturing = useMemo(
    () =>
      new Capturing({
        call: call.live.call,
        camera: () => call.own.tracks.camera.peek(),
        limitVideo: (bitrate) => void call.media.peek()?.limit(bitrate),
      }),
    [call],
  );
  useEffect(() => {
    const stop = call.live.on<CaptureTake>("capture_take", (take) => void capturing.take(take));
    return () => {
      stop();
      capturing.cancel();
      call.close();
    };
  }, [call]);
  useAskBeforeLeaving(() => capturing.holds.peek());
  // Whoever opens the seat wants in: the first knock needs no press. After a refusal, it does.
  useSignalEffect(() => {
    if (call.live.connected.value && call.view.value?.you.admission === "invited" && !call.ended.value) void call.ask("knock");
  });

  useSignalEffect(() => {
    if (call.ended.value) onEnded();
  });

  const view = call.view.value;
  const leave = (): void => {
    void call.ask("leave").finally(onLeave);
  };
  return (
    <main class="seat">
      <div class="panel-top">
        <h1>{t("seat.title")}</h1>
        <Button icon="leave" onClick={leave}>
          {t("seat.leave")}
        </Button>
      </div>
      <ConnectionLine call={call} />
      <CallError call={call} />
      <OwnProblem call={call} />
      <RoomSound call={call} />
      {call.inRoom.value ? (
        <Room call={call} capturing={capturing} />
      ) : (
        <div class="seat-wait">
          <Waiting call={call} view={view} />
        </div>
      )}
    </main>
  );
}

function Waiting({ call, view }: { call: StaffCall; view: ConsultationView | null }): JSX.Element {
  if (!view || call.ended.value) return <p role="status">{t("progress.working")}</p>;
  const { admission } = view.you;
  if (admission === "waiting") {
    return (
      <Notice tone="info" title={t("seat.waiting", { name: view.specialist_name })}>
        {view.position !== null && <p>{t("seat.position", { position: view.position })}</p>}
        {view.estimated_wait_s !== null && <p>{t("seat.estimate", { minutes: Math.max(1, Math.round(view.estimated_wait_s / 60)) })}</p>}
        {view.words && <p class="pre">{view.words}</p>}
        <p>{t("seat.waiting_hint")}</p>
      </Notice>
    );
  }
  return (
    <Notice tone="warning" title={t(`seat.${admission}`, { name: view.specialist_name })}>
      {view.words && <p class="pre">{view.words}</p>}
      <div class="row">
        <Button kind="primary" onClick={() => void call.ask("knock")}>
          {t("seat.knock")}
        </Button>
      </div>
    </Notice>
  );
}

function Room({ call, capturing }: { call: StaffCall; capturing: Capturing }): JSX.Element {
  const [devices, setDevices] = useState(false);
  useEffect(() => void call.own.start(), [call]);
  const camera = call.own.tracks.camera.value;
  const patient = call.others.value.find((who) => who.role === "patient")?.participant_id;
  const all = call.view.value?.publications.filter((one) => one.kind === "video") ?? [];
  // The skin that everybody talks about comes first.
  const videos = [...all.filter((one) => one.participant_id === patient), ...all.filter((one) => one.participant_id !== patient)];
  const you = call.view.value?.you.participant_id;
  const nameOf = (participantId: string) =>
    call.others.value.find((who) => who.participant_id === participantId)?.name ?? "";
  return (
    <div class="seat-room">
      <section class="seat-pictures" aria-label={t("seat.pictures")}>
        {videos
          .filter((one) => one.participant_id !== you)
          .map((one) => (
            <figure key={one.publication_id}>
              <VideoView
                track={call.media.value?.tracks.value.get(one.publication_id) ?? null}
                label={t(`stage.${one.source}`, { name: nameOf(one.participant_id) })}
                class="seat-video"
              />
              <figcaption>{t(`stage.${one.source}`, { name: nameOf(one.participant_id) })}</figcaption>
            </figure>
          ))}
        {camera && (
          <figure>
            <VideoView track={camera} label={t("own.view")} class="seat-video" />
            <figcaption>{t("own.view")}</figcaption>
          </figure>
        )}
        {videos.length === 0 && !camera && <p class="quiet">{t("seat.no_pictures")}</p>}
      </section>
      <p class="quiet">{t("seat.colors")}</p>
      <p>
        {t("seat.here", { names: call.others.value.filter((who) => who.admission === "admitted" && who.present).map((who) => who.name).join(t("list.comma")) || "–" })}
      </p>
      <CaptureStepLine capturing={capturing} view={call.view.value} />
      <div class="row" role="group" aria-label={t("bar.title")}>
        <OwnControls call={call} screen={false} />
        <Button icon="gear" expanded={devices} onClick={() => setDevices(!devices)}>
          {t("own.devices")}
        </Button>
      </div>
      {devices && <OwnDevices call={call} />}
      <section class="stack-tight" aria-labelledby="chat-title">
        <h2 id="chat-title">{t("chat.title")}</h2>
        <Chat call={call} />
      </section>
    </div>
  );
}

/** What happens when the specialist asks this camera for a still. */
function CaptureStepLine({ capturing, view }: { capturing: Capturing; view: ConsultationView | null }): JSX.Element | null {
  const step = capturing.step.value;
  if (!step || !view) return null;
  if (step.phase === "uploading") return <Progress label={t("seat.sending_still")} done={step.sent_bytes} total={step.size_bytes} />;
  if (step.phase === "failed" || step.phase === "not_taken") return <StillFailure capturing={capturing} step={step} view={view} />;
  if (step.phase === "file_needed") {
    return (
      <Notice tone="warning" title={t("seat.file_needed")}>
        <label class="button button-primary file-button">
          {t("seat.take_photo")}
          <input
            class="visually-hidden"
            type="file"
            accept="image/*"
            capture="environment"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) capturing.chooseFile(file);
            }}
          />
        </label>
        <Button onClick={() => capturing.decline()}>{t("seat.no_photo")}</Button>
      </Notice>
    );
  }
  return <p role="status">{t(`seat.still_${step.phase}`)}</p>;
}
