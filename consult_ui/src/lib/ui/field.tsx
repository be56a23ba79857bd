/** Form fields: every one has a visible label, a hint and an error that assistive technology reads with it. */

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./icons";

interface FieldFrame {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | null;
}

interface TextFieldProps extends FieldFrame {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "date" | "datetime-local" | "search";
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly maxLength?: number;
  readonly autocomplete?: string;
  readonly placeholder?: string;
  readonly min?: string;
  readonly max?: string;
}

function Frame({ id, label, hint, error, children }: FieldFrame & { id: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {hint && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {children}
      {error && (
        <span class="field-error" id={`${id}-error`} role="alert">
          <Icon name="alert" />
          {error}
        </span>
      )}
    </div>
  );
}

function describedBy(id: string, { hint, error }: FieldFrame): string | undefined {
  const ids = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return ids === "" ? undefined : ids;
}

export function TextField(props: TextFieldProps): JSX.Element {
  const id = useId();
  return (
    <Frame id={id} label={props.label} hint={props.hint} error={props.error}>
      <input
        class="field-control"
        id={id}
        type={(props.type ?? "text") as "text"} // the types tie each input type to an ARIA role; this sets none
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
        required={props.required}
        disabled={props.disabled}
        maxLength={props.maxLength}
        autocomplete={props.autocomplete}
        placeholder={props.placeholder}
        min={props.min}
        max={props.max}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(id, props)}
      />
    </Frame>
  );
}

interface TextAreaProps extends FieldFrame {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly rows?: number;
  readonly maxLength?: number;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

export function TextArea(props: TextAreaProps): JSX.Element {
  const id = useId();
  return (
    <Frame id={id} label={props.label} hint={props.hint} error={props.error}>
      <textarea
        class="field-control"
        id={id}
        rows={props.rows ?? 4}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
        maxLength={props.maxLength}
        required={props.required}
        disabled={props.disabled}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(id, props)}
      />
    </Frame>
  );
}

interface SelectProps extends FieldFrame {
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string) => void;
  readonly disabled?: boolean;
}

export function Select(props: SelectProps): JSX.Element {
  const id = useId();
  return (
    <Frame id={id} label={props.label} hint={props.hint} error={props.error}>
      <select
        class="field-control"
        id={id}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
        disabled={props.disabled}
        aria-describedby={describedBy(id, props)}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={value} selected={value === props.value}>
            {label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface CheckboxProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly children: ComponentChildren;
  readonly disabled?: boolean;
}

export function Checkbox({ checked, onChange, children, disabled }: CheckboxProps): JSX.Element {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}

interface RadioGroupProps<V extends string> {
  readonly legend: string;
  /** The legend is read but not shown, where a heading says the same. */
  readonly hideLegend?: boolean;
  readonly value: V | null;
  readonly options: readonly { readonly value: V; readonly label: ComponentChildren }[];
  readonly onChange: (value: V) => void;
}

export function RadioGroup<V extends string>({ legend, hideLegend, value, options, onChange }: RadioGroupProps<V>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="radio-group">
      <legend class={hideLegend ? "visually-hidden" : "field-label"}>{legend}</legend>
      {options.map((option) => (
        <label class="choice" key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
