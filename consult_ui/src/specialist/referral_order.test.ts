import { expect, it } from "vitest";
import { byNeed } from "./referral_order";

it("puts the urgent first, then who has waited longest", () => {
  const referral = (urgency: "routine" | "soon" | "urgent", hour: string) => ({ urgency, created_at: `2026-03-01T${hour}:00:00Z` });
  const [old, late, soon, urgent] = [referral("routine", "08"), referral("routine", "12"), referral("soon", "11"), referral("urgent", "13")];
  expect([late, old, urgent, soon].sort(byNeed)).toEqual([urgent, soon, old, late]);
});
