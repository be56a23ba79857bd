/** In which order referrals ask for an answer: the urgent first, then who has waited longest. Pure. */

import type { ReferralView } from "../wire/messages";

const RANK = { urgent: 0, soon: 1, routine: 2 } as const;

export function byNeed(
  a: Pick<ReferralView, "urgency" | "created_at">,
  b: Pick<ReferralView, "urgency" | "created_at">,
): number {
  return RANK[a.urgency] - RANK[b.urgency] || Date.parse(a.created_at) - Date.parse(b.created_at);
}
