/** The buttons under the picture: capture first, then one's own devices, then the end. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { ApiError } from "../lib/api";
import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Progress } from "../lib/ui/progress";
import type { StaffCall } from "../staff/call";
import { OwnControls, OwnDevices } from "../staff/own_controls";
import type { CaptureView } from "../wire/messages";
import type { Desk } from "./desk_state";

export function isRunning(capture: CaptureView | null | undefined): boolean {
  return capture != null && capture.state !== "stored" && capture.state !== "failed";
}

export function CallBar({ desk, call }: { desk: Desk; call: StaffCall }): JSX.Element {
  const [devices, setDevices] = useState(false);
  const running = isRunning(call.view.value?.capture) || call.asking.value;
  const target = desk.captureTarget.value;
  const corrected = desk.lut.value !== null;
  const endKey = "end";
  return (
    <div class="call-bar" role="group" aria-label={t("bar.title")}>
      <div class="bar-row">
        <Button
          kind="primary"
          icon="camera"
          disabled={!target}
          busy={running}
          shortcut="C"
          title={target ? t("bar.capture_hover", { name: target.name }) : t("bar.capture_nobody")}
          onClick={() => void desk.capture()}
        >
          {t("bar.capture")}
        </Button>
        {corrected && (
          <Button icon="eye" shortcut="W" title={t("keys.hover", { key: "W" })} pressed={desk.split.value === 1} onClick={() => desk.toggleWipe()}>
            {t("bar.show_raw")}
          </Button>
        )}
        <OwnControls call={call} screen keys />
        <Button icon="gear" expanded={devices} onClick={() => setDevices(!devices)}>
          {t("own.devices")}
        </Button>
        <Button
          icon="wifi"
          shortcut="S"
          title={t("keys.hover", { key: "S" })}
          expanded={desk.panel.value === "statistics"}
          onClick={() => {
            desk.panel.value = desk.panel.value === "statistics" ? null : "statistics";
          }}
        >
          {t("statistics.open")}
        </Button>
        <Button
          class="bar-end"
          icon="hang_up"
          label={t("bar.end")}
          disabled={desk.undo.isPending(endKey)}
          onClick={() => desk.undo.later(endKey, t("bar.ending"), () => void call.ask("end"))}
        >
          {t("bar.end_short")}
        </Button>
      </div>
      {devices && <OwnDevices call={call} />}
      <CaptureLine call={call} />
    </div>
  );
}

/** What a capture does just now, with numbers; afterwards what became of it. */
export function CaptureLine({ call }: { call: StaffCall }): JSX.Element | null {
  const capture = call.view.value?.capture;
  if (!capture) return null;
  if (capture.state === "uploading") {
    return <Progress label={t("capture.uploading")} done={capture.sent_bytes} total={capture.size_bytes ?? 0} />;
  }
  if (capture.state === "failed") {
    return (
      <p class="facts-warning" role="alert">
        {capture.error ? tError(new ApiError(capture.error.id, capture.error.message, 0)) : t("capture.failed")}{" "}
        {t(capture.held_by_device ? "capture.held" : "capture.failed_safe")}
      </p>
    );
  }
  if (capture.state === "stored" && capture.error) {
    return (
      <p class="facts-warning" role="status">
        {tError(new ApiError(capture.error.id, capture.error.message, 0))} {t("capture.stored_frame")}
        {capture.held_by_device && ` ${t("capture.held")}`}
      </p>
    );
  }
  return (
    <p class="capture-line" role="status">
      {t(`capture.${capture.state}`)}
    </p>
  );
}
