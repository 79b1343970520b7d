import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../../engine/errors.ts';
import { round6 } from '../../../../engine/sampling/noise/brownian-tree.ts';
import { prepareNoise } from '../../../../engine/sampling/noise/prepare-noise.ts';
import { toSeed } from '../../../../engine/sampling/noise/seed.ts';

describe('toSeed', () => {
  it('takes numbers and 64-bit integers and wraps negative ones as torch does', () => {
    expect(toSeed(42)).toBe(42n);
    expect(toSeed(2n ** 64n - 1n)).toBe(2n ** 64n - 1n);
    expect(toSeed(-1)).toBe(2n ** 64n - 1n);
  });

  it.each([2n ** 64n, 1.5, NaN, Infinity])('refuses %s', (seed) => {
    expect(() => toSeed(seed)).toThrow(NoodleError);
  });
});

it('only the low 32 bits of a seed decide the initial noise', () => {
  const shape = [1, 4, 4, 4];
  expect(prepareNoise(shape, 2n ** 32n + 7n)).toEqual(prepareNoise(shape, 7));
  expect(prepareNoise(shape, 8)).not.toEqual(prepareNoise(shape, 7));
});

// Oracle: Python 3.11 round(t, 6).
it.each([
  [0.5078125, 0.507812],
  [0.5234375, 0.523438],
  [0.0078125, 0.007812],
  [14.61464262, 14.614643],
  [1, 1],
  [0.1234565, 0.123456],
])('round6(%s) is %s', (value, expected) => {
  expect(round6(value)).toBe(expected);
});
