/** Whether this network lets a call through: the server answers, and media paths can be found. */

import { getJson } from "../lib/api";
import { hasWebRtc } from "../lib/devices";
import { rtcIceServers } from "../lib/media_session";
import type { IceServer, IceView } from "../wire/messages";

export type ConnectionVerdict = "good" | "relay_missing" | "stun_missing" | "no_path" | "server_unreachable" | "unsupported";

const GATHER_TIMEOUT_MS = 8_000;

/** What the gathered candidate types mean. A failed STUN server alone does not hinder a call to a public relay. */
export function judgeCandidates(
  found: ReadonlySet<string>,
  servers: readonly IceServer[],
  relayConfigured: boolean,
): ConnectionVerdict {
  if (relayConfigured && !found.has("relay")) return found.size === 0 ? "no_path" : "relay_missing";
  const stunConfigured = servers.some(({ urls }) => urls.some((url) => url.startsWith("stun:")));
  if (found.size === 0) return "no_path";
  if (stunConfigured && !found.has("srflx") && !found.has("relay")) return "stun_missing";
  return "good";
}

/** Gather candidates as a call would; ends early once everything that can be hoped for was found. */
async function gather({ ice_servers, relay_configured }: IceView): Promise<ReadonlySet<string>> {
  const connection = new RTCPeerConnection({ iceServers: rtcIceServers(ice_servers) });
  const found = new Set<string>();
  try {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_TIMEOUT_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      connection.addEventListener("icecandidate", ({ candidate }) => {
        if (!candidate) return end();
        if (candidate.type) found.add(candidate.type);
        if (relay_configured && found.has("relay")) end();
      });
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState === "complete") end();
      });
      connection.createDataChannel("check");
      connection.createOffer().then((offer) => connection.setLocalDescription(offer), end);
    });
  } finally {
    connection.close();
  }
  return found;
}

export async function checkConnection(): Promise<ConnectionVerdict> {
  if (!hasWebRtc()) return "unsupported";
  let ice: IceView;
  try {
    ice = await getJson<IceView>("/api/ice");
  } catch {
    return "server_unreachable";
  }
  return judgeCandidates(await gather(ice), ice.ice_servers, ice.relay_configured);
}
