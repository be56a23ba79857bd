/** The call: the doctor's picture, one's own camera, what goes on in words, and the few buttons it needs. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { facingOf } from "../lib/devices";
import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Icon } from "../lib/ui/icons";
import { announce } from "../lib/ui/live_region";
import { Notice } from "../lib/ui/notice";
import { AudioView, soundBlocked, unblockSound, VideoView } from "../lib/ui/track_view";
import type { ConsultationView, ParticipantView } from "../wire/messages";
import { CallDevices } from "./call_devices";
import { CaptureNotice } from "./capture_notice";
import { Chat } from "./chat";
import type { Visit } from "./visit";

const MAIN_ORDER = ["specialist", "referrer", "interpreter", "patient"];

/** Everybody else in the call, the doctor first. */
export function othersIn(view: ConsultationView): ParticipantView[] {
  return view.participants
    .filter(({ participant_id, admission }) => participant_id !== view.you.participant_id && admission === "admitted")
    .toSorted((a, b) => MAIN_ORDER.indexOf(a.role) - MAIN_ORDER.indexOf(b.role));
}

function liveTrack(
  view: ConsultationView,
  tracks: ReadonlyMap<string, MediaStreamTrack>,
  participantId: string,
  source: "camera" | "microphone" | "screen",
): MediaStreamTrack | null {
  const publication = view.publications.find((one) => one.participant_id === participantId && one.source === source);
  return publication && !(publication.muted && source !== "microphone") ? (tracks.get(publication.publication_id) ?? null) : null;
}

function Remote({ who, track, screen }: { who: ParticipantView; track: MediaStreamTrack | null; screen?: boolean }): JSX.Element {
  return (
    <figure class="tile">
      {track ? (
        <VideoView track={track} label={t(screen ? "call.screen_of" : "call.picture_of", { name: who.name })} class="tile-video" />
      ) : (
        <div class="tile-empty">
          <Icon name={who.present ? "video_off" : "clock"} />
          <span>{t(who.present ? "call.no_picture" : "call.away", { name: who.name })}</span>
        </div>
      )}
      {track && (
        <figcaption>
          {who.name} <span class="tile-role">{t(`role.${who.role}`)}</span>
        </figcaption>
      )}
    </figure>
  );
}

function OwnPicture({ visit, large }: { visit: Visit; large: boolean }): JSX.Element {
  const own = visit.own.value;
  const track = own.camera.value;
  return (
    <figure class={large ? "tile own own-large" : "tile own"}>
      {track ? (
        <VideoView track={track} label={t("call.own_picture")} class="tile-video" mirrored={facingOf(track) === "user"} />
      ) : (
        <div class="tile-empty">
          <Icon name="video_off" />
          <span>{t(own.opening.value ? "progress.working" : own.cameraOn.value ? "call.own_missing" : "call.own_off")}</span>
        </div>
      )}
      {track && <figcaption>{t("call.you")}</figcaption>}
    </figure>
  );
}

/** What stands between this person and a good call just now, in words; the most serious first. */
function CallState({ visit, view }: { visit: Visit; view: ConsultationView }): JSX.Element {
  const connected = visit.live.value?.connected.value ?? false;
  const media = visit.media.value?.connection.value ?? "idle";
  const others = othersIn(view).filter(({ present }) => present);
  const own = visit.own.value;
  if (!connected)
    return (
      <Notice tone="warning" title={t("call.lost_title")}>
        <p>{t("call.lost")}</p>
      </Notice>
    );
  const problem = visit.media.value?.problem.value ?? null;
  if (problem !== null && media !== "connected")
    return (
      <Notice tone="warning" title={t("call.media_failed_title")}>
        <p>{tError(problem)}</p>
        <p>{t("call.media_failed")}</p>
      </Notice>
    );
  if (media === "interrupted")
    return (
      <Notice tone="warning" title={t("call.media_lost_title")}>
        <p>{t("call.media_lost")}</p>
      </Notice>
    );
  if (view.adaptation === "audio_only")
    return (
      <Notice tone="info" title={t("call.audio_only_title")}>
        <p>{t("call.audio_only")}</p>
      </Notice>
    );
  const sees = own.camera.value !== null && own.cameraOn.value;
  const hears = own.microphone.value !== null && own.microphoneOn.value;
  const key = sees ? (hears ? "both" : "see") : hears ? "hear" : "none";
  return (
    <p class="privacy" role="status">
      <Icon name="eye" />
      <span>
        {media === "connecting"
          ? t("call.connecting")
          : others.length === 0
            ? t("call.alone")
            : t(`call.they_${key}`, { names: others.map(({ name }) => name).join(t("call.and")) })}
      </span>
    </p>
  );
}

