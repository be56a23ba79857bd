/** Choosing photos for a referral: each is looked at, with one instruction where a better one would help. */

import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { formatBytes, t } from "../lib/i18n";
import { Button } from "../lib/ui/button";
import { Icon } from "../lib/ui/icons";
import { lookAtPhoto, type PhotoVerdict } from "./photo_check";

export interface ChosenPhoto {
  readonly key: string;
  readonly file: File;
  readonly verdict: PhotoVerdict;
  readonly picture: ImageBitmap | null;
}

export async function choosePhotos(files: Iterable<File>): Promise<ChosenPhoto[]> {
  const chosen: ChosenPhoto[] = [];
  for (const file of files) chosen.push({ key: crypto.randomUUID(), file, ...(await lookAtPhoto(file)) });
  return chosen;
}

interface PhotosProps {
  readonly photos: readonly ChosenPhoto[];
  readonly onAdd: (files: File[]) => void;
  readonly onRemove: (key: string) => void;
}

export function Photos({ photos, onAdd, onRemove }: PhotosProps): JSX.Element {
  const id = useId();
  return (
    <fieldset class="photos">
      <legend class="field-label">{t("photos.title")}</legend>
      <p class="field-hint">{t("photos.hint")}</p>
      <ul class="photo-list">
        {photos.map((photo, i) => (
          <li key={photo.key} class="photo">
            <Preview picture={photo.picture} />
            <div class="stack-tight">
              <strong>{t("referral.photo", { number: i + 1 })}</strong>
              <span class="quiet">{formatBytes(photo.file.size)}</span>
              <span class={photo.verdict === "good" ? "mark" : "facts-warning"}>
                <Icon name={photo.verdict === "good" ? "check" : "alert"} />
                {t(`photo.${photo.verdict}`)}
              </span>
              <Button kind="quiet" icon="close" onClick={() => onRemove(photo.key)}>
                {t("photo.remove")}
                <span class="visually-hidden"> {i + 1}</span>
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <label class="button button-secondary file-button" for={id}>
        <Icon name="camera" />
        {t("photos.add")}
      </label>
      <input
        id={id}
        class="visually-hidden"
        type="file"
        accept="image/jpeg,image/png,image/webp,image/heic,image/heif"
        multiple
        onChange={(event) => {
          onAdd([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </fieldset>
  );
}

/** Drawn on a canvas: no address of the picture exists that could outlive the page. */
function Preview({ picture }: { picture: ImageBitmap | null }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const surface = canvas.current;
    if (!surface || !picture) return;
    const scale = Math.min(1, 240 / Math.max(picture.width, picture.height));
    surface.width = Math.round(picture.width * scale);
    surface.height = Math.round(picture.height * scale);
    surface.getContext("2d")?.drawImage(picture, 0, 0, surface.width, surface.height);
  }, [picture]);
  return <canvas ref={canvas} class="photo-preview" aria-hidden="true" width={120} height={90} />;
}
