/** The device check: camera, microphone, loudspeaker and connection, each with a plain sentence. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { callObstacle, type DeviceProblem, facingOf } from "../lib/devices";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Select } from "../lib/ui/field";
import { Icon, type IconName } from "../lib/ui/icons";
import { Notice } from "../lib/ui/notice";
import { VideoView } from "../lib/ui/track_view";
import type { JoinView } from "../wire/messages";
import { checkConnection, type ConnectionVerdict } from "./connection_check";
import type { OwnMedia } from "./own_media";
import { Screen } from "./screen";
import { playTone, watchLevel } from "./sound";
import type { Visit } from "./visit";

/** Name of a device in a list, also where the browser tells no name. */
export function deviceName(device: MediaDeviceInfo, index: number, key: "camera" | "microphone" | "speaker"): string {
  return device.label || t(`${key}.number`, { number: index + 1 });
}

function Check({ icon, title, children }: { icon: IconName; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="check">
      <h2>
        <Icon name={icon} /> {title}
      </h2>
      {children}
    </section>
  );
}

function Good({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <p class="check-good">
      <Icon name="check" />
      <span>{children}</span>
    </p>
  );
}

/** Why a device is not there, and what the person can do about it. */
export function DeviceTrouble({ what, reason }: { what: "camera" | "microphone"; reason: DeviceProblem }): JSX.Element {
  const known = reason === "refused" || reason === "missing" || reason === "busy" ? reason : "failed";
  return (
    <Notice tone="warning" title={t(`check.${what}.${known}.title`)}>
      <p>{t(`check.${what}.${known}`)}</p>
    </Notice>
  );
}

function CameraCheck({ own, required }: { own: OwnMedia; required: boolean }): JSX.Element {
  const track = own.camera.value;
  const problem = own.cameraProblem.value;
  const { cameras } = own.devices.value;
  return (
    <Check icon="video" title={t("check.camera")}>
      {track && (
        <>
          <VideoView track={track} label={t("check.camera_picture")} class="preview" mirrored={facingOf(track) === "user"} />
          <Good>{t(required ? "check.camera_good" : "check.camera_good_guest")}</Good>
          {cameras.length > 1 && (
            <>
              <Select
                label={t("check.camera_choice")}
                value={track.getSettings().deviceId ?? ""}
                options={cameras.map((camera, i) => ({ value: camera.deviceId, label: deviceName(camera, i, "camera") }))}
                onChange={(deviceId) => void own.chooseCamera(deviceId)}
              />
              <Button icon="switch_camera" onClick={() => void own.switchCamera()}>
                {t("check.camera_switch")}
              </Button>
            </>
          )}
        </>
      )}
      {problem && <DeviceTrouble what="camera" reason={problem} />}
    </Check>
  );
}

function MicrophoneCheck({ own }: { own: OwnMedia }): JSX.Element {
  const track = own.microphone.value;
  const problem = own.microphoneProblem.value;
  const { microphones } = own.devices.value;
  const level = useSignal(0);
  const heard = useSignal(false);
  useEffect(() => {
    if (!track) return;
    heard.value = false;
    return watchLevel(track, (next) => {
      level.value = next;
      if (next > 0.3) heard.value = true;
    });
  }, [track]);
  return (
    <Check icon="mic" title={t("check.microphone")}>
      {track && (
        <>
          <meter class="level" min={0} max={1} value={level.value} aria-label={t("check.microphone_level")} />
          {heard.value ? <Good>{t("check.microphone_good")}</Good> : <p>{t("check.microphone_say")}</p>}
          {microphones.length > 1 && (
            <Select
              label={t("check.microphone_choice")}
              value={track.getSettings().deviceId ?? ""}
              options={microphones.map((device, i) => ({
                value: device.deviceId,
                label: deviceName(device, i, "microphone"),
              }))}
              onChange={(deviceId) => void own.chooseMicrophone(deviceId)}
            />
          )}
        </>
      )}
      {problem && <DeviceTrouble what="microphone" reason={problem} />}
    </Check>
  );
}

function SpeakerCheck({ own }: { own: OwnMedia }): JSX.Element {
  const played = useSignal(false);
  return (
    <Check icon="speaker" title={t("check.speaker")}>
      <Button
        icon="speaker"
        onClick={() => {
          played.value = true;
          void playTone(own.speakerId.peek());
        }}
      >
        {t("check.speaker_play")}
      </Button>
      <p class={played.value ? "" : "quiet"}>{t(played.value ? "check.speaker_silent" : "check.speaker_hint")}</p>
    </Check>
  );
}

function ConnectionCheck(): JSX.Element {
  const verdict = useSignal<ConnectionVerdict | null>(null);
  const run = async (): Promise<void> => {
    verdict.value = null;
    verdict.value = await checkConnection();
  };
  useEffect(() => void run(), []);
  const found = verdict.value;
  return (
    <Check icon="wifi" title={t("check.connection")}>
      {found === null && <p role="status">{t("check.connection_working")}</p>}
      {found === "good" && <Good>{t("check.connection_good")}</Good>}
      {found !== null && found !== "good" && (
        <Notice tone="warning" title={t(`check.connection.${found}.title`)}>
          <p>{t(`check.connection.${found}`)}</p>
          <Button icon="reload" onClick={run}>
            {t("action.retry")}
          </Button>
        </Notice>
      )}
    </Check>
  );
}

export function DeviceCheck({ visit, join }: { visit: Visit; join: JoinView }): JSX.Element {
  const own = visit.own.value;
  const obstacle = callObstacle();
  const asked = own.asked.value;
  const needsCamera = join.role === "patient";
  const back = (): void => visit.back();

  if (obstacle)
    return (
      <Screen
        title={t("check.title")}
        onBack={back}
        actions={
          <Button kind="secondary" wide onClick={() => visit.next()}>
            {t("check.go_on_without_call")}
          </Button>
        }
      >
        <Notice tone="error" title={t(`check.obstacle.${obstacle}.title`)}>
          <p>{t(`check.obstacle.${obstacle}`)}</p>
        </Notice>
      </Screen>
    );

  if (!asked)
    return (
      <Screen
        title={t("check.title")}
        onBack={back}
        actions={
          <Button kind="primary" wide icon="video" busy={own.opening.value} onClick={() => void own.open()}>
            {t("check.start")}
          </Button>
        }
      >
        <p>{t("check.ask")}</p>
        <p>{t("check.ask_allow")}</p>
        <p class="quiet">{t("check.ask_nobody")}</p>
      </Screen>
    );

  const cameraMissing = own.camera.value === null && !own.opening.value;
  const microphoneMissing = own.microphone.value === null && !own.opening.value;
  const goOn = cameraMissing
    ? needsCamera
      ? t("check.go_on_without_camera")
      : t("check.continue")
    : t("check.continue");
  return (
    <Screen
      title={t("check.title")}
      onBack={back}
      actions={
        <>
          {(cameraMissing || microphoneMissing) && (
            <Button wide icon="reload" busy={own.opening.value} onClick={() => void own.open()}>
              {t("check.again")}
            </Button>
          )}
          <Button
            kind={cameraMissing && needsCamera ? "secondary" : "primary"}
            wide
            icon="arrow_right"
            onClick={() => visit.next()}
          >
            {goOn}
          </Button>
        </>
      }
    >
      <CameraCheck own={own} required={needsCamera} />
      <MicrophoneCheck own={own} />
      <SpeakerCheck own={own} />
      <ConnectionCheck />
    </Screen>
  );
}
