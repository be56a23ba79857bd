/** Microphone, camera, screen and devices of one's own, with the reason where one cannot be had. */

import type { JSX } from "preact";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Select } from "../lib/ui/field";
import { Notice } from "../lib/ui/notice";
import type { StaffCall } from "./call";

interface OwnControlsProps {
  readonly call: StaffCall;
  readonly screen: boolean;
  /** Keys are named on hover where the page has them. */
  readonly keys?: boolean;
}

export function OwnControls({ call, screen, keys = false }: OwnControlsProps): JSX.Element {
  const { own } = call;
  const heard = own.tracks.microphone.value !== null && !own.muted.value;
  const seen = own.tracks.camera.value !== null;
  const sharing = own.tracks.screen.value !== null;
  const hover = (key: string) => (keys ? { shortcut: key, title: t("keys.hover", { key }) } : {});
  // The words stay the same whatever the state, so that the control is found by one name; the state is
  // said by aria-pressed, and shown by the icon and by a word beside it.
  const words = (name: string, on: boolean) => (
    <>
      {name}
      <span class="bar-state" aria-hidden="true">
        {on ? t("state.on") : t("state.off")}
      </span>
    </>
  );
  return (
    <>
      <Button icon={heard ? "mic" : "mic_off"} pressed={heard} {...hover("M")} onClick={() => void own.setMuted(heard)}>
        {words(t("own.microphone"), heard)}
      </Button>
      <Button icon={seen ? "video" : "video_off"} pressed={seen} {...hover("V")} onClick={() => void own.toggle("camera")}>
        {words(t("own.camera"), seen)}
      </Button>
      {screen && (
        <Button icon="screen" pressed={sharing} onClick={() => void own.toggle("screen")}>
          {words(t("own.share"), sharing)}
        </Button>
      )}
    </>
  );
}

/** Which camera, microphone and loudspeaker are used. */
export function OwnDevices({ call }: { call: StaffCall }): JSX.Element {
  const { own } = call;
  const { cameras, microphones, speakers } = own.devices.value;
  const options = (devices: readonly MediaDeviceInfo[], key: string) =>
    devices.map(({ deviceId, label }, i) => ({ value: deviceId, label: label || t(key, { number: i + 1 }) }));
  const inUse = (track: MediaStreamTrack | null) => track?.getSettings().deviceId ?? "";
  return (
    <div class="stack">
      {cameras.length > 0 && (
        <Select
          label={t("own.camera")}
          value={inUse(own.tracks.camera.value)}
          options={options(cameras, "camera.number")}
          onChange={(id) => void own.open("camera", id)}
        />
      )}
      {microphones.length > 0 && (
        <Select
          label={t("own.microphone")}
          value={inUse(own.tracks.microphone.value)}
          options={options(microphones, "microphone.number")}
          onChange={(id) => void own.open("microphone", id)}
        />
      )}
      {speakers.length > 0 && "setSinkId" in HTMLMediaElement.prototype && (
        <Select
          label={t("own.speaker")}
          value={own.speaker.value || (speakers[0]?.deviceId ?? "")}
          options={options(speakers, "speaker.number")}
          onChange={(id) => {
            own.speaker.value = id;
          }}
        />
      )}
      {cameras.length + microphones.length === 0 && <p>{t("own.no_devices")}</p>}
    </div>
  );
}

export function OwnProblem({ call }: { call: StaffCall }): JSX.Element | null {
  const problem = call.own.problem.value;
  if (!problem) return null;
  return (
    <Notice tone="warning" title={t(`own.problem.${problem.source}`)}>
      <p>{t(`device.${problem.reason}`)}</p>
      <p>{t("own.problem.safe")}</p>
      <div class="row">
        <Button onClick={() => void call.own.open(problem.source)}>{t("action.retry")}</Button>
        <Button
          kind="quiet"
          onClick={() => {
            call.own.problem.value = null;
          }}
        >
          {t("own.problem.go_on")}
        </Button>
      </div>
    </Notice>
  );
}
