/** Python's arithmetic on the numbers of wires. */
import { evaluate } from 'noodle/node';
import type { NDArray, PythonValue } from 'noodle/node';

/** Rounds to `digits` decimals as Python's `round(x, digits)`. */
export const decimals = (x: number, digits: number): number =>
  Number(evaluate('round(x, digits)', { x, digits: BigInt(digits) }));

/** Whether a value is a picture, a mask or another array. */
export const isArray = (value: unknown): value is NDArray =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;

/** Whether a value is a LATENT. */
export const isLatent = (value: unknown): value is { readonly samples: NDArray } =>
  typeof value === 'object' && value !== null && 'samples' in value && isArray(value.samples);

/**
 * A wire's value as Python would hold it: whole numbers are integers (a wire does not tell 5.0 from 5),
 * arrays their shape, texts numbers. Throws TypeError for what is no number.
 */
export function toPython(value: unknown, name: string): PythonValue {
  if (isArray(value)) return value.shape.map(BigInt);
  if (Array.isArray(value)) return value.map((item) => toPython(item, name));
  if (typeof value === 'string' && value.trim() !== '') return Number(value);
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return value;
  throw new TypeError(`${name}: expected a number or an array, got ${typeof value}`);
}

/** A result as a number for a wire; integers beyond 2^53 stay `bigint`. */
export function toNumber(value: PythonValue): number | bigint {
  if (typeof value === 'bigint') {
    return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
  }
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new TypeError('expected the expression to give a number');
}

/** A result as INT (`convert` names Python's function for it) and FLOAT. */
export function asIntAndFloat(
  value: PythonValue,
  convert: 'int' | 'round',
): [int: number | bigint, float: number] {
  const number = toNumber(value);
  const whole = typeof number === 'bigint' || Number.isInteger(number);
  const int = whole ? number : toNumber(evaluate(`${convert}(x)`, { x: number }));
  return [int, Number(number)];
}
