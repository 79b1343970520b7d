/** DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095). */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import { walk } from './steps.ts';

/** Second-order multistep in log sigma: one evaluation a step, the previous one extrapolated. */
export const dpmpp2m =
  (): Sampler =>
  (denoise, start, sigmas, { step }) => {
    let previous: NDArray | undefined;
    return walk({ denoise, x: start, sigmas, step }, ({ i, s, t, x, denoised }) => {
      const h = Math.log(s / t);
      const gain = -Math.expm1(-h);
      const before = previous;
      previous = denoised;
      if (!before) return weightedSum([t / s, x], [gain, denoised]);
      const k = h / (2 * Math.log(sigmas[i - 1] / s)); // 1 / 2r
      return weightedSum([t / s, x], [gain * (1 + k), denoised], [-gain * k, before]);
    });
  };
