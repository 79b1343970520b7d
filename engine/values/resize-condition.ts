/** Pictures and latents beside the noisy latent, brought to its size and batch. */
import { concat, sliceAxis } from '../array/batch.ts';
import { type NDArray, reshape, sizeOf } from '../array/nd.ts';
import { commonUpscale } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';

/** x [b, c, ...frames, h, w] at another size (bilinear, the middle of the picture) and batch; `shape`'s channels are not read. */
export function fit(x: NDArray, shape: readonly number[]): NDArray {
  const [height, width] = shape.slice(-2);
  const [batch, channels, ...sides] = x.shape;
  const [h, w] = sides.slice(-2);
  if (h === height && w === width) return resizeBatch(x, shape[0]);
  const planes = reshape(x, [batch, channels * sizeOf(sides.slice(0, -2)), h, w]);
  const sized = commonUpscale(planes, width, height, 'bilinear', 'center');
  const back = reshape(sized, [batch, channels, ...sides.slice(0, -2), height, width]);
  return resizeBatch(back, shape[0]);
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
