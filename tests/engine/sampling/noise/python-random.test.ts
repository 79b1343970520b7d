/** CPython's `random`; the numbers are those of Python 3.11 after `random.seed(n)`. */
import { describe, expect, it } from 'vitest';
import { pythonRandom } from '../../../../engine/sampling/noise/python-random.ts';

const DRAWN = [
  [
    0n,
    0.8444218515250481,
    978212965545n,
    0.4720005329079575,
    'c',
    '10456237',
    '8241',
    [773, 97, 633, 818, 256, 931],
  ],
  [
    1n,
    0.13436424411240122,
    884107995868n,
    1.6732111664181493,
    'c',
    '72045631',
    '7063',
    [622, 780, 785, 2, 712, 456],
  ],
  [
    12345n,
    0.41661987254534116,
    897691841090n,
    1.8882227823881013,
    'c',
    '76034215',
    '1647',
    [642, 178, 626, 566, 191, 363],
  ],
  [
    2n ** 32n + 5n,
    0.15727238718789782,
    976170847026n,
    1.1155891114744425,
    'a',
    '46023175',
    '3829',
    [466, 838, 796, 639, 911, 783],
  ],
  [
    2n ** 64n - 1n,
    0.021825695401270107,
    680056941117n,
    -0.25811379703712767,
    'e',
    '43670521',
    '1572',
    [284, 603, 37, 321, 301, 303],
  ],
] as const;

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("Python's random", () => {
  it.each(DRAWN)('after seed(%s)', (seed, ...expected) => {
    const python = pythonRandom(seed);
    expect([
      python.random(),
      python.randint(-3n, 10n ** 12n),
      python.uniform(-1, 2.5),
      python.choice([...'abcdefg']),
      python.shuffled(count(8)).join(''),
      python.sample(count(10), 4).join(''),
      python.sample(count(1000), 6),
    ]).toEqual(expected);
  });

  it('takes the size of a negative seed, and refuses empty ranges', () => {
    expect(pythonRandom(-1).random()).toBe(DRAWN[1][1]);
    expect(() => pythonRandom(0).choice([])).toThrow(RangeError);
    expect(() => pythonRandom(0).sample([1], 2)).toThrow(/at most 1/);
  });
});
