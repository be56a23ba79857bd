/** Whether this screen can show what the calibration promises: a grey ramp, the gamut, what else tints a screen; and the answer. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import type { DisplayCheckRequest } from "../wire/messages";
import { displayResult } from "./display_result";

type Gamut = DisplayCheckRequest["gamut"];

export function screenGamut(matches: (query: string) => boolean = (query) => matchMedia(query).matches): Gamut {
  const widest = (["rec2020", "p3", "srgb"] as const).find((gamut) => matches(`(color-gamut: ${gamut})`));
  return widest ?? "less";
}

const RAMP_STEPS = 16;

export function DisplayCheck({ onClose }: { onClose: () => void }): JSX.Element {
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.focus(), []);
  const gamut = screenGamut();
  const found = displayResult.value;
  const answer = (steps_apart: boolean): void => {
    displayResult.value = { gamut, steps_apart, found_ms: Date.now() };
  };
  const greys = Array.from({ length: RAMP_STEPS }, (_, i) => Math.round((i * 255) / (RAMP_STEPS - 1)));
  return (
    <section class="panel" ref={section} tabIndex={-1} aria-labelledby="display-title">
      <div class="panel-top">
        <h2 id="display-title">{t("display.title")}</h2>
        <Button icon="close" label={t("display.close")} onClick={onClose} />
      </div>
      <p>{t(`display.gamut_${gamut}`)}</p>
      <div class="ramp" role="img" aria-label={t("display.ramp")}>
        {greys.map((grey) => (
          <span key={grey} style={{ background: `rgb(${grey} ${grey} ${grey})` }} />
        ))}
      </div>
      <ul class="plain-list">
        <li>{t("display.steps", { steps: RAMP_STEPS })}</li>
        <li>{t("display.tint")}</li>
        <li>{t("display.night")}</li>
        <li>{t("display.light")}</li>
      </ul>
      <div class="row" role="group" aria-label={t("display.question")}>
        <Button pressed={found?.steps_apart === true} onClick={() => answer(true)}>
          {t("display.apart")}
        </Button>
        <Button pressed={found?.steps_apart === false} onClick={() => answer(false)}>
          {t("display.alike")}
        </Button>
      </div>
      <p role="status">{found && t("display.kept")}</p>
    </section>
  );
}
