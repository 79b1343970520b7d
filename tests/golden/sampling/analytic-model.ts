/** The golden area's analytic models in place of a network (formulas in its README). */
import type { NDArray } from '../../../engine/array/nd.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import type { GuidanceHooks, GuidedModel } from '../../../engine/sampling/guidance/hooks.ts';
import { type LatentFormat, latentFormat } from '../../../engine/sampling/latent/formats.ts';
import type { ModelInput } from '../../../engine/sampling/model.ts';
import { samplingOf } from './settings.ts';

export interface ModelParams {
  readonly level: 'denoised' | 'unet';
  readonly type: string;
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  readonly latent_format?: string;
  readonly latent_scale_factor?: number;
}

/** What the network was called with. */
export interface ModelCall {
  readonly x: NDArray;
  readonly timesteps: Float32Array;
  /** 0 for positive, 1 for negative shares of the rows. */
  readonly lists: readonly number[];
}

/** A conditioning entry that carries μ per channel as a context of one token. */
export const muEntry = (mu: ArrayLike<number>): ConditioningEntry => ({
  cross: { data: Float32Array.from(mu), shape: [1, 1, mu.length] },
});

/** The model of a case; every network call is handed to `onCall`. */
export function analyticModel(
  { level, type, settings, latent_format, latent_scale_factor = 1 }: ModelParams,
  latentShape: readonly number[],
  options: { guidance?: GuidanceHooks; onCall?: (call: ModelCall) => void; skipped?: number } = {},
): GuidedModel {
  const sampling = samplingOf(type, settings);
  const denoises = level === 'denoised';
  return {
    // The "denoised" level gives D(x, sigma) itself; its output needs no reading.
    modelSampling: denoises
      ? { ...sampling, calculateInput: (_, x) => x, calculateDenoised: (_, output) => output }
      : sampling,
    latentFormat: formatOf(latent_format, latent_scale_factor, latentShape),
    encodeConditioning: ({ cross }) =>
      Promise.resolve({ cross: { value: cross, along: 'tokens' } }),
    // what is left out of it are blocks by their numbers
    with: ([{ identity }]) =>
      analyticModel({ level, type, settings, latent_format, latent_scale_factor }, latentShape, {
        ...options,
        skipped: identity.split(' ').length,
      }),
    apply(input) {
      const { x, timesteps, parts } = input;
      options.onCall?.({ x, timesteps, lists: parts.map(({ list }) => list) });
      return Promise.resolve(
        denoises ? denoised(input, sampling.flow, options.skipped) : network(input),
      );
    },
    bestBatch: () => 1e9,
    ...(options.guidance && { guidance: options.guidance }),
  };
}

function formatOf(
  name: string | undefined,
  scale: number,
  [, channels, ...dims]: readonly number[],
): LatentFormat {
  if (name && name !== 'UnitLatent') return latentFormat(name);
  return { name: 'test', channels, dimensions: dims.length as 1 | 2 | 3, space: 8, scale };
}

/** f(value, row, channel) for every element of x [rows, channels, ...]. */
function mapChannels(
  x: NDArray,
  f: (value: number, row: number, channel: number) => number,
): NDArray {
  const [rows, channels] = x.shape;
  const size = x.data.length / (rows * channels);
  const data = x.data.map((value, i) => {
    const plane = Math.floor(i / size);
    return f(value, Math.floor(plane / channels), plane % channels);
  });
  return { data, shape: x.shape };
}

/** μ of one row and channel, out of contexts [rows, tokens, width]. */
const muOf =
  ({ cond: { cross } }: ModelInput) =>
  (row: number, channel: number): number =>
    cross.data[row * cross.shape[1] * cross.shape[2] + channel];

/** Blocks that are left out make μ less. */
function denoised(input: ModelInput, flow: boolean, skipped = 0): NDArray {
  const { x, sigma } = input;
  const mu = muOf(input);
  const less = 1 + 0.1 * skipped;
  const variance = (flow ? (1 - sigma) ** 2 : 1) + sigma ** 2;
  const A = (flow ? 1 - sigma : 1) / variance;
  const B = sigma ** 2 / variance;
  return mapChannels(x, (value, row, channel) => {
    const m = mu(row, channel) / less;
    return A * value + B * (m + 0.25 * Math.tanh(value / Math.sqrt(variance) + 0.5 * m));
  });
}

function network(input: ModelInput): NDArray {
  const { x, timesteps } = input;
  const mu = muOf(input);
  return mapChannels(
    x,
    (value, row, channel) =>
      0.6 * value +
      0.4 * Math.tanh(value + mu(row, channel)) +
      0.05 * Math.sin(0.01 * timesteps[row]),
  );
}
