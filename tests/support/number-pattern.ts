/** Small arrays that the reference was given too, and its answers in fixtures. */
import { expect } from 'vitest';
import { type NDArray, nd, sizeOf } from '../../engine/array/nd.ts';

/** Numbers 0..1 that walk through every hundredth: ((i·step + start) mod 101) / 100. */
export function pattern(shape: readonly number[], step = 37, start = 11): NDArray {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = ((i * step + start) % 101) / 100;
  return nd(data, shape);
}

/** Asserts shape and numbers, to `digits` decimals. */
export function expectArray(
  ours: NDArray,
  theirs: { readonly shape: readonly number[]; readonly data: readonly number[] },
  digits = 6,
): void {
  expect(ours.shape).toEqual(theirs.shape);
  const worst = theirs.data.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - ours.data[i])),
    0,
  );
  expect(worst).toBeLessThanOrEqual(10 ** -digits);
}
