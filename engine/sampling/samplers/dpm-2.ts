/** Midpoint steps in log sigma, after DPM-Solver-2 and Karras et al. 2022 (k-diffusion). */
import { axpy, weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import { type Churn, churned } from './euler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { ancestralStep, derivative, flowAncestralStep } from './steps.ts';

/** DPM-Solver-2-like steps; a step to 0 is an Euler step. */
export const dpm2 =
  (options: Churn = {}): Sampler =>
  async (denoise, x, sigmas, { globalNoise, step }) => {
    const steps = sigmas.length - 1;
    for (let i = 0; i < steps; i++) {
      const next = sigmas[i + 1];
      const { x: y, hat } = churned(options, x, sigmas[i], { steps, globalNoise });
      const { denoised } = await denoise(y, hat);
      let d = derivative(y, hat, denoised);
      await step({ i, x: y, denoised });
      if (next > 0) {
        const middle = Math.sqrt(hat * next);
        const x2 = axpy(middle - hat, d, y);
        d = derivative(x2, middle, (await denoise(x2, middle)).denoised);
      }
      x = axpy(next - hat, d, y);
    }
    return x;
  };

/** The same with fresh noise after each step. */
export const dpm2Ancestral =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, sampling, step }) => {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma, next] = [sigmas[i], sigmas[i + 1]];
      const { denoised } = await denoise(x, sigma);
      await step({ i, x, denoised });
      const d = derivative(x, sigma, denoised);
      const flow = sampling.flow ? flowAncestralStep(sigma, next, eta) : undefined;
      const { down, up } = flow
        ? { down: flow.down, up: flow.renoise }
        : ancestralStep(sigma, next, eta);
      if (down === 0) {
        x = axpy(-sigma, d, x);
        continue;
      }
      const middle = Math.sqrt(sigma * down);
      const x2 = axpy(middle - sigma, d, x);
      const d2 = derivative(x2, middle, (await denoise(x2, middle)).denoised);
      const keep = flow?.keep ?? 1;
      x = weightedSum([keep, x], [keep * (down - sigma), d2], [sNoise * up, noise(sigma, next)]);
    }
    return x;
  };
