/** The frame of one screen: language, one heading that takes focus, one question, the next step at the bottom. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { LanguageSwitch } from "../lib/ui/language_switch";

interface ScreenProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** The next step, at the thumb. */
  readonly actions?: ComponentChildren;
  readonly onBack?: () => void;
}

export function Screen({ title, children, actions, onBack }: ScreenProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  // A new screen begins at its heading, for the eye and for a screen reader.
  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} · TrueHue`;
  }, [title]);
  return (
    <div class="screen">
      <header class="screen-top">
        {onBack ? (
          <Button kind="quiet" icon="arrow_left" onClick={onBack}>
            {t("action.back")}
          </Button>
        ) : (
          <span class="brand">TrueHue</span>
        )}
        <LanguageSwitch />
      </header>
      <main class="screen-main">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </main>
      {actions && <div class="screen-actions">{actions}</div>}
    </div>
  );
}
