/** How to show skin well: light, distance, the color card. */

import type { JSX } from "preact";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { CardDrawing, DistanceDrawing, LightDrawing } from "./drawings";
import { Screen } from "./screen";
import type { Visit } from "./visit";

export function Guidance({ visit }: { visit: Visit }): JSX.Element {
  return (
    <Screen
      title={t("guidance.title")}
      onBack={() => visit.back()}
      actions={
        <Button kind="primary" wide icon="arrow_right" onClick={() => visit.next()}>
          {t("guidance.go")}
        </Button>
      }
    >
      <ol class="guidance">
        <li>
          <LightDrawing />
          <div>
            <h2>{t("guidance.light")}</h2>
            <p>{t("guidance.light_words")}</p>
          </div>
        </li>
        <li>
          <DistanceDrawing />
          <div>
            <h2>{t("guidance.distance")}</h2>
            <p>{t("guidance.distance_words")}</p>
          </div>
        </li>
        <li>
          <CardDrawing />
          <div>
            <h2>{t("guidance.card")}</h2>
            <p>{t("guidance.card_words")}</p>
          </div>
        </li>
      </ol>
    </Screen>
  );
}
