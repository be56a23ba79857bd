/** Which screen a patient sees: one question at a time, decided from what is known. Pure. */

import type { ConsultationView, JoinView } from "../wire/messages";

/** How far somebody has come before the waiting room. */
export type Preparation = "welcome" | "consent" | "check" | "guidance" | "room";

export type Screen =
  | Exclude<Preparation, "room">
  | "connecting"
  | "waiting"
  | "refused"
  | "call"
  | "left"
  | "satisfaction"
  | "thanks";

type Person = Pick<JoinView, "role" | "consent_given" | "phase" | "satisfaction_given">;

/** The step after one: an interpreter consents to nothing and shows no skin. */
export function stepAfter(step: Preparation, { role, consent_given }: Person): Preparation {
  if (step === "welcome") return role === "patient" && !consent_given ? "consent" : "check";
  if (step === "consent") return "check";
  if (step === "check") return role === "patient" ? "guidance" : "room";
  return "room";
}

/** The step before one, or null at the beginning. */
export function stepBefore(step: Preparation, { role }: Person): Preparation | null {
  if (step === "guidance") return "check";
  if (step === "check" || step === "consent") return "welcome";
  if (step === "room") return role === "patient" ? "guidance" : "check";
  return null;
}

/** What to show now. `answered`: the satisfaction question was answered or passed over on this page. */
export function screenOf(
  person: Person,
  step: Preparation,
  view: Pick<ConsultationView, "phase" | "satisfaction_given" | "you"> | null,
  answered: boolean,
): Screen {
  if ((view?.phase ?? person.phase) === "ended") {
    const done = answered || person.role !== "patient" || (view?.satisfaction_given ?? person.satisfaction_given);
    return done ? "thanks" : "satisfaction";
  }
  if (step !== "room") return step;
  if (view === null) return "connecting";
  switch (view.you.admission) {
    case "admitted":
      return "call";
    case "left":
      return "left";
    case "refused":
      return "refused";
    default:
      return "waiting";
  }
}
