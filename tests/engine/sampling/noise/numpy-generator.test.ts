/** numpy's default_rng; the numbers are numpy 2.4's. */
import { describe, expect, it } from 'vitest';
import { numpyGenerator } from '../../../../engine/sampling/noise/numpy-generator.ts';

const DRAWN = [
  [0n, 8, 6, 0.2697867137638703, 2, [0, 3, 4], 'a', 1, '3201465'],
  [1n, 4, 5, 0.9504636963259353, 2, [4, 2, 3], 'a', 1, '3014562'],
  [42n, 0, 7, 0.4388784397520523, 3, [3, 0, 4], 'd', 2, '6142530'],
  [2n ** 40n + 7n, 2, 8, 0.25530515834910417, 2, [3, 2, 0], 'a', 0, '0614523'],
  [2n ** 64n - 1n, 5, 6, 0.8453117585624743, 3, [3, 1, 2], 'a', 1, '5213406'],
] as const;

describe("numpy's generator", () => {
  it.each(DRAWN)('default_rng(%s)', (seed, ...expected) => {
    const numpy = numpyGenerator(seed);
    expect([
      numpy.below(10),
      numpy.below(10),
      numpy.random(),
      2 + numpy.below(3),
      numpy.choose([0, 1, 2, 3, 4], [0.1, 0.2, 0.3, 0.3, 0.1], 3),
      'abcd'[numpy.below(4)],
      numpy.choose([0, 1, 2], [0.2, 0.5, 0.3], 1)[0],
      numpy.shuffled([0, 1, 2, 3, 4, 5, 6]).join(''),
    ]).toEqual(expected);
  });

  it('refuses more choices than there are', () => {
    expect(() => numpyGenerator(1).choose(['a', 'b'], [1, 0], 2)).toThrow(/at most 1/);
  });
});
