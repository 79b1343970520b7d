/**
 * Sequences of tokens of unequal length in one batch: each is repeated to a common multiple. Attention to
 * tokens that all come equally often is the same as to each once.
 */
import { concat } from './batch.ts';
import type { NDArray } from './nd.ts';

/** A sequence is repeated at most this often to fit another one (the reference's bound). */
const MAX_REPEATS = 4;

/** Whether two lengths are worth bringing to one, which could else be as long as their product. */
export const fitTogether = (a: number, b: number): boolean =>
  leastCommonMultiple(a, b) / Math.min(a, b) <= MAX_REPEATS;

/** The length that all of these can be repeated to; 1 of none. */
export const commonLength = (lengths: readonly number[]): number =>
  lengths.reduce(leastCommonMultiple, 1);

/** [b, tokens, width] -> [b, length, width], of a length that is a multiple of its own. */
export const repeatTokens = (x: NDArray, length: number): NDArray =>
  x.shape[1] === length ? x : concat(Array<NDArray>(length / x.shape[1]).fill(x), 1);

function leastCommonMultiple(a: number, b: number): number {
  let [p, q] = [a, b];
  while (q > 0) [p, q] = [q, p % q];
  return (a / p) * b;
}
