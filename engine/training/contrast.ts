/** A picture's contrast in training (ai-toolkit's `img_multiplier`). */
import { map } from '../array/elementwise.ts';
import type { NDArray } from '../array/nd.ts';
import { clamp } from '../array/round.ts';

/** Pictures of -1..1 nearer to the mean of all their numbers: its share `factor`, 0..1, of the way is left. */
export function reduceContrast(pictures: NDArray, factor: number): NDArray {
  const share = clamp(factor, 0, 1);
  const mean = pictures.data.reduce((sum, value) => sum + value, 0) / pictures.data.length;
  return map(pictures, (value) => clamp((value - mean) * share + mean, -1, 1));
}
