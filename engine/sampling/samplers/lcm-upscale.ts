/** LCM sampling that enlarges the picture on its first steps. */
import { axpy } from '../../array/elementwise.ts';
import { commonUpscale, type UpscaleMethod } from '../../array/resize.ts';
import { roundHalfEven } from '../../array/round.ts';
import type { Sampler } from './sampler.ts';

export interface LcmUpscaleOptions {
  /** Final size over first size. */
  readonly ratio: number;
  /** Over how many steps the size grows; default about half of them. */
  readonly steps?: number | undefined;
  readonly method: UpscaleMethod;
}

/** Each of the first steps scales the denoised picture before noise is added again. */
export const lcmUpscale =
  ({ ratio, steps, method }: LcmUpscaleOptions): Sampler =>
  async (denoise, x, sigmas, { globalNoise, step }) => {
    const count =
      steps === undefined
        ? Math.max(Math.floor(sigmas.length / 2) + 1, 2)
        : Math.min(steps + 1, sigmas.length + 1);
    const [height, width] = x.shape.slice(-2);
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const { denoised } = await denoise(x, sigmas[i]);
      await step({ i, x, denoised });
      x = denoised;
      if (i < count - 1) {
        const scale = 1 + ((ratio - 1) * (i + 1)) / (count - 1);
        const size = [width, height].map((length) => roundHalfEven(length * scale));
        x = commonUpscale(x, size[0], size[1], method, 'disabled');
      }
      if (sigmas[i + 1] > 0) x = axpy(sigmas[i + 1], globalNoise(x.shape), x);
    }
    return x;
  };
