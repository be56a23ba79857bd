/** Words in two languages: JSON catalogs, one language signal, and dates and numbers in its manner. */

import { computed, signal } from "@preact/signals";
import type { Language } from "../wire/messages";
import { ApiError } from "./api";
import commonEn from "../i18n/common.en.json";
import commonZh from "../i18n/common.zh.json";

export type Catalog = Readonly<Record<string, string>>;
export type Vars = Readonly<Record<string, string | number>>;

const STORED = "truehue.language";
const catalogs: Record<Language, Record<string, string>> = { en: { ...commonEn }, zh: { ...commonZh } };

/** The language a visitor most likely reads: what the link says, else this tab's choice, else the browser's. */
export function guessLanguage(query: string, stored: string | null, preferred: readonly string[]): Language {
  for (const candidate of [new URLSearchParams(query).get("lang"), stored, ...preferred]) {
    const primary = candidate?.toLowerCase().split("-")[0];
    if (primary === "zh" || primary === "en") return primary;
  }
  return "en";
}

function storedLanguage(): string | null {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null; // storage may be forbidden; the language then lives as long as the page
  }
}

const inBrowser = typeof document !== "undefined";

export const language = signal<Language>(
  inBrowser ? guessLanguage(location.search, storedLanguage(), navigator.languages) : "en",
);

/** True when somebody chose a language (link or switch), so that a record's default does not override it. */
export function languageChosen(): boolean {
  return new URLSearchParams(location.search).has("lang") || storedLanguage() !== null;
}

/** BCP 47 tag for `lang` attributes and Intl. */
export const locale = computed(() => (language.value === "zh" ? "zh-CN" : "en-GB"));

/** Show another language; `remember` keeps it for this tab only. */
export function setLanguage(next: Language, remember = true): void {
  language.value = next;
  if (!remember) return;
  try {
    sessionStorage.setItem(STORED, next);
  } catch {
    // the choice holds until the page is left
  }
}

/** A page adds its own words to the common ones, once, before it renders. */
export function addCatalog(page: Record<Language, Catalog>): void {
  Object.assign(catalogs.en, page.en);
  Object.assign(catalogs.zh, page.zh);
}

/** Whether there are words for a key. */
export function hasWords(key: string): boolean {
  return key in catalogs[language.value];
}

/** Fill `{name}` placeholders; numbers are written in the language's manner. */
export function fill(template: string, vars: Vars, tag: string): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = vars[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(tag).format(value) : value;
  });
}

/**
 * Words for a key in the present language (reading it inside a component subscribes to the language).
 * With `vars.count`, the variant `key#one` is used where the language has a singular and the catalog has it.
 */
export function t(key: string, vars: Vars = {}): string {
  const words = catalogs[language.value];
  const { count } = vars;
  const singular =
    typeof count === "number" && new Intl.PluralRules(locale.value).select(count) === "one" ? words[`${key}#one`] : undefined;
  return fill(singular ?? words[key] ?? key, vars, locale.value);
}

/** Words for a failure: the page's own for its stable id where it has them, else the server's. */
export function tError(error: unknown): string {
  if (error instanceof ApiError) {
    const key = `error.${error.id}`;
    return hasWords(key) ? t(key) : error.message;
  }
  return t("error.unexpected");
}

export function formatTime(iso: string): string {
  return new Intl.DateTimeFormat(locale.value, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

export function formatDate(iso: string): string {
  return new Intl.DateTimeFormat(locale.value, { day: "numeric", month: "long", year: "numeric" }).format(new Date(iso));
}

export function formatDateTime(iso: string): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** "today", or the date with its weekday. */
export function formatDay(iso: string, now: Date = new Date()): string {
  const day = new Date(iso);
  if (day.toDateString() === now.toDateString()) return t("day.today");
  return new Intl.DateTimeFormat(locale.value, { weekday: "long", day: "numeric", month: "long" }).format(day);
}

/** "today, 14:30" in the language's manner. */
export function formatDayTime(iso: string): string {
  return t("day.time", { day: formatDay(iso), time: formatTime(iso) });
}

export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(locale.value, options).format(value);
}

/** A size for people: kB under one MB, else MB with one decimal (powers of ten). */
export function formatBytes(bytes: number): string {
  return bytes < 1_000_000
    ? `${formatNumber(Math.round(bytes / 1000))} kB`
    : `${formatNumber(bytes / 1_000_000, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MB`;
}
