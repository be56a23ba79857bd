/** The patient's page, also for an interpreter: opens a personal link and shows one screen at a time. */

import { effect } from "@preact/signals";
import { type JSX, render } from "preact";
import en from "../i18n/patient.en.json";
import zh from "../i18n/patient.zh.json";
import { addCatalog, locale, t } from "../lib/i18n";
import { useAskBeforeLeaving } from "../lib/leaving";
import { LiveRegion } from "../lib/ui/live_region";
import "../styles/base.css";
import { Call } from "./call";
import { Consent } from "./consent";
import { DeviceCheck } from "./device_check";
import { Satisfaction, Thanks } from "./ended";
import { Guidance } from "./guidance";
import "./patient.css";
import { Screen } from "./screen";
import { takeToken } from "./token";
import { NoLink, Trouble } from "./trouble";
import { Visit } from "./visit";
import { Left, Refused, Waiting } from "./waiting";
import { Welcome } from "./welcome";

addCatalog({ en, zh });
effect(() => {
  document.documentElement.lang = locale.value;
});

function Present({ visit }: { visit: Visit }): JSX.Element {
  const join = visit.join.value;
  const view = visit.view.value;
  const trouble = visit.trouble.value ?? visit.live.value?.refused.value;
  const screen = visit.screen.value;
  useAskBeforeLeaving(() => visit.capturing.holds.peek());
  if (trouble && screen !== "thanks" && screen !== "satisfaction")
    return <Trouble error={trouble} onRetry={() => visit.retry()} />;
  if (!join || !screen) return <Screen title={t("progress.working")} />;
  switch (screen) {
    case "welcome":
      return <Welcome visit={visit} join={join} />;
    case "consent":
      return <Consent visit={visit} />;
    case "check":
      return <DeviceCheck visit={visit} join={join} />;
    case "guidance":
      return <Guidance visit={visit} />;
    case "satisfaction":
      return <Satisfaction visit={visit} />;
    case "thanks":
      return <Thanks patient={join.role === "patient"} />;
    case "left":
      return <Left visit={visit} />;
  }
  if (!view) return <Screen key="connecting" title={t("connecting.title")} />;
  if (screen === "refused") return <Refused view={view} />;
  if (screen === "call") return <Call visit={visit} view={view} />;
  return <Waiting visit={visit} view={view} />;
}

function Page({ visit }: { visit: Visit | null }): JSX.Element {
  return (
    <>
      {visit ? <Present visit={visit} /> : <NoLink />}
      <LiveRegion />
    </>
  );
}

const page = document.getElementById("page");
const token = takeToken();
const visit = token === null ? null : new Visit(token);
if (page) render(<Page visit={visit} />, page);
void visit?.load();
// A second link opened in the same tab changes only the fragment.
addEventListener("hashchange", () => location.reload());
