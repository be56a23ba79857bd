/** A live track on the page: video as a picture, audio as sound that an autoplay block cannot silence for good. */

import { signal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** True while the browser refuses to play sound until somebody presses something. */
export const soundBlocked = signal(false);
const silenced = new Set<HTMLAudioElement>();

/** Play what was refused; call it from a click. */
export async function unblockSound(): Promise<void> {
  const results = await Promise.allSettled([...silenced].map((element) => element.play()));
  soundBlocked.value = results.some((result) => result.status === "rejected");
  if (!soundBlocked.peek()) silenced.clear();
}

interface VideoViewProps {
  readonly track: MediaStreamTrack | null;
  readonly label: string;
  readonly mirrored?: boolean;
  readonly class?: string;
  readonly videoRef?: RefObject<HTMLVideoElement | null>;
}

/** Video without sound; what is heard comes from AudioView. */
export function VideoView({ track, label, mirrored, class: className, videoRef }: VideoViewProps): JSX.Element {
  const own = useRef<HTMLVideoElement>(null);
  const ref = videoRef ?? own;
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.muted = true; // as an attribute alone, autoplay policies do not count it
    element.srcObject = track ? new MediaStream([track]) : null;
    if (track) element.play().catch(() => undefined); // superseded by the next track, or removed
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={ref}
      class={`${className ?? "video"}${mirrored ? " video-mirrored" : ""}`}
      aria-label={label}
      autoplay
      playsInline
      muted
    />
  );
}

/** Sound of one participant; `speakerId` chooses the loudspeaker where the browser lets a page do so. */
export function AudioView({ track, speakerId }: { track: MediaStreamTrack | null; speakerId?: string | null }): JSX.Element {
  const ref = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element || !track) return;
    element.srcObject = new MediaStream([track]);
    element.play().catch((error: unknown) => {
      if (!(error instanceof DOMException && error.name === "NotAllowedError")) return;
      silenced.add(element);
      soundBlocked.value = true;
    });
    return () => {
      silenced.delete(element);
      element.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    const element = ref.current as (HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }) | null;
    if (speakerId != null) element?.setSinkId?.(speakerId).catch(() => undefined); // unplugged: the default stays
  }, [speakerId]);
  return <audio ref={ref} autoplay />;
}
