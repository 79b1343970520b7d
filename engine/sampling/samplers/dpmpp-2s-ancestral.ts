/** DPM-Solver++(2S) (Lu et al. 2022) with ancestral noise (k-diffusion). */
import { axpy, weightedSum } from '../../array/elementwise.ts';
import type { Sampler } from './sampler.ts';
import type { Ancestral } from './euler-ancestral.ts';
import { halfLogSnr } from '../half-log-snr.ts';
import { ancestralStep, derivative, flowAncestralStep } from './steps.ts';

/** Two evaluations a step: at the start and in the middle of the log-SNR interval. */
export const dpmpp2sAncestral =
  ({ eta = 1, sNoise = 1 }: Ancestral = {}): Sampler =>
  async (denoise, x, sigmas, { noise, sampling, step }) => {
    const snr = halfLogSnr(sampling);
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [s, t] = [sigmas[i], sigmas[i + 1]];
      const { denoised } = await denoise(x, s);
      await step({ i, x, denoised });
      const flow = sampling.flow ? flowAncestralStep(s, t, eta) : undefined;
      const { down, up } = flow ? { down: flow.down, up: flow.renoise } : ancestralStep(s, t, eta);
      if (down === 0) {
        x = axpy(down - s, derivative(x, s, denoised), x);
      } else {
        // A flow's lambda is -infinity at its very start.
        const halfway = (snr.at(s).lambda + snr.at(down).lambda) / 2;
        const middle = sampling.flow && s === 1 ? 0.9999 : snr.atLambda(halfway).sigma;
        // Both parameterisations move along x = to/from·x + (1 - to/from)·target.
        const u = weightedSum([middle / s, x], [1 - middle / s, denoised]);
        const target = (await denoise(u, middle)).denoised;
        x = weightedSum([down / s, x], [1 - down / s, target]);
      }
      if (t > 0 && (!flow || eta > 0)) {
        x = weightedSum([flow?.keep ?? 1, x], [sNoise * up, noise(s, t)]);
      }
    }
    return x;
  };
