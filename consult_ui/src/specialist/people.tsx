/** Who is here or at the door: small pictures, what they may see and hear, and the door's buttons. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { LutCanvas } from "../color/lut_canvas";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { TextArea } from "../lib/ui/field";
import { VideoView } from "../lib/ui/track_view";
import type { StaffCall } from "../staff/call";
import { serverNowMs } from "../staff/clock";
import { formatDuration } from "../staff/format";
import type { ChromaEmphasisView, ParticipantView } from "../wire/messages";
import { type Desk, isAtTheDoor } from "./desk_state";

export function People({ desk, call }: { desk: Desk; call: StaffCall }): JSX.Element {
  const order = { waiting: 0, sent_back: 1, admitted: 2, invited: 3, left: 4, refused: 5 } as const;
  const others = [...call.others.value].sort((a, b) => order[a.admission] - order[b.admission]);
  const camera = call.own.tracks.camera.value;
  return (
    <ul class="people" aria-label={t("people.title")}>
      {others.map((who) => (
        <Person key={who.participant_id} desk={desk} call={call} who={who} />
      ))}
      {call.inRoom.value && (
        <li class="person">
          {camera && <VideoView track={camera} label={t("own.view")} mirrored class="person-video" />}
          <div class="person-words">
            <span class="person-name">{t("you")}</span>
            <span class="quiet">{camera ? t("people.seen") : t("people.not_seen")}</span>
          </div>
        </li>
      )}
    </ul>
  );
}

function Person({ desk, call, who }: { desk: Desk; call: StaffCall; who: ParticipantView }): JSX.Element {
  const [saying, setSaying] = useState<"refuse" | "send_back" | null>(null);
  const [words, setWords] = useState("");
  const [admitting, setAdmitting] = useState(false);
  const ask = { participant_id: who.participant_id };
  const pending = desk.undo.isPending(`door/${who.participant_id}`);
  const videos = desk.videos.value.filter((one) => one.participant_id === who.participant_id);
  const microphone = call.publicationsOf(who.participant_id).find((one) => one.kind === "audio");
  const waited = who.waiting_since ? (serverNowMs() - Date.parse(who.waiting_since)) / 1000 : 0;

  const later = (label: string, act: () => void): void => desk.undo.later(`door/${who.participant_id}`, label, act);
  const admit = (): void => {
    setAdmitting(true);
    void desk.admit(who).finally(() => setAdmitting(false));
  };
  const turnAway = (command: "refuse" | "send_back"): void => {
    setSaying(null);
    setWords("");
    const label = t(command === "refuse" ? "people.refusing" : "people.sending_back", { name: who.name });
    later(label, () => void call.ask(command, { ...ask, words: words.trim() }));
  };

  return (
    <li class={`person${isAtTheDoor(who) ? " person-waiting" : ""}`}>
      {videos.map((one) => {
        const staged = desk.onStage.value?.publication_id === one.publication_id;
        const track = call.media.value?.tracks.value.get(one.publication_id) ?? null;
        return (
          <button
            key={one.publication_id}
            type="button"
            class="person-pick"
            aria-pressed={staged}
            onClick={() => desk.stage(one.publication_id)}
            aria-label={t("people.show", { picture: t(`stage.${one.source}`, { name: who.name }) })}
          >
            <SmallPicture track={track} emphasis={one.emphasis} />
          </button>
        );
      })}
      <div class="person-words">
        <span class="person-name">{who.name}</span>
        <span class="quiet">
          {t(`role.${who.role}`)} · {stateWords(who, waited)}
          {who.admission === "admitted" && microphone?.muted && ` · ${t("people.muted")}`}
        </span>
        {!pending && saying === null && !call.ended.value && (
          <div class="row">
            {isAtTheDoor(who) && (
              <Button kind="primary" disabled={admitting} onClick={admit}>
                {t("people.admit")}
              </Button>
            )}
            {isAtTheDoor(who) && <Button onClick={() => setSaying("refuse")}>{t("people.refuse")}</Button>}
            {who.admission === "admitted" && (
              <Button kind="quiet" onClick={() => setSaying("send_back")}>
                {t("people.send_back")}
              </Button>
            )}
          </div>
        )}
        {saying !== null && (
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              turnAway(saying);
            }}
          >
            <TextArea label={t("people.words", { name: who.name })} rows={2} maxLength={2000} value={words} onInput={setWords} />
            <div class="row">
              <Button kind="primary" type="submit" onClick={() => undefined}>
                {t(saying === "refuse" ? "people.send_refusal" : "people.send_back_now")}
              </Button>
              <Button kind="quiet" onClick={() => setSaying(null)}>
                {t("action.back")}
              </Button>
            </div>
          </form>
        )}
      </div>
    </li>
  );
}

/** A participant's video, small; one whose chroma is stretched is drawn without that. */
function SmallPicture({ track, emphasis }: { track: MediaStreamTrack | null; emphasis: ChromaEmphasisView | null }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const stretched = emphasis !== null;
  useEffect(() => {
    if (!stretched || !canvas.current || !video.current) return;
    const drawer = new LutCanvas(canvas.current, video.current, () => undefined, { maxWidth: 208, interval_ms: 500 });
    drawer.show(track, emphasis);
    return () => drawer.close();
  }, [track, stretched]);
  return (
    <span class="person-video">
      <VideoView track={track} label="" videoRef={video} class={stretched ? "picture-video video-unseen" : "picture-video"} />
      {stretched && <canvas ref={canvas} class="picture-canvas" aria-hidden="true" />}
    </span>
  );
}

function stateWords(who: ParticipantView, waitedS: number): string {
  if (isAtTheDoor(who)) {
    const waits = t(who.admission === "waiting" ? "people.waits" : "people.waits_again", { time: formatDuration(waitedS) });
    return who.present ? waits : `${waits} · ${t("worklist.away")}`;
  }
  if (who.admission !== "admitted") return t(`admission.${who.admission}`);
  if (!who.present) return t("people.dropped");
  return who.media === "connected" ? t("people.sees_and_hears") : t(`media.${who.media}`);
}
