/** Euler steps with fresh noise after each. */
import { weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import { ancestralStep, derivative, flowAncestralStep } from './steps.ts';

/** How much of a step is replaced by noise, and how strong that noise is. */
export interface Ancestral {
  readonly eta?: number;
  readonly sNoise?: number;
}

/** Ancestral Euler steps (k-diffusion); rectified flow keeps its mixture of picture and noise. */
export const eulerAncestral =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, sampling, step }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma, next] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, sigma);
      await step({ i, x, denoised });
      if (sampling.flow && next > 0) {
        const { down, keep, renoise } = flowAncestralStep(sigma, next, eta);
        const r = down / sigma;
        x =
          eta > 0
            ? weightedSum(
                [keep * r, x],
                [keep * (1 - r), denoised],
                [sNoise * renoise, noise(sigma, next)],
              )
            : weightedSum([r, x], [1 - r, denoised]);
        continue;
      }
      const { down, up } = ancestralStep(sigma, next, eta);
      x =
        down === 0
          ? denoised
          : weightedSum(
              [1, x],
              [down - sigma, derivative(x, sigma, denoised)],
              [sNoise * up, noise(sigma, next)],
            );
    }
    return x;
  };
