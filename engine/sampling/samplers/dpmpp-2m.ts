/** DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095). */
import { weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';

/** Second-order multistep in log sigma: one evaluation a step, the previous one extrapolated. */
export const dpmpp2m: Sampler = async (denoise, x, sigmas, { step }) => {
  let previous: NDArray | undefined;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma, next] = [sigmas[i], sigmas[i + 1]];
    const denoised = await denoise(x, sigma);
    await step({ i, x, denoised });
    const h = Math.log(sigma / next);
    const gain = -Math.expm1(-h);
    if (previous && next > 0) {
      const r = Math.log(sigmas[i - 1] / sigma) / h;
      const k = 1 / (2 * r);
      x = weightedSum([next / sigma, x], [gain * (1 + k), denoised], [-gain * k, previous]);
    } else {
      x = weightedSum([next / sigma, x], [gain, denoised]);
    }
    previous = denoised;
  }
  return x;
};
