/** Euler's method, and the noise that its family may add before a step. */
import { axpy } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler, SamplerTools } from './sampler.ts';
import { derivative } from './steps.ts';

/** Stochasticity of Karras et al. 2022: noise is added before steps inside [tMin, tMax]. */
export interface Churn {
  readonly churn?: number;
  readonly tMin?: number;
  readonly tMax?: number;
  readonly sNoise?: number;
}

/** Raises x from level sigma to the returned level `hat` with fresh noise. */
export function churned(
  { churn = 0, tMin = 0, tMax = Infinity, sNoise = 1 }: Churn,
  x: NDArray,
  sigma: number,
  { steps, globalNoise }: { steps: number; globalNoise: SamplerTools['globalNoise'] },
): { readonly x: NDArray; readonly hat: number } {
  const active = churn > 0 && tMin <= sigma && sigma <= tMax;
  if (!active) return { x, hat: sigma };
  const hat = sigma * (1 + Math.min(churn / steps, Math.SQRT2 - 1));
  const strength = sNoise * Math.sqrt(hat ** 2 - sigma ** 2);
  return { x: axpy(strength, globalNoise(x.shape), x), hat };
}

/** Euler steps: algorithm 2 of Karras et al. 2022 without its second-order correction. */
export const euler =
  (options: Churn = {}): Sampler =>
  async (denoise, x, sigmas, { globalNoise, step }) => {
    const steps = sigmas.length - 1;
    for (let i = 0; i < steps; i++) {
      const start = churned(options, x, sigmas[i], { steps, globalNoise });
      x = start.x;
      const { denoised } = await denoise(x, start.hat);
      await step({ i, x, denoised });
      x = axpy(sigmas[i + 1] - start.hat, derivative(x, start.hat, denoised), x);
    }
    return x;
  };
