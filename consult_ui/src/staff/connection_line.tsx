/** What is wrong with the connection, if anything, and that it mends itself. */

import type { JSX } from "preact";

import { hasWebRtc } from "../lib/devices";
import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Notice } from "../lib/ui/notice";
import type { StaffCall } from "./call";

export function ConnectionLine({ call }: { call: StaffCall }): JSX.Element | null {
  const refused = call.live.refused.value;
  if (refused) {
    return (
      <Notice tone="error" title={t("connection.refused")}>
        <p>{tError(refused)}</p>
      </Notice>
    );
  }
  if (!call.live.connected.value && call.view.value) {
    return (
      <Notice tone="warning" title={t("connection.lost")}>
        <p>{t("connection.lost_safe")}</p>
        <div class="row">
          <Button onClick={() => call.live.reconnect()}>{t("action.retry")}</Button>
        </div>
      </Notice>
    );
  }
  if (!hasWebRtc()) {
    return (
      <Notice tone="error" title={t("connection.unsupported")}>
        <p>{t("connection.unsupported_safe")}</p>
      </Notice>
    );
  }
  const media = call.media.value;
  if (media && media.problem.value !== null && media.connection.value !== "connected") {
    return (
      <Notice tone="warning" title={t("connection.media_failed")}>
        <p>
          {tError(media.problem.value)} {t("connection.media_failed_safe")}
        </p>
      </Notice>
    );
  }
  if (media?.connection.value === "interrupted") {
    return (
      <Notice tone="warning" title={t("connection.media_lost")}>
        <p>{t("connection.media_lost_safe")}</p>
      </Notice>
    );
  }
  const adaptation = call.view.value?.adaptation;
  if (adaptation === "still_prompt" || adaptation === "audio_only") {
    return (
      <Notice tone="warning" title={t(`connection.${adaptation}`)}>
        <p>{t(`connection.${adaptation}_safe`)}</p>
      </Notice>
    );
  }
  return null;
}

export function CallError({ call }: { call: StaffCall }): JSX.Element | null {
  if (call.error.value === null) return null;
  return (
    <Notice tone="error">
      <p>{tError(call.error.value)}</p>
      <div class="row">
        <Button
          onClick={() => {
            call.error.value = null;
          }}
        >
          {t("action.close")}
        </Button>
      </div>
    </Notice>
  );
}
