/** How media flow just now, in one table: what each participant sends, and what the way to each carries. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { formatNumber, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import type { ReceivingStats } from "../lib/media_stats";
import type { StaffCall } from "../staff/call";
import type { PathStatistics, PublicationStatistics, StatisticsView } from "../wire/messages";

const INTERVAL_MS = 2_000;

interface Numbers {
  readonly relay: StatisticsView;
  /** What this page itself receives, by publication_id. */
  readonly received: ReadonlyMap<string, ReceivingStats>;
}

export function StatisticsPanel({ call, onClose }: { call: StaffCall; onClose: () => void }): JSX.Element {
  const section = useRef<HTMLElement>(null);
  const [numbers, setNumbers] = useState<Numbers | null>(null);
  useEffect(() => section.current?.focus(), []);
  useEffect(() => follow(call, setNumbers), [call]);
  const names = new Map(call.view.value?.participants.map(({ participant_id, name }) => [participant_id, name]));
  const nameOf = (id: string): string => names.get(id) ?? "";
  return (
    <section class="panel statistics" ref={section} tabIndex={-1} aria-labelledby="statistics-title">
      <div class="panel-top">
        <h2 id="statistics-title">{t("statistics.title")}</h2>
        <Button icon="close" label={t("statistics.close")} onClick={onClose} />
      </div>
      {numbers === null ? (
        <p role="status">{t("progress.working")}</p>
      ) : (
        // It scrolls sideways on a narrow screen, so it takes focus.
        <div class="statistics-tables" tabIndex={0} role="group" aria-labelledby="statistics-title">
          <Sent rows={numbers.relay.publications} received={numbers.received} nameOf={nameOf} />
          <Paths rows={numbers.relay.paths} nameOf={nameOf} />
        </div>
      )}
    </section>
  );
}

/** Ask now and again every two seconds; one that fails leaves the last numbers. Returns what ends it. */
function follow(call: StaffCall, show: (numbers: Numbers) => void): () => void {
  let ended = false;
  const ask = async (): Promise<void> => {
    const [relay, own] = await Promise.all([
      call.live.call<StatisticsView>("statistics").catch(() => null),
      call.media.peek()?.stats(),
    ]);
    const received = new Map(own?.receiving.map((one) => [one.publication_id, one]));
    if (relay && !ended) show({ relay, received });
  };
  void ask();
  const timer = setInterval(() => void ask(), INTERVAL_MS);
  return () => {
    ended = true;
    clearInterval(timer);
  };
}

function Sent(props: {
  rows: readonly PublicationStatistics[];
  received: ReadonlyMap<string, ReceivingStats>;
  nameOf: (id: string) => string;
}): JSX.Element {
  return (
    <table>
      <caption>{t("statistics.sent")}</caption>
      <thead>
        <tr>
          {["what", "codec", "bitrate", "size", "frames", "quantiser", "lost", "received"].map((key) => (
            <th key={key} scope="col">
              {t(`statistics.${key}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => {
          const here = props.received.get(row.publication_id);
          return (
            <tr key={row.publication_id}>
              <th scope="row">{t(`statistics.source_${row.source}`, { name: props.nameOf(row.participant_id) })}</th>
              <td>{row.codec}</td>
              <td>{kbps(row.bitrate_bps)}</td>
              <td>{row.width_px > 0 ? `${row.width_px} × ${row.height_px}` : "–"}</td>
              <td>{row.source === "microphone" ? "–" : whole(row.frame_rate)}</td>
              <td>{row.quantiser === null ? "–" : whole(row.quantiser)}</td>
              <td>{percent(row.packets_lost / Math.max(1, row.packets_lost + row.packets_received))}</td>
              <td>{here ? (row.source === "microphone" ? kbps(here.bitrate_bps ?? 0) : t("statistics.here", { fps: whole(here.frame_rate ?? 0) })) : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Paths({ rows, nameOf }: { rows: readonly PathStatistics[]; nameOf: (id: string) => string }): JSX.Element {
  return (
    <table>
      <caption>{t("statistics.paths")}</caption>
      <thead>
        <tr>
          {["to", "estimate", "used", "lost", "rtt", "queue", "given_way"].map((key) => (
            <th key={key} scope="col">
              {t(`statistics.${key}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.participant_id}>
            <th scope="row">{nameOf(row.participant_id)}</th>
            <td>{kbps(row.estimate_bps)}</td>
            <td>{kbps(row.sent_bps)}</td>
            <td>{percent(row.loss)}</td>
            <td>{row.rtt_ms > 0 ? t("statistics.ms", { ms: whole(row.rtt_ms) }) : "–"}</td>
            <td>{t("statistics.ms", { ms: whole(row.queue_delay_ms) })}</td>
            <td>{t(`adaptation.${row.adaptation}`)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function whole(value: number): string {
  return formatNumber(value, { maximumFractionDigits: 0 });
}

function kbps(bitrateBps: number): string {
  return t("statistics.kbps", { kbps: whole(bitrateBps / 1000) });
}

function percent(share: number): string {
  return formatNumber(share, { style: "percent", maximumFractionDigits: 1 });
}
