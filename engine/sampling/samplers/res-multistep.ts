/** Second-order multistep samplers that extrapolate denoised pictures or slopes. */
import { axpy, sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import { ancestralStep, derivative, walk } from './steps.ts';

const finiteOrZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

/** RES multistep (Zhang et al. 2023, arXiv 2308.02157), optionally ancestral and with CFG++. */
export const resMultistep =
  ({
    eta = 0,
    sNoise = 1,
    cfgPp = false,
  }: { eta?: number; sNoise?: number; cfgPp?: boolean } = {}): Sampler =>
  async (denoise, x, sigmas, { noise, step }) => {
    let previous: { readonly denoised: NDArray; readonly down: number } | undefined;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const { denoised, uncond } = await denoise(x, s);
      const base = cfgPp ? uncond : denoised;
      const { down, up } = ancestralStep(s, t, eta);
      await step({ i, x, denoised });
      if (down === 0 || !previous) {
        const d = derivative(x, s, base);
        x = cfgPp ? axpy(down, d, denoised) : axpy(down - s, d, x);
      } else {
        const h = Math.log(s / down);
        const c2 = Math.log(previous.down / sigmas[i - 1]) / h;
        const phi1 = Math.expm1(-h) / -h;
        const phi2 = (phi1 - 1) / -h;
        const from = cfgPp ? weightedSum([1, x], [1, denoised], [-1, base]) : x;
        x = weightedSum(
          [Math.exp(-h), from],
          [h * finiteOrZero(phi1 - phi2 / c2), base],
          [h * finiteOrZero(phi2 / c2), previous.denoised],
        );
      }
      if (t > 0 && up > 0) x = axpy(sNoise * up, noise(s, t), x);
      previous = { denoised: base, down };
    }
    return x;
  };

/** Gradient estimation (Permenter and Yuan 2023): Euler steps plus `gamma` - 1 times the bend. */
export const gradientEstimation =
  ({ gamma = 2, cfgPp = false }: { gamma?: number; cfgPp?: boolean } = {}): Sampler =>
  (denoise, start, sigmas, { step }) => {
    let previous: NDArray | undefined;
    return walk({ denoise, x: start, sigmas, step }, ({ s, t, x, denoised, uncond }) => {
      const d = derivative(x, s, cfgPp ? uncond : denoised);
      const next = cfgPp ? axpy(t, d, denoised) : axpy(t - s, d, x);
      const bend = previous && sub(d, previous);
      previous = d;
      return bend ? axpy((gamma - 1) * (t - s), bend, next) : next;
    });
  };
