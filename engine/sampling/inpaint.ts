/** Sampling only where a mask says so. */
import { repeatToBatch } from '../array/batch.ts';
import { zip } from '../array/elementwise.ts';
import { type NDArray, reshape, sizeOf } from '../array/nd.ts';
import { interpolate } from '../array/resize.ts';
import type { GuidanceHooks } from './guidance/hooks.ts';
import type { Denoise } from './samplers/sampler.ts';

/**
 * A noise mask of any size as [b, c, ...spatial] of the latent: scaled linearly along every spatial
 * axis, repeated over channels and batch, not rounded. Pictures: [..., h, w]; video: masks are frames
 * (or [n, c, t, h, w]); sound: [n, c, length].
 */
export function prepareMask(mask: NDArray, latentShape: readonly number[]): NDArray {
  const [batch, channels, ...dims] = latentShape;
  const [items, planes, resized] = resizeToGrid(mask, dims);
  const planeSize = sizeOf(dims);
  const data = new Float32Array(items * channels * planeSize);
  for (let item = 0; item < items; item++) {
    for (let c = 0; c < channels; c++) {
      const from = (item * planes + (c % planes)) * planeSize;
      const to = (item * channels + c) * planeSize;
      data.set(resized.subarray(from, from + planeSize), to);
    }
  }
  return repeatToBatch({ data, shape: [items, channels, ...dims] }, batch);
}

/** [items, planes, data of items·planes grids]. */
function resizeToGrid(
  mask: NDArray,
  dims: readonly number[],
): readonly [number, number, Float32Array] {
  const { shape } = mask;
  if (dims.length === 1) {
    const length = shape[shape.length - 1];
    const planes = shape.length > 2 ? shape[1] : 1;
    const items = sizeOf(shape) / (planes * length);
    const lines = reshape(mask, [items * planes, 1, 1, length]);
    return [items, planes, interpolate(lines, 1, dims[0], 'bilinear').data];
  }
  const [height, width] = dims.slice(-2);
  const [h, w] = shape.slice(-2);
  const frames = reshape(mask, [sizeOf(shape) / (h * w), 1, h, w]);
  const scaled = interpolate(frames, height, width, 'bilinear');
  if (dims.length === 2) return [scaled.shape[0], 1, scaled.data];
  const [items, planes, t] = shape.length === 5 ? shape : [1, 1, scaled.shape[0]];
  // Trilinear is bilinear within frames and linear between them.
  const inTime = reshape(scaled, [items * planes, 1, t, height * width]);
  return [items, planes, interpolate(inTime, dims[0], height * width, 'bilinear').data];
}

/** mask·a + (1 - mask)·b. */
const mix = (mask: NDArray, a: NDArray, b: NDArray): NDArray => {
  const inside = zip(mask, a, (m, v) => m * v);
  const outside = zip(mask, b, (m, v) => (1 - m) * v);
  return zip(inside, outside, (p, q) => p + q);
};

/**
 * A denoiser that keeps the picture where the mask is 0: there the network sees the latent at the
 * current noise level (`noisy`) and the prediction is replaced by the latent.
 */
export function inpaintDenoise(
  denoise: Denoise,
  options: {
    readonly mask: NDArray;
    readonly latent: NDArray;
    readonly noisy: (sigma: number) => NDArray;
    readonly maskAt?: (sigma: number, mask: NDArray) => NDArray;
  },
): Denoise {
  const { latent, noisy, maskAt } = options;
  return async (x, sigma) => {
    const mask = maskAt ? maskAt(sigma, options.mask) : options.mask;
    const prediction = await denoise(mix(mask, x, noisy(sigma)), sigma);
    return { ...prediction, denoised: mix(mask, prediction.denoised, latent) };
  };
}

/**
 * Differential diffusion (Levin and Fried 2023): the mask says how long each cell takes part, by
 * comparing it with the part of the run that is left; a `strength` between 0 and 1 blends with the
 * soft mask.
 */
export function differentialDiffusion(strength = 1): NonNullable<GuidanceHooks['mask']> {
  return (sigma, mask, { sigmas, sampling }) => {
    const last = sigmas[sigmas.length - 1];
    const from = sampling.timestep(sigmas[0]);
    const to = sampling.timestep(Math.max(last, sampling.sigmaMin));
    const threshold = (sampling.timestep(sigma) - to) / (from - to);
    const data = mask.data.map((m) => {
      const binary = m >= threshold ? 1 : 0;
      return strength > 0 && strength < 1 ? strength * binary + (1 - strength) * m : binary;
    });
    return { data, shape: mask.shape };
  };
}
