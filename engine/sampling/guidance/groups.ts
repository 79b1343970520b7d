/** Reductions over parts of an array: per batch item, per picture, or over channels. */
import { type NDArray, sizeOf } from '../../array/nd.ts';

/** Equal consecutive parts of an array's data. */
export interface Groups {
  readonly count: number;
  readonly size: number;
}

/** One group per row of axis 0. */
export const perItem = ({ data, shape }: NDArray): Groups => ({
  count: shape[0],
  size: data.length / shape[0],
});

/** One group per block of the last three axes (for pictures the same as `perItem`). */
export function perPicture({ data, shape }: NDArray): Groups {
  const size = sizeOf(shape.slice(-3));
  return { count: data.length / size, size };
}

/** The scalar product of a and b within each group. */
export function dot(a: NDArray, b: NDArray, { count, size }: Groups): Float64Array {
  const sums = new Float64Array(count);
  for (let g = 0; g < count; g++) {
    for (let i = g * size; i < (g + 1) * size; i++) sums[g] += a.data[i] * b.data[i];
  }
  return sums;
}

/** The unbiased standard deviation of each group. */
export function deviation(x: NDArray, { count, size }: Groups): Float64Array {
  return Float64Array.from({ length: count }, (_, g) => {
    const part = x.data.subarray(g * size, (g + 1) * size);
    const mean = part.reduce((sum, v) => sum + v, 0) / size;
    return Math.sqrt(part.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (size - 1));
  });
}

/** Σ k·x with one weight per group for each term. */
export function groupSum(
  { count, size }: Groups,
  ...terms: readonly (readonly [k: ArrayLike<number>, x: NDArray])[]
): NDArray {
  const data = new Float32Array(count * size);
  for (let g = 0; g < count; g++) {
    for (let i = g * size; i < (g + 1) * size; i++) {
      let sum = 0;
      for (const [k, x] of terms) sum += k[g] * x.data[i];
      data[i] = sum;
    }
  }
  return { data, shape: terms[0][1].shape };
}

/** Σ over channels of a·b for each item and cell: [items · cells]. */
export function channelDot(a: NDArray, b: NDArray): Float64Array {
  const [items, channels] = a.shape;
  const cells = a.data.length / (items * channels);
  const sums = new Float64Array(items * cells);
  for (let i = 0; i < a.data.length; i++) {
    const item = Math.floor(i / (channels * cells));
    sums[item * cells + (i % cells)] += a.data[i] * b.data[i];
  }
  return sums;
}

/** x times a factor for each item and cell, the same for all channels. */
export function scaleCells(x: NDArray, factor: (index: number) => number): NDArray {
  const [items, channels] = x.shape;
  const cells = x.data.length / (items * channels);
  const data = x.data.map((value, i) => {
    const item = Math.floor(i / (channels * cells));
    return value * factor(item * cells + (i % cells));
  });
  return { data, shape: x.shape };
}
