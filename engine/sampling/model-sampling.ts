/**
 * How a network's output is read (its parameterisation) and which noise levels it knows (its sigma
 * schedule), joined in one object that everything else works with.
 */
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { type Parameterisation, parameterisations, type Weights } from './parameterisation.ts';
import { type SigmaSchedule, sigmaSchedules } from './sigma-schedule.ts';

/** One noise level for all rows, or one for each row of the batch. */
export type RowSigmas = number | ArrayLike<number>;

export interface ModelSampling extends SigmaSchedule {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** Rectified flow: x = (1 - sigma)·picture + sigma·noise, so alpha = 1 - sigma instead of 1. */
  readonly flow: boolean;
  /** What the network is fed for a noisy x; `sigma` is one level, or one per row. */
  calculateInput(sigma: RowSigmas, x: NDArray): NDArray;
  /** The denoised picture from the network's output and the unscaled x. */
  calculateDenoised(sigma: RowSigmas, output: NDArray, x: NDArray): NDArray;
  /** The noisy start; `maxDenoise` when sampling starts at the top of the schedule. */
  noiseScaling(sigma: number, noise: NDArray, latent: NDArray, maxDenoise?: boolean): NDArray;
  /** Undoes what `noiseScaling` did to the picture's size, at the end of sampling. */
  inverseNoiseScaling(sigma: number, latent: NDArray): NDArray;
}

/**
 * A family's settings as plain data. `schedule.type` names the sigma schedule (default: the usual one
 * of the prediction); its other entries are that schedule's parameters, in camel case: linearStart,
 * linearEnd, betaSchedule, timesteps, zsnr · sigmaMin, sigmaMax, sigmaData · shift, multiplier.
 */
export interface SamplingSettings {
  readonly prediction:
    'eps' | 'v' | 'edm' | 'v-edm' | 'flow' | 'x0' | 'img-to-img' | 'cosmos-rflow' | 'lcm';
  readonly schedule: Readonly<Record<string, number | string | boolean>>;
  /** Flows only: what the noise that sampling starts from is multiplied with; default 1. */
  readonly noiseScale?: number;
}

/** Which formula and which schedule (unless told) each prediction stands for. */
const predictions: Readonly<
  Record<SamplingSettings['prediction'], { formula: Parameterisation['name']; schedule: string }>
> = {
  eps: { formula: 'eps', schedule: 'discrete' },
  v: { formula: 'v', schedule: 'discrete' },
  edm: { formula: 'edm', schedule: 'edm' },
  'v-edm': { formula: 'v', schedule: 'edm' },
  flow: { formula: 'flow', schedule: 'flow' },
  x0: { formula: 'x0', schedule: 'discrete' },
  'img-to-img': { formula: 'img-to-img', schedule: 'discrete' },
  'cosmos-rflow': { formula: 'cosmos-rflow', schedule: 'cosmos' },
  lcm: { formula: 'lcm', schedule: 'lcm' },
};

/** Builds the sampling object of a family's settings; throws BAD_INPUT for unknown names. */
export function createModelSampling(settings: SamplingSettings): ModelSampling {
  const { prediction, schedule, noiseScale } = settings;
  const { formula, schedule: usual } = predictions[prediction];
  const type = schedule['type'] ?? usual;
  const create = Object.hasOwn(sigmaSchedules, String(type))
    ? sigmaSchedules[String(type)]
    : undefined;
  if (!create) {
    const expected = `one of ${Object.keys(sigmaSchedules).join(', ')}`;
    throw new NoodleError('BAD_INPUT', { subject: 'sigma schedule', expected, got: type });
  }
  return joinSampling(parameterisations[formula], create(schedule), noiseScale);
}

/** A parameterisation on a schedule; ModelSampling nodes exchange either part. */
export function joinSampling(
  formula: Parameterisation,
  schedule: SigmaSchedule,
  noiseScale = 1,
): ModelSampling {
  const { sigmas } = schedule;
  return {
    ...schedule,
    sigmaMin: sigmas[0],
    sigmaMax: sigmas[sigmas.length - 1],
    flow: formula.name === 'flow',
    calculateInput: (sigma, x) => combine(sigma, x, x, (s) => [formula.input(s, schedule), 0]),
    calculateDenoised: (sigma, output, x) =>
      combine(sigma, x, output, (s) => formula.denoised(s, schedule)),
    noiseScaling: (sigma, noise, latent, maxDenoise) =>
      combine(sigma, latent, noise, (s) => {
        const [a, b] = formula.noisy(s, maxDenoise);
        return [a, b * noiseScale];
      }),
    inverseNoiseScaling: (sigma, latent) =>
      combine(sigma, latent, latent, (s) => [1 / formula.noisy(s)[0], 0]),
  };
}

/** a·x + b·y with the weights of each row's noise level. */
export function combine(
  sigma: RowSigmas,
  x: NDArray,
  y: NDArray,
  weights: (sigma: number) => Weights,
): NDArray {
  const sigmas = typeof sigma === 'number' ? [sigma] : sigma;
  const data = new Float32Array(x.data.length);
  const size = data.length / sigmas.length;
  for (let row = 0; row < sigmas.length; row++) {
    const [a, b] = weights(sigmas[row]);
    for (let i = row * size; i < (row + 1) * size; i++) data[i] = a * x.data[i] + b * y.data[i];
  }
  return { data, shape: x.shape };
}
