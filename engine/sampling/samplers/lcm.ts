/** Samplers that throw the noise away and add new noise at the next level. */
import { axpby, scale, weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import { derivative, walk } from './steps.ts';

/** Multistep sampling of (latent) consistency models (Song et al. 2023, Luo et al. 2023). */
export const lcm =
  (): Sampler =>
  (denoise, x, sigmas, { noise, sampling, step }) =>
    walk({ denoise, x, sigmas, step }, ({ s, t, denoised }) =>
      sampling.noiseScaling(t, noise(s, t), denoised),
    );

/** DDPM's posterior steps (Ho et al. 2020) between arbitrary levels, in variance-preserving form. */
export const ddpm =
  (): Sampler =>
  async (denoise, x, sigmas, { noise, step }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const { denoised } = await denoise(x, s);
      await step({ i, x, denoised });
      const cumulative = 1 / (s * s + 1);
      const cumulativeNext = 1 / (t * t + 1);
      const a = cumulative / cumulativeNext;
      const eps = derivative(x, s, denoised);
      const toNoise = -(1 - a) / Math.sqrt((1 - cumulative) * a);
      const mean = axpby(Math.sqrt(cumulative / a), x, toNoise, eps);
      if (t === 0) {
        x = mean;
        continue;
      }
      const deviation = Math.sqrt(((1 - a) * (1 - cumulativeNext)) / (1 - cumulative));
      x = scale(weightedSum([1, mean], [deviation, noise(s, t)]), Math.sqrt(1 + t * t));
    }
    return x;
  };
