/** Holds a camera's white balance, exposure, focus and torch where they are while a still is taken. */

type Mode = "whiteBalanceMode" | "exposureMode" | "focusMode";
type Level = "colorTemperature" | "exposureTime" | "iso" | "focusDistance";

interface Range {
  readonly min: number;
  readonly max: number;
}

/** What a track can and does, of the image capture's part: the browser's own types do not know all of it. */
export type CameraCapabilities = { readonly [mode in Mode]?: readonly string[] } & {
  readonly [level in Level]?: Range;
} & { readonly torch?: boolean };
export type CameraSettings = { readonly [mode in Mode]?: string } & { readonly [level in Level]?: number } & {
  readonly torch?: boolean;
};
export type CameraHold = { [mode in Mode]?: string } & { [level in Level]?: number } & { torch?: boolean };

/** With each mode the levels that it holds. "single-shot" settles once, which focus should. */
const HELD: readonly { mode: Mode; by: readonly string[]; levels: readonly Level[] }[] = [
  { mode: "whiteBalanceMode", by: ["manual", "single-shot"], levels: ["colorTemperature"] },
  { mode: "exposureMode", by: ["manual", "single-shot"], levels: ["exposureTime", "iso"] },
  { mode: "focusMode", by: ["single-shot", "manual"], levels: ["focusDistance"] },
];

/** One step of the plan: what to ask for, and what gives the camera its freedom back. */
export interface HoldStep {
  readonly hold: CameraHold;
  readonly release: CameraHold;
}

/** What to ask of a camera, each by itself; only what it says it can, at the levels that it has now. */
export function holdPlan(can: CameraCapabilities, now: CameraSettings): readonly HoldStep[] {
  const steps: HoldStep[] = [];
  for (const { mode, by, levels } of HELD) {
    const offered = can[mode] ?? [];
    const way = by.find((one) => offered.includes(one));
    const before = now[mode] ?? (offered.includes("continuous") ? "continuous" : undefined);
    if (way === undefined || before === undefined || before === way) continue;
    const hold: CameraHold = { [mode]: way };
    if (way === "manual")
      for (const level of levels) {
        const [range, value] = [can[level], now[level]];
        // Some phones say 0 for "not known": that is no level to hold.
        if (range && value !== undefined && value >= range.min && value <= range.max && value !== 0) hold[level] = value;
      }
    steps.push({ hold, release: { [mode]: before } });
  }
  if (can.torch) steps.push({ hold: { torch: now.torch ?? false }, release: { torch: now.torch ?? false } });
  return steps;
}

export interface CameraLock {
  /** Names of the modes that are held. */
  readonly held: readonly string[];
  /** Give the camera its freedom back; never rejects. */
  readonly release: () => Promise<void>;
}

/** The parts of a track that are used here. */
export interface LockableTrack {
  getCapabilities?(): object;
  getSettings(): object;
  getConstraints(): MediaTrackConstraints;
  applyConstraints(constraints: MediaTrackConstraints): Promise<void>;
}

/** Autofocus and its kin take this long to settle. */
const SETTLE_MS = 600;

/** Hold what can be held; what a camera refuses is left as it is. Never rejects. */
export async function lockCamera(track: LockableTrack, wait: (ms: number) => Promise<void> = pause): Promise<CameraLock> {
  const plan = track.getCapabilities ? holdPlan(track.getCapabilities(), track.getSettings()) : [];
  const { advanced: _, ...size } = track.getConstraints();
  // New constraints take the place of the old ones: size and rate, and what is held already, come along.
  const ask = async (wanted: CameraHold): Promise<boolean> => {
    try {
      await track.applyConstraints({ ...size, advanced: [wanted as MediaTrackConstraintSet] });
      return true;
    } catch {
      return false;
    }
  };
  const whole = together(plan.map(({ hold }) => hold));
  let done: readonly HoldStep[] = [];
  if (plan.length > 0 && (await ask(whole))) done = plan;
  else
    for (const step of plan) if (await ask(together([...done.map(({ hold }) => hold), step.hold]))) done = [...done, step];
  const settles = done.some(({ hold }) => Object.values(hold).includes("single-shot"));
  if (settles) await wait(SETTLE_MS);
  return {
    held: done.flatMap(({ hold }) => Object.keys(hold).filter((name) => name.endsWith("Mode"))),
    release: async () => {
      if (done.length > 0) await ask(together(done.map(({ release }) => release)));
    },
  };
}

function together(parts: readonly CameraHold[]): CameraHold {
  return Object.assign({}, ...parts) as CameraHold;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
