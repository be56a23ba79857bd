/** What the device check says about a network. */

import { expect, it } from "vitest";
import { judgeCandidates } from "./connection_check";

const stun = { urls: ["stun:s"], username: null, credential: null };
const turn = { urls: ["turn:t"], username: "u", credential: "c" };

it.each([
  [["host"], [], false, "good"],
  [["host", "srflx"], [stun], false, "good"],
  [["host"], [stun], false, "stun_missing"],
  [["host", "srflx", "relay"], [stun, turn], true, "good"],
  [["host", "relay"], [stun, turn], true, "good"],
  [["host", "srflx"], [stun, turn], true, "relay_missing"],
  [[], [stun, turn], true, "no_path"],
  [[], [], false, "no_path"],
] as const)("candidates %j with servers %j: %s", (found, servers, relayConfigured, verdict) => {
  expect(judgeCandidates(new Set(found), [...servers], relayConfigured)).toBe(verdict);
});
