/** Cutting and changing SIGMAS, as ComfyUI's sigma nodes do. Every function returns a new array. */
import { linspace } from '../../array/linspace.ts';
import { roundToInteger } from '../../array/round.ts';
import type { ModelSampling } from '../model-sampling.ts';

interface SplitResult {
  readonly high: Float32Array;
  readonly low: Float32Array;
}

/** Both parts hold the sigma at `step`. */
export const splitSigmas = (sigmas: Float32Array, step: number): SplitResult => ({
  high: sigmas.slice(0, step + 1),
  low: sigmas.slice(step),
});

/** The low part has `denoise` of the steps; with none of them the high part is empty, as in ComfyUI. */
export function splitSigmasDenoise(sigmas: Float32Array, denoise: number): SplitResult {
  const count = roundToInteger(Math.max(sigmas.length - 1, 0) * denoise);
  return {
    high: count === 0 ? new Float32Array(0) : sigmas.slice(0, -count),
    low: sigmas.slice(-(count + 1)),
  };
}

/** Reversed; a first 0 becomes 0.0001 so that it can be sampled from. */
export function flipSigmas(sigmas: Float32Array): Float32Array {
  const flipped = sigmas.slice().reverse();
  if (flipped[0] === 0) flipped[0] = 0.0001;
  return flipped;
}

/** The same with another first value. */
export function setFirstSigma(sigmas: Float32Array, sigma: number): Float32Array {
  const changed = sigmas.slice();
  if (changed.length > 0) changed[0] = sigma;
  return changed;
}

const spacings = {
  linear: (x: number) => x,
  cosine: (x: number) => Math.sin((x * Math.PI) / 2),
  sine: (x: number) => 1 - Math.cos((x * Math.PI) / 2),
};

export type Spacing = keyof typeof spacings;

/** Puts `steps` - 1 values into every gap that starts between `endAt` and `startAt` (below 0: no limit). */
export function extendSigmas(
  sigmas: Float32Array,
  options: { steps: number; startAt: number; endAt: number; spacing: Spacing },
): Float32Array {
  const { steps, startAt, endAt, spacing } = options;
  const from = startAt < 0 ? Infinity : startAt;
  const parts = linspace(0, 1, steps + 1)
    .slice(1, -1)
    .map(spacings[spacing]);
  const extended: number[] = [];
  sigmas.forEach((sigma, i) => {
    extended.push(sigma);
    if (i + 1 < sigmas.length && endAt <= sigma && sigma <= from) {
      for (const part of parts) extended.push(sigma + part * (sigmas[i + 1] - sigma));
    }
  });
  return Float32Array.from(extended);
}

/** The sigma at a percentage; `actual` gives the table's ends instead of "always" and "never". */
export function sigmaAtPercent(
  { percentToSigma, sigmaMax, sigmaMin }: ModelSampling,
  percent: number,
  options: { actual: boolean },
): number {
  if (options.actual && percent === 0) return sigmaMax;
  if (options.actual && percent === 1) return sigmaMin;
  return percentToSigma(percent);
}
