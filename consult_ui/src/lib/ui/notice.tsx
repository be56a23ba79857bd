/** Something to know: what happened, what is safe, what to do. Its tone is said in words and shape too. */

import type { ComponentChildren, JSX } from "preact";
import { t } from "../i18n";
import { Icon, type IconName } from "./icons";

export type Tone = "info" | "success" | "warning" | "error";

const icons: Record<Tone, IconName> = { info: "info", success: "check", warning: "alert", error: "alert" };

interface NoticeProps {
  readonly tone: Tone;
  readonly title?: string;
  readonly children?: ComponentChildren;
  /** Read out when it appears: errors at once, the rest when the reader pauses. False for text that was always there. */
  readonly announce?: boolean;
}

export function Notice({ tone, title, children, announce = true }: NoticeProps): JSX.Element {
  const role = announce ? (tone === "error" ? "alert" : "status") : undefined;
  return (
    <div class={`notice notice-${tone}`} role={role}>
      <Icon name={icons[tone]} />
      <div class="notice-body">
        {title ? (
          <p class="notice-title">{title}</p>
        ) : (
          <span class="visually-hidden">{t(`notice.${tone}`)}</span>
        )}
        {children}
      </div>
    </div>
  );
}
