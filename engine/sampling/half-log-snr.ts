/** Noise levels by their half log signal-to-noise ratio, in which many samplers step. */
import type { ModelSampling } from './model-sampling.ts';

const f = Math.fround;

/** A noise level with its half log signal-to-noise ratio lambda = ln(alpha / sigma). */
export interface Level {
  readonly sigma: number;
  readonly lambda: number;
  /** The picture's share. */
  readonly alpha: number;
}

/** Levels of a model, by sigma or by lambda. */
export interface HalfLogSnr {
  readonly at: (sigma: number) => Level;
  readonly atLambda: (lambda: number) => Level;
}

/**
 * Half log SNR of a model: alpha is 1, or 1 - sigma for rectified flow. Rounded to fp32 at every
 * operation, in the reference's order: close to a flow's start alpha is a small difference, and the last
 * digit of lambda decides whether an ancestral step keeps anything of x.
 */
export function halfLogSnr({ flow }: ModelSampling): HalfLogSnr {
  const level = (sigma: number, lambda: number): Level => ({
    sigma,
    lambda,
    alpha: f(sigma * f(Math.exp(lambda))),
  });
  return {
    at: (sigma) => level(sigma, -f(Math.log(flow ? f(sigma / f(1 - sigma)) : sigma))),
    atLambda(lambda) {
      const exp = f(Math.exp(flow ? lambda : -lambda));
      return level(flow ? f(1 / f(1 + exp)) : exp, lambda);
    },
  };
}
