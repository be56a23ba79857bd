/** Why no still was taken or sent, what is kept in its place, and the way to send it again. */

import type { JSX } from "preact";

import type { ConsultationView } from "../../wire/messages";
import { type Capturing, type CaptureStep, outcomeOf } from "../capturing";
import { t, tError } from "../i18n";
import { Button } from "./button";
import { Notice } from "./notice";

interface StillFailureProps {
  readonly capturing: Capturing;
  readonly step: Extract<CaptureStep, { phase: "not_taken" | "failed" }>;
  readonly view: ConsultationView;
}

export function StillFailure({ capturing, step, view }: StillFailureProps): JSX.Element {
  const kept = step.phase === "failed" && step.kept;
  return (
    <Notice tone="warning" title={t(step.phase === "failed" ? "still.not_sent" : "still.not_taken")}>
      {step.phase === "failed" && <p>{tError(step.error)}</p>}
      <p>{t(`still.${outcomeOf(view.capture, step.captureId)}`, { doctor: view.specialist_name })}</p>
      <p>{t(kept ? "still.kept" : "still.done")}</p>
      <div class="notice-actions">
        {kept && (
          <Button kind="primary" onClick={() => void capturing.sendAgain()}>
            {t("still.send_again")}
          </Button>
        )}
        <Button onClick={() => capturing.dismiss()}>{t("action.close")}</Button>
      </div>
    </Notice>
  );
}
