/** Words for people about people: ages, waits, sexes, and how a picture came about. */

import { formatDate, t } from "../lib/i18n";
import type { PatientView, SnapshotView } from "../wire/messages";

/** Full years between a birth date (YYYY-MM-DD) and a day. */
export function ageYears(birthDate: string, now: Date): number {
  const [year = 0, month = 1, day = 1] = birthDate.split("-").map(Number);
  const hadBirthday = now.getMonth() + 1 > month || (now.getMonth() + 1 === month && now.getDate() >= day);
  return now.getFullYear() - year - (hadBirthday ? 0 : 1);
}

/** "58, male" with what is known. */
export function describePatient(patient: PatientView): string {
  const parts = [
    patient.birth_date ? t("patient.age", { count: ageYears(patient.birth_date, new Date()) }) : null,
    patient.sex === "unknown" ? null : t(`sex.${patient.sex}`),
  ];
  return parts.filter((part) => part !== null).join(t("list.comma"));
}

export function birthDateWords(patient: PatientView): string {
  return patient.birth_date ? t("patient.born", { date: formatDate(patient.birth_date) }) : t("patient.born_unknown");
}

/** A duration in the largest unit that says enough: "12 s", "6 min", "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return t("duration.s", { s: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return t("duration.min", { min: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return t("duration.days", { days: Math.floor(hours / 24) });
  return t("duration.h_min", { h: hours, min: minutes % 60 });
}

export function methodWords(snapshot: SnapshotView): string {
  return t(`method.${snapshot.method}`);
}

/** Derived pictures take seconds; after this long a picture without any will stay so. */
const DERIVING_MS = 60_000;

/** The original is stored, and what is derived of it (the corrected picture too) is still being made. */
export function isBeingDerived(snapshot: SnapshotView, nowMs: number): boolean {
  const { variants, quality } = snapshot;
  const lacks = !variants.includes("display") || (quality?.correctable === true && !variants.includes("corrected"));
  return lacks && nowMs - Date.parse(snapshot.stored_at) < DERIVING_MS;
}

export function isVideoFrame(snapshot: SnapshotView): boolean {
  return snapshot.method === "relay_frame";
}

export function pictureUrl(snapshot: SnapshotView, variant: "original" | "display" | "corrected" | "thumbnail"): string {
  return `/api/snapshots/${encodeURIComponent(snapshot.snapshot_id)}/${variant}`;
}

/** The uncorrected picture for a screen: upright, sRGB, without metadata; the original where none was derived. */
export function rawPictureUrl(snapshot: SnapshotView): string {
  return pictureUrl(snapshot, snapshot.variants.includes("display") ? "display" : "original");
}

export function thumbnailUrl(snapshot: SnapshotView): string {
  return snapshot.variants.includes("thumbnail") ? pictureUrl(snapshot, "thumbnail") : rawPictureUrl(snapshot);
}

export function hasCorrected(snapshot: SnapshotView): boolean {
  return snapshot.variants.includes("corrected");
}
