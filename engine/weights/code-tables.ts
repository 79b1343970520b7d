/** What the codes of bitsandbytes' types stand for: numbers between -1 and 1, times the largest of their block. */

/** NF4 (QLoRA): the quantiles of a normal distribution. */
export const nf4Levels = Float32Array.of(
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453],
  ...[-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0],
  ...[0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224],
  ...[0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1],
);

/** FP4 as bitsandbytes has it, in twelfths. */
const twelfths = [0, 0.0625, 8, 12, 4, 6, 2, 3];
export const fp4Levels = Float32Array.of(
  ...twelfths.map((level) => level / 12),
  ...twelfths.map((level) => -level / 12),
);

/**
 * Eight bits of the dynamic type, in order: after each power of ten from 10^-6 to 1 the middles of 1, 2, 4 … 64
 * equal steps from a tenth of it to itself, on both sides of 0, and 1.
 */
export const dynamicLevels = dynamic(1, [1, -1]);

/** The same for numbers that have no sign: twice as many steps, on one side. */
export const unsignedDynamicLevels = dynamic(2, [1]);

function dynamic(first: number, signs: readonly number[]): Float32Array {
  const levels = [0, 1];
  for (let power = 0; power < 7; power++) {
    const steps = first * 2 ** power;
    for (let i = 0; i < steps; i++) {
      const middle = (0.1 + (0.9 * (i + 0.5)) / steps) * 10 ** (power - 6);
      levels.push(...signs.map((sign) => sign * middle));
    }
  }
  return Float32Array.from(levels).sort();
}
