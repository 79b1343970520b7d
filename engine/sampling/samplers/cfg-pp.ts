/**
 * CFG++ samplers (Chung et al. 2024, arXiv 2406.08070): the picture is taken from the guided
 * prediction, the direction of the noise from the unconditional one.
 */
import { sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Sampler } from './sampler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { ancestralStep, derivative, halfLogSnr } from './steps.ts';

/** Euler steps; with `eta` part of each step is replaced by fresh noise. */
export const eulerCfgPp =
  ({ eta = 0, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, sampling, step, uncond }) => {
    const { alpha } = halfLogSnr(sampling);
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      await step({ i, x, denoised });
      if (t === 0) {
        x = denoised;
        continue;
      }
      const { down, up } = ancestralStep(s / alpha(s), t / alpha(t), eta);
      const terms: [number, NDArray][] = [
        [alpha(t), denoised],
        [(alpha(t) * down) / s, x],
        [(-alpha(t) * down * alpha(s)) / s, uncond()],
      ];
      if (eta > 0 && sNoise > 0) terms.push([alpha(t) * sNoise * up, noise(s, t)]);
      x = weightedSum(...terms);
    }
    return x;
  };

/** Euler steps that put the guided picture aside before they look for a direction (PR variant). */
export const eulerPp: Sampler = async (denoise, x, sigmas, { step, uncond }) => {
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [s, t] = [sigmas[i], sigmas[i + 1]];
    const denoised = await denoise(x, s);
    await step({ i, x, denoised });
    const k = (t - s) / s;
    x = weightedSum([1 + k, x], [-2 * k, denoised], [k, uncond()]);
  }
  return x;
};

/** DPM-Solver++(2M) with the unconditional prediction as the one that is extrapolated. */
export const dpmpp2mCfgPp: Sampler = async (denoise, x, sigmas, { step, uncond }) => {
  let previous: NDArray | undefined;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [s, t] = [sigmas[i], sigmas[i + 1]];
    const denoised = await denoise(x, s);
    await step({ i, x, denoised });
    const current = uncond();
    const shrink = t / s; // e^-h
    const terms: [number, NDArray][] = [
      [1, denoised],
      [-shrink, current],
      [shrink, x],
    ];
    if (previous && t > 0) {
      const h = Math.log(s / t);
      const r = Math.log(sigmas[i - 1] / s) / h;
      terms.push([-Math.expm1(-h) / (2 * r), sub(denoised, previous)]);
    }
    x = weightedSum(...terms);
    previous = current;
  }
  return x;
};

/** DPM-Solver++(2S) ancestral; both stages start from x moved by the guidance. */
export const dpmpp2sAncestralCfgPp =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, step, uncond }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const denoised = await denoise(x, s);
      const { down, up } = ancestralStep(s, t, eta);
      await step({ i, x, denoised });
      if (down === 0) {
        x = weightedSum([1, denoised], [down, derivative(x, s, uncond())]);
      } else {
        const h = Math.log(s / down);
        const middle = Math.sqrt(s * down);
        /** e^-h·(x + D - u) - expm1(-h)·target, with the u of the latest evaluation. */
        const advance = (length: number, from: NDArray, target: NDArray): NDArray => {
          const shrink = Math.exp(-length);
          return weightedSum(
            [shrink, from],
            [shrink, denoised],
            [-shrink, uncond()],
            [-Math.expm1(-length), target],
          );
        };
        const denoised2 = await denoise(advance(h / 2, x, denoised), middle);
        x = advance(h, x, denoised2);
      }
      if (t > 0) x = weightedSum([1, x], [sNoise * up, noise(s, t)]);
    }
    return x;
  };
