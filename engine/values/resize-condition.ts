/** Pictures and latents beside the noisy latent, brought to its size and batch. */
import { concat, sliceAxis } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import { commonUpscale } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';

/** x [b, c, h, w] at another size (bilinear, the middle of the picture) and batch; `shape`'s channels are not read. */
export function fit(x: NDArray, shape: readonly number[]): NDArray {
  const [batch, , height, width] = shape;
  const same = x.shape[2] === height && x.shape[3] === width;
  const sized = same ? x : commonUpscale(x, width, height, 'bilinear', 'center');
  return resizeBatch(sized, batch);
}

/** Another batch size: rows are picked (fewer) or repeated in place (more), spread over the batch. */
export function resizeBatch(x: NDArray, count: number): NDArray {
  const have = x.shape[0];
  if (have === count) return x;
  const pick = (i: number): number => {
    if (count === 1) return 0;
    if (count < have) return Math.min(roundHalfEven((i * (have - 1)) / (count - 1)), have - 1);
    return Math.min(Math.floor(((i + 0.5) * have) / count), have - 1);
  };
  const picked = Array.from({ length: count }, (_, i) => sliceAxis(x, 0, pick(i), pick(i) + 1));
  return concat(picked);
}
