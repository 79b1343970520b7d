/** Samplers that throw the noise away and add new noise at the next level. */
import { axpby, map, scale, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { deviation } from '../guidance/groups.ts';
import type { Sampler } from './sampler.ts';
import { derivative, walk } from './steps.ts';

export interface LcmOptions {
  /** What the noise is multiplied by at the first step, and at the last. */
  readonly sNoise?: number;
  readonly sNoiseEnd?: number;
  /** Noise beyond this many deviations is cut; 0: none is. */
  readonly clip?: number;
}

/** Multistep sampling of (latent) consistency models (Song et al. 2023, Luo et al. 2023). */
export const lcm =
  ({ sNoise = 1, sNoiseEnd = sNoise, clip = 0 }: LcmOptions = {}): Sampler =>
  (denoise, x, sigmas, { noise, sampling, step }) => {
    const steps = sigmas.length - 1;
    return walk({ denoise, x, sigmas, step }, ({ i, s, t, denoised }) => {
      const part = steps > 1 ? i / (steps - 1) : 0;
      const strength = sNoise + (sNoiseEnd - sNoise) * part;
      return sampling.noiseScaling(t, scale(clipped(noise(s, t), clip), strength), denoised);
    });
  };

/** Noise within a number of its own standard deviations. */
function clipped(noise: NDArray, deviations: number): NDArray {
  if (deviations <= 0) return noise;
  const [own] = deviation(noise, { count: 1, size: noise.data.length });
  const most = deviations * own;
  return map(noise, (value) => Math.min(most, Math.max(-most, value)));
}

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
