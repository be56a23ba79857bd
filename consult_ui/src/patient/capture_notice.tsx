/** What the person is told while a photo is taken and sent. Calm, full width, never over the picture. */

import type { JSX } from "preact";
import type { Capturing } from "../lib/capturing";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Icon } from "../lib/ui/icons";
import { Notice } from "../lib/ui/notice";
import { Progress } from "../lib/ui/progress";
import { StillFailure } from "../lib/ui/still_failure";
import type { ConsultationView } from "../wire/messages";

export function CaptureNotice({ capturing, view }: { capturing: Capturing; view: ConsultationView }): JSX.Element | null {
  const step = capturing.step.value;
  if (step === null) return null;
  switch (step.phase) {
    case "taking":
      return (
        <div class="hold-still" role="alert">
          <Icon name="camera" />
          <p>{t("capture.hold_still")}</p>
        </div>
      );
    case "file_needed":
      return (
        <Notice tone="info" title={t("capture.file_title", { doctor: view.specialist_name })}>
          <p>{t("capture.file")}</p>
          <label class="button button-primary button-wide file-button">
            <Icon name="camera" />
            {t("capture.file_button")}
            <input
              class="visually-hidden"
              type="file"
              accept="image/*"
              capture="environment"
              onChange={(event) => {
                const [file] = event.currentTarget.files ?? [];
                if (file) capturing.chooseFile(file);
              }}
            />
          </label>
          <Button kind="quiet" onClick={() => capturing.decline()}>
            {t("capture.file_decline")}
          </Button>
        </Notice>
      );
    case "uploading":
      return (
        <div class="capture-progress">
          <Progress label={t("capture.sending")} done={step.sent_bytes} total={step.size_bytes} />
          <p class="quiet">{t("capture.sending_hint")}</p>
        </div>
      );
    case "sent":
      return (
        <Notice tone="success">
          <p>{t("capture.sent")}</p>
        </Notice>
      );
    case "not_taken":
    case "failed":
      return <StillFailure capturing={capturing} step={step} view={view} />;
  }
}
