/** What a call is like just now, read from the browser's own statistics. */

import type { SourceName } from "../wire/messages";

export interface SendingStats {
  readonly source: SourceName;
  readonly bitrate_bps: number | null;
  readonly frame_rate: number | null;
  readonly width_px: number | null;
  readonly height_px: number | null;
  /** "none", "cpu", "bandwidth" or "other", in the browser's words. */
  readonly limited_by: string | null;
}

export interface ReceivingStats {
  readonly publication_id: string;
  readonly bitrate_bps: number | null;
  readonly frame_rate: number | null;
  readonly width_px: number | null;
  readonly height_px: number | null;
  readonly frames_decoded: number;
  readonly packets_received: number;
  readonly packets_lost: number;
  readonly jitter_ms: number;
  /** How often, and how long in all, the picture stood still on this page (W3C webrtc-stats: freezeCount). */
  readonly freeze_count: number;
  readonly frozen_s: number;
}

export interface SessionStats {
  readonly rtt_ms: number | null;
  /** The path goes through a TURN server. */
  readonly relayed: boolean;
  readonly sending: readonly SendingStats[];
  readonly receiving: readonly ReceivingStats[];
}

type Report = Record<string, unknown> & { id: string; type: string; timestamp: number };

/** Remembers the last byte counts, so that each reading gives rates since the one before. */
export class StatsReader {
  private last = new Map<string, { bytes: number; at_ms: number }>();

  read(
    reports: Iterable<Report>,
    sourceOf: ReadonlyMap<string, SourceName>,
    publicationOf: ReadonlyMap<string, string>,
  ): SessionStats {
    const byId = new Map<string, Report>();
    for (const report of reports) byId.set(report.id, report);
    const sending: SendingStats[] = [];
    const receiving: ReceivingStats[] = [];
    let rtt_ms: number | null = null;
    let relayed = false;
    for (const report of byId.values()) {
      if (report.type === "outbound-rtp") {
        const source = sourceOf.get(String(report["mid"]));
        if (source) sending.push({ source, ...this.picture(report, "bytesSent"), limited_by: words(report["qualityLimitationReason"]) });
      } else if (report.type === "inbound-rtp") {
        const publication_id = publicationOf.get(String(report["mid"]));
        if (publication_id)
          receiving.push({
            publication_id,
            ...this.picture(report, "bytesReceived"),
            frames_decoded: number(report["framesDecoded"]) ?? 0,
            packets_received: number(report["packetsReceived"]) ?? 0,
            packets_lost: number(report["packetsLost"]) ?? 0,
            jitter_ms: 1000 * (number(report["jitter"]) ?? 0),
            freeze_count: number(report["freezeCount"]) ?? 0,
            frozen_s: number(report["totalFreezesDuration"]) ?? 0,
          });
      } else if (report.type === "transport") {
        const pair = byId.get(String(report["selectedCandidatePairId"]));
        const seconds = number(pair?.["currentRoundTripTime"]);
        if (seconds !== null) rtt_ms = seconds * 1000;
        relayed = byId.get(String(pair?.["localCandidateId"]))?.["candidateType"] === "relay";
      }
    }
    return { rtt_ms, relayed, sending, receiving };
  }

  private picture(report: Report, counter: string): Pick<SendingStats, "bitrate_bps" | "frame_rate" | "width_px" | "height_px"> {
    const bytes = number(report[counter]) ?? 0;
    const before = this.last.get(report.id);
    this.last.set(report.id, { bytes, at_ms: report.timestamp });
    const elapsed_ms = before ? report.timestamp - before.at_ms : 0;
    return {
      bitrate_bps: before && elapsed_ms > 0 ? ((bytes - before.bytes) * 8000) / elapsed_ms : null,
      frame_rate: number(report["framesPerSecond"]),
      width_px: number(report["frameWidth"]),
      height_px: number(report["frameHeight"]),
    };
  }
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function words(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
