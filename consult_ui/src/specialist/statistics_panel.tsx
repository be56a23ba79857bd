/** How media flow just now: what each participant sends, what each is given of it, and what the ways carry. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { formatNumber, t } from "../lib/i18n";
import type { ReceivingStats } from "../lib/media_stats";
import { saveFile } from "../lib/save_file";
import { Button } from "../lib/ui/button";
import type { StaffCall } from "../staff/call";
import type { PathStatistics, PublicationStatistics, StatisticsView, SubscriptionStatistics } from "../wire/messages";
import { type Numbers, statisticsFile } from "./statistics_file";

const INTERVAL_MS = 2_000;
const NONE = "–";

type NameOf = (id: string) => string;

export function StatisticsPanel({ call, onClose }: { call: StaffCall; onClose: () => void }): JSX.Element {
  const section = useRef<HTMLElement>(null);
  const [numbers, setNumbers] = useState<Numbers | null>(null);
  useEffect(() => section.current?.focus(), []);
  useEffect(() => follow(call, setNumbers), [call]);
  const names = new Map(call.view.value?.participants.map(({ participant_id, name }) => [participant_id, name]));
  const nameOf: NameOf = (id) => names.get(id) ?? "";
  const save = (shown: Numbers): void => {
    const { name, text } = statisticsFile(call.consultationId, call.view.value?.you.participant_id ?? null, shown);
    saveFile(name, text, "application/json");
  };
  return (
    <section class="panel statistics" ref={section} tabIndex={-1} aria-labelledby="statistics-title">
      <div class="panel-top">
        <h2 id="statistics-title">{t("statistics.title")}</h2>
        {numbers && (
          <Button kind="quiet" title={t("statistics.save_hover")} onClick={() => save(numbers)}>
            {t("statistics.save")}
          </Button>
        )}
        <Button icon="close" label={t("statistics.close")} onClick={onClose} />
      </div>
      {numbers === null ? (
        <p role="status">{t("progress.working")}</p>
      ) : (
        // It scrolls sideways on a narrow screen, so it takes focus.
        <div class="statistics-tables" tabIndex={0} role="group" aria-labelledby="statistics-title">
          <Sent rows={numbers.relay.publications} nameOf={nameOf} />
          <Received numbers={numbers} nameOf={nameOf} />
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
    const [relay, page = null] = await Promise.all([
      call.live.call<StatisticsView>("statistics").catch(() => null),
      call.media.peek()?.stats(),
    ]);
    if (relay && !ended) show({ taken_at: new Date(), relay, page });
  };
  void ask();
  const timer = setInterval(() => void ask(), INTERVAL_MS);
  return () => {
    ended = true;
    clearInterval(timer);
  };
}

function Head({ keys }: { keys: readonly string[] }): JSX.Element {
  return (
    <thead>
      <tr>
        {keys.map((key) => (
          <th key={key} scope="col">
            {t(`statistics.${key}`)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Sent({ rows, nameOf }: { rows: readonly PublicationStatistics[]; nameOf: NameOf }): JSX.Element {
  return (
    <table>
      <caption>{t("statistics.sent")}</caption>
      <Head keys={["what", "codec", "bitrate", "size", "frames", "quantiser", "lost"]} />
      <tbody>
        {rows.map((row) => (
          <tr key={row.publication_id}>
            <th scope="row">{sourceWords(row, nameOf)}</th>
            <td>{row.codec}</td>
            <td>{kbps(row.bitrate_bps)}</td>
            <td>{size(row.width_px, row.height_px)}</td>
            <td>{row.source === "microphone" ? NONE : whole(row.frame_rate)}</td>
            <td>{row.quantiser === null ? NONE : whole(row.quantiser)}</td>
            <td>{lost(row)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What this page receives, in its browser's words; below it what the relay gives to everybody. */
function Received({ numbers, nameOf }: { numbers: Numbers; nameOf: NameOf }): JSX.Element {
  const { relay, page } = numbers;
  const sources = new Map(relay.publications.map((one) => [one.publication_id, one]));
  const viewers = new Set(relay.subscriptions.map(({ participant_id }) => participant_id));
  return (
    <table>
      <caption>{t("statistics.received")}</caption>
      <Head keys={["what", "bitrate", "size", "frames", "lost", "jitter", "frozen"]} />
      {page && page.receiving.length > 0 && (
        <Viewer name={t("statistics.page")}>
          {page.receiving.map((row) => (
            <Shown key={row.publication_id} row={row} source={sources.get(row.publication_id)} nameOf={nameOf} />
          ))}
        </Viewer>
      )}
      {[...viewers].map((viewer) => (
        <Viewer key={viewer} name={t("statistics.given", { name: nameOf(viewer) })}>
          {relay.subscriptions
            .filter(({ participant_id }) => participant_id === viewer)
            .map((row) => (
              <Given key={row.publication_id} row={row} source={sources.get(row.publication_id)} nameOf={nameOf} />
            ))}
        </Viewer>
      ))}
    </table>
  );
}

