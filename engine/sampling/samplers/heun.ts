/** Second- and third-order single-step methods with averaged slopes. */
import { axpy, weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import { type Churn, churned } from './euler.ts';
import { derivative } from './steps.ts';

/** Heun steps: algorithm 2 of Karras et al. 2022; a step to 0 is an Euler step. */
export const heun =
  (options: Churn = {}): Sampler =>
  async (denoise, x, sigmas, { globalNoise, step }) => {
    const steps = sigmas.length - 1;
    for (let i = 0; i < steps; i++) {
      const next = sigmas[i + 1];
      const { x: y, hat } = churned(options, x, sigmas[i], { steps, globalNoise });
      const { denoised } = await denoise(y, hat);
      const d = derivative(y, hat, denoised);
      await step({ i, x: y, denoised });
      const dt = next - hat;
      x = axpy(dt, d, y);
      if (next > 0) {
        const d2 = derivative(x, next, (await denoise(x, next)).denoised);
        x = weightedSum([1, y], [dt / 2, d], [dt / 2, d2]);
      }
    }
    return x;
  };

/**
 * Heun++ (sd-webui-samplers-scheduler): up to three slopes, weighted by their share of the noise.
 * The last two steps have fewer, counted from the end of the schedule whether that is 0 or not.
 */
export const heunpp2 =
  (): Sampler =>
  async (denoise, x, sigmas, { step }) => {
    const end = sigmas[sigmas.length - 1];
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma, next] = [sigmas[i], sigmas[i + 1]];
      const { denoised } = await denoise(x, sigma);
      const d = derivative(x, sigma, denoised);
      await step({ i, x, denoised });
      const dt = next - sigma;
      const x2 = axpy(dt, d, x);
      if (next === end) {
        x = x2;
        continue;
      }
      const d2 = derivative(x2, next, (await denoise(x2, next)).denoised);
      const after = sigmas[i + 2];
      if (after === end) {
        const w2 = next / (2 * sigmas[0]);
        x = weightedSum([1, x], [dt * (1 - w2), d], [dt * w2, d2]);
        continue;
      }
      const x3 = axpy(after - next, d2, x2);
      const d3 = derivative(x3, after, (await denoise(x3, after)).denoised);
      const w2 = next / (3 * sigmas[0]);
      const w3 = after / (3 * sigmas[0]);
      x = weightedSum([1, x], [dt * (1 - w2 - w3), d], [dt * w2, d2], [dt * w3, d3]);
    }
    return x;
  };
