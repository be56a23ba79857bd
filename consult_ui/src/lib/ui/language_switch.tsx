/** The other language, one press away. */

import type { JSX } from "preact";
import { language, setLanguage, t } from "../i18n";
import { Button } from "./button";

export function LanguageSwitch(): JSX.Element {
  const other = language.value === "zh" ? "en" : "zh";
  return (
    <span class="language-switch" lang={other === "zh" ? "zh-CN" : "en-GB"}>
      <Button kind="quiet" icon="globe" onClick={() => setLanguage(other)}>
        {t("language.other")}
      </Button>
    </span>
  );
}
