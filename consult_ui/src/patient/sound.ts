/** Sound of the device check: how loud the microphone hears, and a tone for the loudspeaker. */

let context: AudioContext | null = null;

function audioContext(): AudioContext {
  context ??= new AudioContext();
  void context.resume();
  return context;
}

/** Call listener about 12 times a second with the level, 0 to 1; returns the function that ends it. */
export function watchLevel(track: MediaStreamTrack, listener: (level: number) => void): () => void {
  const audio = audioContext();
  const source = audio.createMediaStreamSource(new MediaStream([track]));
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    listener(levelOf(samples));
  }, 80);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}

/** Root mean square on a scale that speech fills: -60 dB is 0, -10 dB and above is 1. */
export function levelOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] ?? 0) ** 2;
  const decibel = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibel + 60) / 50));
}

/** Two soft notes, 0.9 s. */
export async function playTone(speakerId: string | null): Promise<void> {
  const audio = audioContext() as AudioContext & { setSinkId?: (id: string) => Promise<void> };
  if (speakerId !== null) await audio.setSinkId?.(speakerId).catch(() => undefined);
  const gain = audio.createGain();
  gain.connect(audio.destination);
  gain.gain.setValueAtTime(0, audio.currentTime);
  gain.gain.linearRampToValueAtTime(0.3, audio.currentTime + 0.05);
  gain.gain.setValueAtTime(0.3, audio.currentTime + 0.75);
  gain.gain.linearRampToValueAtTime(0, audio.currentTime + 0.9);
  const oscillator = audio.createOscillator();
  oscillator.frequency.setValueAtTime(523.25, audio.currentTime);
  oscillator.frequency.setValueAtTime(659.25, audio.currentTime + 0.45);
  oscillator.connect(gain);
  oscillator.start();
  oscillator.stop(audio.currentTime + 0.9);
  await new Promise((resolve) => {
    oscillator.onended = resolve;
  });
}
