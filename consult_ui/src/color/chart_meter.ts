/** Measures a chart once in the next frame that is drawn: between the question for it and the GPU's answer. */

import type { PatchReading } from "../wire/messages";
import { PatchReader } from "./patch_reader";
import { type PatchPlaces, placesIn, readPatches } from "./patches";

type Centers = readonly (readonly [number, number])[];
type Patches = readonly PatchReading[] | null;

export class ChartMeter {
  private reader: PatchReader | null = null;
  private asked: { readonly centers: Centers; readonly done: (patches: Patches) => void } | null = null;
  /** Where the samples lie that are on their way from the GPU. */
  private under: { readonly places: PatchPlaces; readonly width: number; readonly height: number } | null = null;

  /** null when it cannot be told, or another chart is asked for meanwhile. centers: in shares of the picture. */
  ask(centers: Centers): Promise<Patches> {
    this.stop();
    return new Promise((done) => {
      this.asked = { centers, done };
    });
  }

  /** A frame of this size is in its texture. */
  drawn(gl: WebGL2RenderingContext, picture: WebGLTexture, width: number, height: number): void {
    if (!this.asked || this.under) return;
    this.reader ??= PatchReader.of(gl, picture);
    if (!this.reader) return this.stop();
    const places = placesIn(this.asked.centers, width, height);
    this.reader.begin(places);
    this.under = { places, width, height };
  }

  /** See whether the GPU has the samples. */
  poll(): void {
    const { asked, under } = this;
    const samples = under && this.reader?.take();
    if (!asked || !under || !samples) return;
    this.asked = this.under = null;
    asked.done(readPatches(samples, under.places, under.width, under.height));
  }

  /** What is asked for cannot be told any more. */
  stop(): void {
    this.asked?.done(null);
    this.asked = this.under = null;
  }

  /** The graphics context is gone, and the reader with it. */
  lost(): void {
    this.stop();
    this.reader = null;
  }

  close(): void {
    this.stop();
    this.reader?.close();
    this.reader = null;
  }
}
