/** Self-attention guidance (Hong et al. 2023): away from a picture blurred where the network looks. */
import { axpby, sub, weightedSum } from '../../array/elementwise.ts';
import { blurLatent } from '../../array/convolve.ts';
import type { NDArray } from '../../array/nd.ts';
import { roundHalfEven } from '../../array/round.ts';
import { NoodleError } from '../../errors.ts';
import type { GuidanceHooks } from './hooks.ts';

type After = NonNullable<GuidanceHooks['after']>[number];

/** Radius of the blur in cells. */
const radius = 4;

/**
 * scale · (blurred - what the network makes of it) is added to the guided prediction. `map` is the patch
 * of the network that keeps where it looks, in the state of the run. Latents of four cells or fewer are
 * left as they are. Throws BAD_INPUT where there is no negative side.
 */
export const selfAttentionGuidance =
  (map: object, { scale, blurSigma }: { scale: number; blurSigma: number }): After =>
  async ({ run, x, sigma, uncond, lists, denoised }) => {
    if (Math.min(...x.shape.slice(2)) <= radius) return denoised;
    const looked = run.state.get(map) as NDArray | undefined;
    if (!lists.uncond || !looked) {
      const subject = 'self-attention guidance';
      throw new NoodleError('BAD_INPUT', { subject, expected: 'a negative prompt', got: 'none' });
    }
    const degraded = blurWhere(uncond, looked, blurSigma);
    const noisy = weightedSum([1, degraded], [1, x], [-1, uncond]);
    const [sharpened] = await run.evaluate([lists.uncond], noisy, sigma);
    return axpby(1, denoised, scale, sub(degraded, sharpened));
  };

/** x [b, c, h, w] blurred where a token of `looked` [b, tokens] got more than its share. */
function blurWhere(x: NDArray, looked: NDArray, blurSigma: number): NDArray {
  const blurred = blurSigma === 0 ? x : blurLatent(x, radius, blurSigma / radius);
  const [, channels, height, width] = x.shape;
  const tokens = looked.shape[1];
  const [rows, columns] = gridOf(tokens, height / width);
  const data = x.data.slice();
  for (let i = 0; i < data.length; i++) {
    const item = Math.floor(i / (channels * height * width));
    const [y, column] = [Math.floor(i / width) % height, i % width];
    const row = Math.floor((y * rows) / height);
    const cell = row * columns + Math.floor((column * columns) / width);
    if (looked.data[item * tokens + cell] > 1) data[i] = blurred.data[i];
  }
  return { data, shape: x.shape };
}

/** Rows and columns of a number of tokens, near to a ratio of height to width. */
function gridOf(tokens: number, ratio: number): readonly [rows: number, columns: number] {
  const guess = roundHalfEven(Math.sqrt(ratio * tokens));
  for (let i = 0; i < Math.floor(Math.sqrt(tokens) / 2); i++) {
    for (const rows of [guess + i, Math.max(1, guess - i)]) {
      if (tokens % rows === 0) return [rows, tokens / rows];
    }
  }
  return [1, tokens];
}
