/**
 * CFG++ samplers (Chung et al. 2024, arXiv 2406.08070): the picture is taken from the guided
 * prediction, the direction of the noise from the unconditional one.
 */
import { sub, weightedSum } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import type { Ancestral } from './euler-ancestral.ts';
import type { Sampler } from './sampler.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import { ancestralStep, walk } from './steps.ts';

/** Euler steps; with `eta` part of each step is replaced by fresh noise. */
export const eulerCfgPp =
  ({ eta = 0, sNoise = 1 }: Ancestral = {}): Sampler =>
  (denoise, start, sigmas, { noise, sampling, step }) => {
    const snr = halfLogSnr(sampling);
    return walk({ denoise, x: start, sigmas, step }, ({ s, t, x, denoised, uncond }) => {
      const [from, to] = [snr.at(s), snr.at(t)];
      const { down, up } = ancestralStep(s / from.alpha, t / to.alpha, eta);
      const k = (to.alpha * down) / s;
      const terms: [number, NDArray][] = [
        [to.alpha, denoised],
        [k, x],
        [-k * from.alpha, uncond],
      ];
      if (eta > 0 && sNoise > 0) terms.push([to.alpha * sNoise * up, noise(s, t)]);
      return weightedSum(...terms);
    });
  };

/** Euler steps that put the guided picture aside before they look for a direction (PR variant). */
export const eulerPp =
  (): Sampler =>
  async (denoise, x, sigmas, { step }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const { denoised, uncond } = await denoise(x, s);
      await step({ i, x, denoised });
      const k = (t - s) / s;
      x = weightedSum([1 + k, x], [-2 * k, denoised], [k, uncond]);
    }
    return x;
  };

/** DPM-Solver++(2M) with the unconditional prediction as the one that is extrapolated. */
export const dpmpp2mCfgPp =
  (): Sampler =>
  (denoise, start, sigmas, { step }) => {
    let previous: NDArray | undefined;
    return walk({ denoise, x: start, sigmas, step }, ({ i, s, t, x, denoised, uncond }) => {
      const shrink = t / s; // e^-h
      const terms: [number, NDArray][] = [
        [1, denoised],
        [-shrink, uncond],
        [shrink, x],
      ];
      if (previous) {
        const h = Math.log(s / t);
        const r = Math.log(sigmas[i - 1] / s) / h;
        terms.push([-Math.expm1(-h) / (2 * r), sub(denoised, previous)]);
      }
      previous = uncond;
      return weightedSum(...terms);
    });
  };

/** DPM-Solver++(2S) ancestral; both stages start from x moved by the guidance. */
export const dpmpp2sAncestralCfgPp =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, step }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const first = await denoise(x, s);
      const { denoised } = first;
      const { down, up } = ancestralStep(s, t, eta);
      await step({ i, x, denoised });
      if (down === 0) {
        x = denoised;
      } else {
        const h = Math.log(s / down);
        const from = x;
        /** e^-h·(x + D - u) - expm1(-h)·target. */
        const advance = (length: number, uncond: NDArray, target: NDArray): NDArray => {
          const shrink = Math.exp(-length);
          return weightedSum(
            [shrink, from],
            [shrink, denoised],
            [-shrink, uncond],
            [-Math.expm1(-length), target],
          );
        };
        const middle = Math.sqrt(s * down);
        const second = await denoise(advance(h / 2, first.uncond, denoised), middle);
        x = advance(h, second.uncond, second.denoised);
      }
      if (t > 0) x = weightedSum([1, x], [sNoise * up, noise(s, t)]);
    }
    return x;
  };