export function Call({ visit, view }: { visit: Visit; view: ConsultationView }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const ownLarge = useSignal(false);
  const devicesOpen = useSignal(false);
  const leaving = useSignal(false);
  const own = visit.own.value;
  const tracks = visit.media.value?.tracks.value ?? new Map<string, MediaStreamTrack>();
  const others = othersIn(view);
  const sharing = others.find(({ participant_id }) => liveTrack(view, tracks, participant_id, "screen"));
  const title = t("call.title", { doctor: view.specialist_name });
  const unread = visit.unread.value;

  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    announce(t("call.admitted", { doctor: view.specialist_name }));
    navigator.vibrate?.(200);
  }, []);
  useEffect(() => {
    document.title = `${title} · TrueHue`;
  }, [title]);

  return (
    <div class="call">
      <header class="call-top">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <Button
          kind="quiet"
          icon="gear"
          label={t("call.devices")}
          expanded={devicesOpen.value}
          onClick={() => {
            devicesOpen.value = !devicesOpen.value;
          }}
        />
      </header>
      <main class="call-main">
        <div class="call-words">
          <CallState visit={visit} view={view} />
          {soundBlocked.value && (
            <Button kind="primary" wide icon="speaker" onClick={() => void unblockSound()}>
              {t("call.sound_on")}
            </Button>
          )}
          <CaptureNotice capturing={visit.capturing} view={view} />
          {devicesOpen.value && <CallDevices own={own} />}
        </div>
        <div class={ownLarge.value ? "stage stage-own" : "stage"}>
          <div class="stage-others">
            {sharing && <Remote who={sharing} track={liveTrack(view, tracks, sharing.participant_id, "screen")} screen />}
            {others.map((who) => (
              <Remote key={who.participant_id} who={who} track={liveTrack(view, tracks, who.participant_id, "camera")} />
            ))}
            {others.length === 0 && (
              <div class="tile tile-empty">
                <Icon name="clock" />
                <span>{t("call.alone")}</span>
              </div>
            )}
          </div>
          <OwnPicture visit={visit} large={ownLarge.value} />
          {others.map(({ participant_id }) => (
            <AudioView
              key={participant_id}
              track={liveTrack(view, tracks, participant_id, "microphone")}
              speakerId={own.speakerId.value}
            />
          ))}
        </div>
        <Button
          class="swap"
          kind="secondary"
          pressed={ownLarge.value}
          onClick={() => {
            ownLarge.value = !ownLarge.value;
          }}
        >
          {t("call.own_large")}
        </Button>
        {visit.chatOpen.value && <Chat visit={visit} />}
      </main>
      <footer class="call-foot">
        {leaving.value && (
          <div class="leaving">
            <p>{t("call.leave_sure")}</p>
            <Button kind="danger" icon="leave" onClick={() => void visit.leave().catch(() => undefined)}>
              {t("call.leave_yes")}
            </Button>
            <Button
              onClick={() => {
                leaving.value = false;
              }}
            >
              {t("call.leave_no")}
            </Button>
          </div>
        )}
        <nav class="call-bar" aria-label={t("call.controls")}>
          <Button
            icon={own.microphoneOn.value ? "mic" : "mic_off"}
            disabled={own.microphone.value === null}
            onClick={() => {
              own.microphoneOn.value = !own.microphoneOn.peek();
            }}
          >
            {t(own.microphoneOn.value ? "call.mute" : "call.unmute")}
          </Button>
          <Button
            icon={own.camera.value ? "video" : "video_off"}
            busy={own.opening.value}
            onClick={async () => {
              const on = own.camera.peek() === null;
              await own.setCameraOn(on);
              if (on && own.camera.peek() === null) devicesOpen.value = true; // there it says why
            }}
          >
            {t(own.camera.value || own.opening.value ? "call.camera_off" : "call.camera_on")}
          </Button>
          {own.devices.value.cameras.length > 1 && (
            <Button
              icon="switch_camera"
              disabled={own.camera.value === null}
              busy={own.opening.value}
              onClick={() => void own.switchCamera()}
            >
              {t("call.turn_camera")}
            </Button>
          )}
          <Button icon="chat" expanded={visit.chatOpen.value} onClick={() => visit.showChat(!visit.chatOpen.peek())}>
            {unread > 0 ? t("call.chat_unread", { count: unread }) : t("call.chat")}
          </Button>
          <Button
            class="hang-up"
            icon="leave"
            expanded={leaving.value}
            onClick={() => {
              leaving.value = !leaving.peek();
            }}
          >
            {t("call.leave")}
          </Button>
        </nav>
      </footer>
    </div>
  );
}
