/** Euler steps with fresh noise after each. */
import { weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import { ancestralStep, derivative, flowAncestralStep, walk } from './steps.ts';

/** How much of a step is replaced by noise, and how strong that noise is. */
export interface Ancestral {
  readonly eta?: number;
  readonly sNoise?: number;
}

/** Ancestral Euler steps (k-diffusion); rectified flow keeps its mixture of picture and noise. */
export const eulerAncestral =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  (denoise, start, sigmas, { noise, sampling, step }) =>
    walk({ denoise, x: start, sigmas, step }, ({ s, t, x, denoised }) => {
      if (sampling.flow) {
        const { down, keep, renoise } = flowAncestralStep(s, t, eta);
        const r = down / s;
        if (eta === 0) return weightedSum([r, x], [1 - r, denoised]);
        const fresh = noise(s, t);
        return weightedSum([keep * r, x], [keep * (1 - r), denoised], [sNoise * renoise, fresh]);
      }
      const { down, up } = ancestralStep(s, t, eta);
      if (down === 0) return denoised;
      const d = derivative(x, s, denoised);
      return weightedSum([1, x], [down - s, d], [sNoise * up, noise(s, t)]);
    });
