/** The sheet of keys behind `?`: beside the picture, never over it. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import type { KeyAction } from "./keys";

export function KeySheet({ keys, onClose }: { keys: readonly KeyAction[]; onClose: () => void }): JSX.Element {
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.focus(), []);
  return (
    <section class="panel" ref={section} tabIndex={-1} aria-labelledby="keys-title">
      <div class="panel-top">
        <h2 id="keys-title">{t("keys.title")}</h2>
        <Button icon="close" label={t("keys.close")} onClick={onClose} />
      </div>
      <dl class="keys">
        {keys.map(({ shown, wordsKey }) => (
          <div key={wordsKey}>
            <dt>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{t(wordsKey)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
