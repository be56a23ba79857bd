/** What the others say: one audio element for each microphone, and a button where the browser wants a press first. */

import type { JSX } from "preact";

import { t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { AudioView, soundBlocked, unblockSound } from "../lib/ui/track_view";
import type { StaffCall } from "./call";

export function RoomSound({ call }: { call: StaffCall }): JSX.Element {
  const tracks = call.media.value?.tracks.value;
  const microphones = call.view.value?.publications.filter((one) => one.kind === "audio") ?? [];
  return (
    <>
      {microphones.map(({ publication_id }) => {
        const track = tracks?.get(publication_id);
        return track && <AudioView key={publication_id} track={track} speakerId={call.own.speaker.value || null} />;
      })}
      {soundBlocked.value && (
        <div class="row">
          <Button kind="primary" icon="speaker" onClick={() => void unblockSound()}>
            {t("sound.allow")}
          </Button>
        </div>
      )}
    </>
  );
}
