/** Choosing camera, microphone and loudspeaker during the call. */

import type { JSX } from "preact";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Select } from "../lib/ui/field";
import { deviceName, DeviceTrouble } from "./device_check";
import type { OwnMedia } from "./own_media";

const canChooseSpeaker = typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;

export function CallDevices({ own }: { own: OwnMedia }): JSX.Element {
  const { cameras, microphones, speakers } = own.devices.value;
  const camera = own.camera.value;
  const microphone = own.microphone.value;
  return (
    <section class="call-devices" aria-label={t("call.devices")}>
      {own.cameraProblem.value && <DeviceTrouble what="camera" reason={own.cameraProblem.value} />}
      {own.microphoneProblem.value && <DeviceTrouble what="microphone" reason={own.microphoneProblem.value} />}
      {camera && cameras.length > 0 && (
        <Select
          label={t("check.camera")}
          value={camera.getSettings().deviceId ?? ""}
          options={cameras.map((device, i) => ({ value: device.deviceId, label: deviceName(device, i, "camera") }))}
          onChange={(deviceId) => void own.chooseCamera(deviceId)}
        />
      )}
      {microphone && microphones.length > 0 && (
        <Select
          label={t("check.microphone")}
          value={microphone.getSettings().deviceId ?? ""}
          options={microphones.map((device, i) => ({ value: device.deviceId, label: deviceName(device, i, "microphone") }))}
          onChange={(deviceId) => void own.chooseMicrophone(deviceId)}
        />
      )}
      {canChooseSpeaker && speakers.length > 0 && (
        <Select
          label={t("check.speaker")}
          value={own.speakerId.value ?? speakers[0]?.deviceId ?? ""}
          options={speakers.map((device, i) => ({ value: device.deviceId, label: deviceName(device, i, "speaker") }))}
          onChange={(deviceId) => {
            own.speakerId.value = deviceId;
          }}
        />
      )}
      {(own.cameraProblem.value ?? own.microphoneProblem.value) && (
        <Button icon="reload" busy={own.opening.value} onClick={() => void own.open()}>
          {t("check.again")}
        </Button>
      )}
    </section>
  );
}
