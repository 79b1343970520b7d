/** Masks of losses: how much each place of a picture counts. */
import { map } from '../../array/elementwise.ts';
import type { NDArray } from '../../array/nd.ts';
import { interpolate } from '../../array/resize.ts';

/**
 * ai-toolkit's: 0..1 becomes min..1, the nearest pixel of each place, over the mean of the whole batch.
 * mask [b, 1, h, w] in pixels; the result [b, 1, height, width] of latents.
 */
export function jobMask(
  mask: NDArray,
  height: number,
  width: number,
  { minValue = 0 }: { minValue?: number } = {},
): NDArray {
  const raised = map(mask, (value) => value * (1 - minValue) + minValue);
  const small = interpolate(raised, height, width, 'nearest');
  const mean = small.data.reduce((sum, value) => sum + value, 0) / small.data.length;
  return map(small, (value) => value / mean);
}

/** sd-scripts': the mean of the pixels of each place, as it is. */
export const scriptMask = (mask: NDArray, height: number, width: number): NDArray =>
  interpolate(mask, height, width, 'area');
