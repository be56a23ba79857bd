/** The live picture in neutral grey: drawn through the correction, with the raw | corrected wipe. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { LutCanvas, type LutCanvasState } from "../color/lut_canvas";
import { t } from "../lib/i18n";
import { VideoView } from "../lib/ui/track_view";
import type { ChartEvent, ChromaEmphasisView } from "../wire/messages";
import type { Desk } from "./desk_state";

export function Stage({ desk }: { desk: Desk }): JSX.Element {
  const call = desk.call.value;
  const publication = desk.onStage.value;
  const track = publication ? (call?.media.value?.tracks.value.get(publication.publication_id) ?? null) : null;
  const owner = call?.others.value.find((who) => who.participant_id === publication?.participant_id);
  const label = owner && publication ? t(`stage.${publication.source}`, { name: owner.name }) : "";
  return (
    <section class="stage" aria-label={t("stage.title")}>
      {!track && <StageWords desk={desk} />}
      {call && (
        <LivePicture
          desk={desk}
          publicationId={publication?.publication_id ?? null}
          track={track}
          emphasis={publication?.emphasis ?? null}
          label={label}
        />
      )}
    </section>
  );
}

interface LivePictureProps {
  readonly desk: Desk;
  readonly publicationId: string | null;
  readonly track: MediaStreamTrack | null;
  /** How the picture's chroma is stretched: then only the canvas shows it in its colors. */
  readonly emphasis: ChromaEmphasisView | null;
  readonly label: string;
}

/** It stands, unseen, before there is a track: a graphics context takes its time, and the first frame should not wait. */
function LivePicture({ desk, publicationId, track, emphasis, label }: LivePictureProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const drawer = useRef<LutCanvas | null>(null);
  const [state, setState] = useState<LutCanvasState>("waiting");
  const [ratio, setRatio] = useState(16 / 9);
  const call = desk.call.value;
  const lut = desk.lut.value;
  const split = desk.split.value;

  useEffect(() => {
    const [surface, element] = [canvas.current, video.current];
    if (!surface || !element) return;
    const measure = () => {
      if (element.videoWidth > 0) setRatio(element.videoWidth / element.videoHeight);
    };
    element.addEventListener("resize", measure);
    drawer.current = new LutCanvas(surface, element, setState);
    drawer.current.setLut(desk.lut.peek());
    drawer.current.setSplit(desk.split.peek());
    setState(drawer.current.state);
    return () => {
      element.removeEventListener("resize", measure);
      drawer.current?.close();
      drawer.current = null;
    };
  }, []);
  useEffect(() => drawer.current?.show(track, emphasis), [track, emphasis]);
  useEffect(() => {
    if (state === "unreadable" || (emphasis && state === "unsupported")) desk.call.peek()?.cannotUndoEmphasis();
  }, [state, emphasis]);
  // The server knows where the chart is; what is drawn from is measured here, whatever the decoder made of it.
  useEffect(
    () =>
      call?.live.on<ChartEvent>("chart", (chart) => {
        if (chart.publication_id !== publicationId) return;
        void drawer.current?.measure(chart.centers).then((patches) => {
          if (patches) void call.answerChart(chart, patches);
        });
      }),
    [call, publicationId],
  );
  useEffect(() => drawer.current?.setLut(lut), [lut]);
  useEffect(() => drawer.current?.setSplit(split), [split]);

  const drawn = state === "drawing";
  const corrected = drawn && lut !== null;
  return (
    <div class="live-picture" hidden={track === null}>
      <div class="stage-words-top" aria-hidden="true">
        <span>{!corrected || split > 0 ? t("stage.raw") : ""}</span>
        <span>{corrected && split < 1 ? t("stage.corrected") : ""}</span>
      </div>
      <div class="stage-room">
        {/* preact sets style through the CSSOM, which a policy without inline styles allows */}
        <div class="picture" style={{ "--ratio": String(ratio) }}>
          <VideoView track={track} label={label} videoRef={video} class={emphasis ? "picture-video video-unseen" : "picture-video"} />
          <canvas
            ref={canvas}
            class="picture-canvas"
            role="img"
            aria-label={corrected ? t("stage.canvas_corrected", { picture: label }) : t("stage.canvas_raw", { picture: label })}
            hidden={!drawn}
          />
          {corrected && <Wipe desk={desk} />}
        </div>
      </div>
      {state === "unsupported" && (
        <p class="stage-note" role="status">
          {t("stage.no_webgl")}
        </p>
      )}
      {state === "lost" && (
        <p class="stage-note" role="status">
          {t("stage.gpu_lost")}
        </p>
      )}
    </div>
  );
}

/** A slider across the picture: drag it, or use the arrow keys; its line is grey and thin. */
function Wipe({ desk }: { desk: Desk }): JSX.Element {
  const split = desk.split.value;
  const percent = Math.round(split * 100);

  const follow = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).parentElement?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    desk.split.value = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const steps: Record<string, number> = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05, PageUp: 0.25, PageDown: -0.25, Home: -1, End: 1 };

  return (
    <div
      class={`wipe${split === 0 || split === 1 ? " wipe-edge" : ""}`}
      style={{ left: `${split * 100}%` }}
      role="slider"
      tabIndex={0}
      aria-label={t("wipe.name")}
      aria-keyshortcuts="W"
      title={t("wipe.hover")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={t("wipe.value", { raw: percent, corrected: 100 - percent })}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
      }}
      onKeyDown={(event) => {
        const step = steps[event.key];
        if (step === undefined) return;
        event.preventDefault();
        desk.moveWipe(step);
      }}
    >
      <span class="wipe-grip" aria-hidden="true" />
    </div>
  );
}

/** Before there is a picture, the stage says what is the case and what comes next. */
function StageWords({ desk }: { desk: Desk }): JSX.Element {
  const call = desk.call.value;
  const view = call?.view.value;
  const patient = desk.patient.value;
  const words = (): string => {
    if (!call) return t("stage.choose");
    if (call.ended.value) return t("stage.ended");
    if (!view) return t("progress.working");
    if (!patient) return t("stage.nobody");
    if (patient.admission === "waiting") return t("stage.waits", { name: patient.name });
    if (patient.admission !== "admitted") return t(`stage.patient_${patient.admission}`, { name: patient.name });
    if (!patient.present) return t("stage.dropped", { name: patient.name });
    if (patient.media === "none") return t("stage.no_media", { name: patient.name });
    if (patient.media !== "connected") return t("stage.connecting", { name: patient.name });
    return t("stage.no_video", { name: patient.name });
  };
  return <p class="stage-empty">{words()}</p>;
}
