/** Statistics as a file for whoever looks after the network: ids and sources, no names. */

import type { SessionStats } from "../lib/media_stats";
import type { StatisticsView } from "../wire/messages";

export interface Numbers {
  readonly taken_at: Date;
  /** What the relay knows of everybody. */
  readonly relay: StatisticsView;
  /** What this page sends and receives itself, in its browser's words; null while it has no connection. */
  readonly page: SessionStats | null;
}

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

export function statisticsFile(consultationId: string, participantId: string | null, numbers: Numbers): TextFile {
  const { taken_at, relay, page } = numbers;
  const content = {
    taken_at: taken_at.toISOString(),
    consultation_id: consultationId,
    relay,
    page: page && { participant_id: participantId, ...page },
  };
  const stamp = content.taken_at.slice(0, 19).replaceAll(":", "-");
  return { name: `truehue-statistics-${stamp}Z.json`, text: `${JSON.stringify(content, null, 2)}\n` };
}
