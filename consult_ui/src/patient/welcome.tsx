/** The first screen: with whom, when, what for, and what it takes. */

import type { JSX } from "preact";
import { formatDayTime, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import type { JoinView } from "../wire/messages";
import { Screen } from "./screen";
import type { Visit } from "./visit";

export function Welcome({ visit, join }: { visit: Visit; join: JoinView }): JSX.Element {
  const patient = join.role === "patient";
  return (
    <Screen
      title={t(patient ? "welcome.title" : "welcome.title_guest", { doctor: join.specialist_name })}
      actions={
        <Button kind="primary" wide icon="arrow_right" onClick={() => visit.next()}>
          {t("welcome.start")}
        </Button>
      }
    >
      <dl class="facts">
        <div>
          <dt>{t("welcome.when")}</dt>
          <dd class="sentence">{formatDayTime(join.scheduled_at)}</dd>
        </div>
        <div>
          <dt>{t("welcome.for")}</dt>
          <dd>{join.name}</dd>
        </div>
        <div>
          <dt>{t("welcome.site")}</dt>
          <dd>{join.site_name}</dd>
        </div>
      </dl>
      <p>{t(patient ? "welcome.what" : "welcome.what_guest")}</p>
      {patient && <p>{t("welcome.need")}</p>}
      <p class="quiet">{t("welcome.no_app")}</p>
    </Screen>
  );
}
