/** Arithmetic that many samplers share. Sigmas are plain numbers, pictures are arrays. */
import { axpby } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { ModelSampling } from '../model-sampling.ts';

/** The derivative dx/dsigma that a denoised picture implies (Karras et al. 2022, equation 3). */
export const derivative = (x: NDArray, sigma: number, denoised: NDArray): NDArray =>
  axpby(1 / sigma, x, -1 / sigma, denoised);

/**
 * Splits a step into a way down and noise on top, `eta` 0 adding none (k-diffusion). Rounded to fp32
 * at every operation: where almost all of `to` becomes noise, the reference's `down` is exactly 0.
 */
export function ancestralStep(
  from: number,
  to: number,
  eta: number,
): { readonly down: number; readonly up: number } {
  if (eta === 0) return { down: to, up: 0 };
  const f = Math.fround;
  const from2 = f(from * from);
  const to2 = f(to * to);
  const wanted = f(eta * f(Math.sqrt(f(f(to2 * f(from2 - to2)) / from2))));
  const up = wanted < to ? wanted : to; // NaN (from = infinity) keeps `to`
  return { down: f(Math.sqrt(f(to2 - f(up * up)))), up };
}

/**
 * The ancestral step of rectified flow: to `down`, then x is scaled by `keep` and noise of strength
 * `renoise` is added, which puts it on level `to` again.
 */
export function flowAncestralStep(
  from: number,
  to: number,
  eta: number,
): { readonly down: number; readonly keep: number; readonly renoise: number } {
  const down = to * (1 + (to / from - 1) * eta);
  const keep = (1 - to) / (1 - down);
  return { down, keep, renoise: Math.sqrt(to ** 2 - (down * keep) ** 2) };
}

/** Noise levels as half log signal-to-noise ratios: lambda = ln(alpha / sigma). */
export interface HalfLogSnr {
  readonly lambda: (sigma: number) => number;
  readonly sigma: (lambda: number) => number;
  /** The picture's share at a level. */
  readonly alpha: (sigma: number) => number;
}

/** Half log SNR of a model: alpha is 1, or 1 - sigma for rectified flow. */
export const halfLogSnr = ({ flow }: ModelSampling): HalfLogSnr =>
  flow
    ? {
        lambda: (sigma) => Math.log((1 - sigma) / sigma),
        sigma: (lambda) => 1 / (1 + Math.exp(lambda)),
        alpha: (sigma) => 1 - sigma,
      }
    : {
        lambda: (sigma) => -Math.log(sigma),
        sigma: (lambda) => Math.exp(-lambda),
        alpha: () => 1,
      };

/** Sigmas whose first one is moved off a flow's 1, where the SNR is 0 and its logarithm infinite. */
export function finiteSnr(sigmas: Float32Array, sampling: ModelSampling): Float32Array {
  if (sigmas.length <= 1 || !sampling.flow || sigmas[0] < 1) return sigmas;
  const moved = sigmas.slice();
  moved[0] = sampling.percentToSigma(1e-4);
  return moved;
}