function Viewer({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <tbody>
      <tr class="statistics-viewer">
        <th scope="rowgroup" colSpan={7}>
          {name}
        </th>
      </tr>
      {children}
    </tbody>
  );
}

interface ReceivedRow<Row> {
  readonly row: Row;
  /** What it is of; undefined in the moment after that has ended. */
  readonly source: PublicationStatistics | undefined;
  readonly nameOf: NameOf;
}

function Shown({ row, source, nameOf }: ReceivedRow<ReceivingStats>): JSX.Element {
  return (
    <tr>
      <th scope="row">{source && sourceWords(source, nameOf)}</th>
      <td>{kbps(row.bitrate_bps ?? 0)}</td>
      <td>{size(row.width_px ?? 0, row.height_px ?? 0)}</td>
      <td>{source?.source === "microphone" ? NONE : whole(row.frame_rate ?? 0)}</td>
      <td>{lost(row)}</td>
      <td>{ms(row.jitter_ms)}</td>
      <td>{frozen(row)}</td>
    </tr>
  );
}

function Given({ row, source, nameOf }: ReceivedRow<SubscriptionStatistics>): JSX.Element {
  const rank = row.encodings > 1 && row.spatial !== null ? ` (${row.spatial + 1}/${row.encodings})` : "";
  const layers = row.max_temporal === null ? "" : ` (${row.max_temporal > 0 ? "T0–" : ""}T${row.max_temporal})`;
  return (
    <tr>
      <th scope="row">{source && sourceWords(source, nameOf)}</th>
      <td>{row.paused ? t("statistics.paused") : kbps(row.bitrate_bps)}</td>
      <td>{size(row.width_px, row.height_px) + rank}</td>
      <td>{source?.source === "microphone" ? NONE : whole(row.frame_rate) + layers}</td>
      <td>{percent(row.loss)}</td>
      <td>{ms(row.jitter_ms)}</td>
      <td>{frozen(row)}</td>
    </tr>
  );
}

function Paths({ rows, nameOf }: { rows: readonly PathStatistics[]; nameOf: NameOf }): JSX.Element {
  return (
    <table>
      <caption>{t("statistics.paths")}</caption>
      <Head keys={["to", "estimate", "used", "lost", "rtt", "queue", "given_way"]} />
      <tbody>
        {rows.map((row) => (
          <tr key={row.participant_id}>
            <th scope="row">{nameOf(row.participant_id)}</th>
            <td>{kbps(row.estimate_bps)}</td>
            <td>{kbps(row.sent_bps)}</td>
            <td>{percent(row.loss)}</td>
            <td>{row.rtt_ms > 0 ? ms(row.rtt_ms) : NONE}</td>
            <td>{ms(row.queue_delay_ms)}</td>
            <td>{t(`adaptation.${row.adaptation}`)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sourceWords({ source, participant_id }: PublicationStatistics, nameOf: NameOf): string {
  return t(`statistics.source_${source}`, { name: nameOf(participant_id) });
}

function whole(value: number): string {
  return formatNumber(value, { maximumFractionDigits: 0 });
}

function kbps(bitrateBps: number): string {
  return t("statistics.kbps", { kbps: whole(bitrateBps / 1000) });
}

function size(width_px: number, height_px: number): string {
  return width_px > 0 ? `${width_px} × ${height_px}` : NONE;
}

function ms(value: number): string {
  return t("statistics.ms", { ms: whole(value) });
}

function percent(share: number): string {
  return formatNumber(share, { style: "percent", maximumFractionDigits: 1 });
}

function lost(row: { readonly packets_lost: number; readonly packets_received: number }): string {
  return percent(Math.max(0, row.packets_lost) / Math.max(1, row.packets_lost + row.packets_received));
}

function frozen({ freeze_count, frozen_s }: { readonly freeze_count: number; readonly frozen_s: number }): string {
  if (freeze_count === 0) return NONE;
  return t("statistics.times", { seconds: formatNumber(frozen_s, { maximumFractionDigits: 1 }), count: freeze_count });
}
