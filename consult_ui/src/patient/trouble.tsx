/** The link opens nothing, or the room is closed to this page: what happened, and what to do. */

import type { JSX } from "preact";
import type { ApiError } from "../lib/api";
import { t, tError } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Notice } from "../lib/ui/notice";
import { Screen } from "./screen";

export function NoLink(): JSX.Element {
  return (
    <Screen title={t("trouble.no_link_title")}>
      <p>{t("trouble.no_link")}</p>
    </Screen>
  );
}

export function Trouble({ error, onRetry }: { error: ApiError; onRetry: () => void }): JSX.Element {
  const invalid = error.id === "access.link_invalid";
  return (
    <Screen
      title={t(invalid ? "trouble.invalid_title" : "trouble.title")}
      actions={
        invalid ? undefined : (
          <Button kind="primary" wide icon="reload" onClick={onRetry}>
            {t(error.id === "consultation.replaced" ? "trouble.use_here" : "action.retry")}
          </Button>
        )
      }
    >
      {invalid ? (
        <p>{t("trouble.invalid")}</p>
      ) : (
        <Notice tone="error">
          <p>{tError(error)}</p>
        </Notice>
      )}
    </Screen>
  );
}
