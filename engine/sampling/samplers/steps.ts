/** Arithmetic that many samplers share. Sigmas are plain numbers, pictures are arrays. */
import { axpby } from '../../array/elementwise.ts';
import type { ModelSampling } from '../model-sampling.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Denoise, Prediction, SamplerTools } from './sampler.ts';

const f = Math.fround;

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

/** One step of `walk`: from level s down to t, and what was predicted at s. */
export interface StepFrom extends Prediction {
  readonly i: number;
  readonly s: number;
  readonly t: number;
  readonly x: NDArray;
}

/**
 * The loop of samplers that evaluate once at the start of every step. `advance` gives x at level t;
 * the step to 0 takes the denoised picture.
 */
export async function walk(
  run: { denoise: Denoise; x: NDArray; sigmas: ArrayLike<number>; step: SamplerTools['step'] },
  advance: (at: StepFrom) => NDArray | Promise<NDArray>,
): Promise<NDArray> {
  const { denoise, sigmas, step } = run;
  let { x } = run;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [s, t] = [sigmas[i], sigmas[i + 1]];
    const prediction = await denoise(x, s);
    await step({ i, x, denoised: prediction.denoised });
    x = t === 0 ? prediction.denoised : await advance({ i, s, t, x, ...prediction });
  }
  return x;
}

/** Sigmas whose first one is moved off a flow's 1, where the SNR is 0 and its logarithm infinite. */
export function finiteSnr(
  sigmas: Readonly<Float32Array>,
  sampling: ModelSampling,
): Readonly<Float32Array> {
  if (sigmas.length <= 1 || !sampling.flow || sigmas[0] < 1) return sigmas;
  const moved = sigmas.slice();
  moved[0] = sampling.percentToSigma(1e-4);
  return moved;
}
