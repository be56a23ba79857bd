/** Which m-line carries what: the bookkeeping of a media session, as pure functions over plain values. */

import { sameEmphasis } from "../color/emphasis";
import type { ChromaEmphasisView, PublicationView, SourceName } from "../wire/messages";

export type Kind = "audio" | "video";

/** A recvonly m-line that exists, and the Publication it carries; null when it is free for another. */
export interface ReceiveSlot {
  readonly kind: Kind;
  readonly publicationId: string | null;
  /**
   * How chroma is stretched on this m-line, or null. Its track never carries anything else: what is still on its way
   * when a Publication ends could not be told from what follows.
   */
  readonly emphasis: ChromaEmphasisView | null;
}

/** The slots after a change, and whether the peer connection must be negotiated again. */
export interface ReceivePlan {
  readonly slots: readonly ReceiveSlot[];
  readonly changed: boolean;
}

export function kindOf(source: SourceName): Kind {
  return source === "microphone" ? "audio" : "video";
}

/**
 * Fit slots to the wanted Publications. m-lines can never be removed, so: a Publication keeps its slot, a slot
 * whose Publication is gone becomes free, a new Publication takes a free slot of its kind and emphasis, else a
 * new one at the end.
 */
export function planReceive(
  slots: readonly ReceiveSlot[],
  wanted: readonly Pick<PublicationView, "publication_id" | "kind" | "emphasis">[],
): ReceivePlan {
  const wantedIds = new Set(wanted.map((publication) => publication.publication_id));
  const held = new Set(slots.map((slot) => slot.publicationId));
  const next: ReceiveSlot[] = slots.map((slot) =>
    slot.publicationId !== null && !wantedIds.has(slot.publicationId) ? { ...slot, publicationId: null } : slot,
  );
  for (const { publication_id, kind, emphasis } of wanted) {
    if (held.has(publication_id)) continue;
    held.add(publication_id);
    const free = next.findIndex((slot) => slot.publicationId === null && slot.kind === kind && sameEmphasis(slot.emphasis, emphasis));
    const slot: ReceiveSlot = { kind: kind as Kind, publicationId: publication_id, emphasis };
    if (free === -1) next.push(slot);
    else next[free] = slot;
  }
  const changed = next.length !== slots.length || next.some((slot, i) => slot.publicationId !== slots[i]?.publicationId);
  return { slots: next, changed };
}

/** The mid maps of a NegotiateRequest; m-lines without a mid, or that carry nothing, are left out. */
export function midMaps(
  sending: readonly {
    readonly mid: string | null;
    readonly source: SourceName;
    readonly active: boolean;
    readonly emphasis: ChromaEmphasisView | null;
  }[],
  receiving: readonly { readonly mid: string | null; readonly publicationId: string | null }[],
): {
  publications: Record<string, SourceName>;
  subscriptions: Record<string, string>;
  emphasis: Record<string, ChromaEmphasisView>;
} {
  const publications: Record<string, SourceName> = {};
  const subscriptions: Record<string, string> = {};
  const announced: Record<string, ChromaEmphasisView> = {};
  for (const { mid, source, active, emphasis } of sending) {
    if (mid === null || !active) continue;
    publications[mid] = source;
    if (emphasis) announced[mid] = emphasis;
  }
  for (const { mid, publicationId } of receiving)
    if (mid !== null && publicationId !== null) subscriptions[mid] = publicationId;
  return { publications, subscriptions, emphasis: announced };
}

/** Codec names in the order they are offered: the preferred first, then the rest (RTX and FEC) as they were. */
export function preferCodec<C extends { readonly mimeType: string }>(codecs: readonly C[], name: string): C[] {
  const wanted = `video/${name}`.toLowerCase();
  const isWanted = (codec: C): boolean => codec.mimeType.toLowerCase() === wanted;
  return [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))];
}

/**
 * The session id of an SDP's o= line (RFC 8866, 5.2). The relay keeps it for as long as it keeps a transport: another
 * one in an answer means that the relay has begun anew and knows nothing of the present DTLS connection.
 */
export function sessionOf(sdp: string): string | null {
  return /^o=\S+ (\d+) /m.exec(sdp)?.[1] ?? null;
}

export type Recovery = "wait" | "restart_ice" | "rebuild";

/** What to do about a broken path: wait a little, restart ICE twice, then build a new connection. */
export function recoveryStep(brokenForMs: number, restarts: number): Recovery {
  if (brokenForMs < 2_500 * (restarts + 1)) return "wait";
  return restarts < 2 ? "restart_ice" : "rebuild";
}
