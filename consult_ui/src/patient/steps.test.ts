/** The order of a patient's screens, and the token of the link. */

import { describe, expect, it } from "vitest";
import type { AdmissionName, ParticipantView, PhaseName } from "../wire/messages";
import { type Preparation, screenOf, stepAfter, stepBefore } from "./steps";
import { tokenOfFragment } from "./token";

const patient = { role: "patient", consent_given: false, phase: "scheduled", satisfaction_given: false } as const;
const interpreter = { ...patient, role: "interpreter" } as const;

function path(person: Parameters<typeof stepAfter>[1]): Preparation[] {
  const steps: Preparation[] = ["welcome"];
  while (steps.at(-1) !== "room") steps.push(stepAfter(steps.at(-1) ?? "room", person));
  return steps;
}

function view(admission: AdmissionName, phase: PhaseName = "in_call", satisfaction_given = false): Parameters<typeof screenOf>[2] {
  const you: ParticipantView = {
    participant_id: "x",
    role: "patient",
    name: "x",
    admission,
    waiting_since: null,
    present: true,
    media: "none",
  };
  return { phase, satisfaction_given, you };
}

describe("the way to the room", () => {
  it("asks a patient for consent once, and shows how to hold the phone", () => {
    expect(path(patient)).toEqual(["welcome", "consent", "check", "guidance", "room"]);
    expect(path({ ...patient, consent_given: true })).toEqual(["welcome", "check", "guidance", "room"]);
  });

  it("is short for an interpreter", () => {
    expect(path(interpreter)).toEqual(["welcome", "check", "room"]);
  });

  it("can be walked back to the beginning", () => {
    const walk = (step: Preparation, person: Parameters<typeof stepAfter>[1]): number => {
      const before = stepBefore(step, person);
      return before === null ? 0 : 1 + walk(before, person);
    };
    expect(walk("room", patient)).toBe(3);
    expect(walk("room", interpreter)).toBe(2);
  });
});

describe("the screen", () => {
  it("follows the admission once in the room", () => {
    const shown = (["invited", "waiting", "sent_back", "refused", "left", "admitted"] as const).map((admission) =>
      screenOf(patient, "room", view(admission), false),
    );
    expect(shown).toEqual(["waiting", "waiting", "waiting", "refused", "left", "call"]);
    expect(screenOf(patient, "room", null, false)).toBe("connecting");
    expect(screenOf(patient, "check", view("admitted"), false)).toBe("check");
  });

  it("asks for satisfaction at the end, once, and only the patient", () => {
    expect(screenOf(patient, "room", view("admitted", "ended"), false)).toBe("satisfaction");
    expect(screenOf(patient, "room", view("admitted", "ended"), true)).toBe("thanks");
    expect(screenOf(patient, "room", view("admitted", "ended", true), false)).toBe("thanks");
    expect(screenOf(interpreter, "room", view("admitted", "ended"), false)).toBe("thanks");
    expect(screenOf({ ...patient, phase: "ended" }, "welcome", null, false)).toBe("satisfaction");
  });
});

describe("the token", () => {
  it("is taken from a clean fragment only", () => {
    expect(tokenOfFragment("#abcdefghijklmnop-_9")).toBe("abcdefghijklmnop-_9");
    expect(tokenOfFragment("#short")).toBeNull();
    expect(tokenOfFragment("#abcdefghijklmnop<script>")).toBeNull();
    expect(tokenOfFragment("")).toBeNull();
  });
});
