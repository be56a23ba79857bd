/** Buttons. Their visible words are their names; a busy one keeps its words and says that it works. */

import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icons";

export interface ButtonProps {
  readonly onClick: (event: MouseEvent) => void;
  readonly children?: ComponentChildren;
  readonly kind?: "primary" | "secondary" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly icon?: IconName;
  readonly wide?: boolean;
  readonly disabled?: boolean;
  readonly busy?: boolean;
  /** For a toggle: whether it is on. */
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  /** Name for assistive technology and hover, where the button shows an icon only or a short word. */
  readonly label?: string;
  readonly title?: string;
  /** A key that does the same ("c", "Shift+W"). */
  readonly shortcut?: string;
  readonly class?: string;
}

export function Button(props: ButtonProps): JSX.Element {
  const { kind = "secondary", type = "button", icon, wide, disabled, busy, label, children, shortcut } = props;
  return (
    <button
      type={type}
      class={`button button-${kind}${wide ? " button-wide" : ""}${props.class ? ` ${props.class}` : ""}`}
      onClick={(event) => {
        if (!busy) props.onClick(event);
      }}
      disabled={disabled}
      aria-busy={busy ? "true" : undefined}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      title={props.title ?? (label && shortcut ? `${label} (${shortcut})` : label)}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
