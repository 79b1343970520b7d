/** Seeds as torch takes them: 64 bits, unsigned. */
import { NoodleError } from '../../errors.ts';

const limit = 1n << 64n;

/**
 * A seed as an unsigned 64-bit integer. Negative seeds wrap as in torch (-1 is 2^64 - 1); throws
 * BAD_INPUT for 2^64 and above and for numbers that are not whole.
 */
export function toSeed(seed: number | bigint): bigint {
  if (typeof seed === 'number' && !Number.isInteger(seed)) {
    throw new NoodleError('BAD_INPUT', { subject: 'seed', expected: 'a whole number', got: seed });
  }
  const value = BigInt(seed);
  if (value >= limit || value < -limit / 2n) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'seed',
      expected: 'an integer from -2^63 to 2^64 - 1',
      got: value.toString(),
    });
  }
  return BigInt.asUintN(64, value);
}
