/**
 * What a network sees in training and what it should answer, as sums of picture and noise whose weights
 * follow from the level: alpha bar of a DDPM schedule, or the time 0..1 of a flow. These are the noisy
 * pictures as trainers feed them; sampling has them by sigma (`engine/sampling/parameterisation.ts`).
 */
import type { NDArray } from '../../array/nd.ts';
import { combine } from '../../sampling/model-sampling.ts';
import type { Weights } from '../../sampling/parameterisation.ts';

export interface Prediction {
  /** The noisy picture: a·picture + b·noise. */
  readonly noisy: (level: number) => Weights;
  /** What the network should answer: a·picture + b·noise. */
  readonly target: (level: number) => Weights;
  /** The picture that an answer means: a·noisy + b·answer. */
  readonly denoised: (level: number) => Weights;
}

/** Shares of picture and noise in a mixture that keeps the variance. */
const shares = (alphaBar: number): Weights => [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];

export const predictions = {
  /** The noise (Ho et al. 2020). */
  eps: {
    noisy: shares,
    target: () => [0, 1],
    denoised: (alphaBar) => [1 / Math.sqrt(alphaBar), -Math.sqrt(1 / alphaBar - 1)],
  },
  /** The velocity (Salimans and Ho 2022). */
  v: {
    noisy: shares,
    target: (alphaBar) => [-Math.sqrt(1 - alphaBar), Math.sqrt(alphaBar)],
    denoised: (alphaBar) => [Math.sqrt(alphaBar), -Math.sqrt(1 - alphaBar)],
  },
  /** The straight way from picture to noise (Liu et al. 2022). */
  flow: {
    noisy: (t) => [1 - t, t],
    target: () => [-1, 1],
    denoised: (t) => [1, -t],
  },
} as const satisfies Readonly<Record<string, Prediction>>;

/** a·x + b·y with the weights of each sample's level; x and y [b, ...], one level a sample. */
export const mix = (
  weights: (level: number) => Weights,
  levels: readonly number[],
  x: NDArray,
  y: NDArray,
): NDArray => combine(levels, x, y, weights);
