/** Rounding as Python and numpy do it. */

/** Nearest integer, halves to the even neighbour (Python's `round`, torch's `round`). */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Python's `int(x)` of a float; throws RangeError (ValueError on the wire) for NaN and infinities. */
export const toInteger = (x: number): number => Math.trunc(finite(x)) + 0; // never -0

/** Python's `round(x)`, which gives an integer; throws as `toInteger` does. */
export const roundToInteger = (x: number): number => roundHalfEven(finite(x)) + 0;

function finite(x: number): number {
  if (Number.isFinite(x)) return x;
  const what = Number.isNaN(x) ? 'NaN' : 'infinity';
  throw new RangeError(`cannot convert float ${what} to integer`);
}

/** `x` limited to [low, high]. */
export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/**
 * A channel value as 8 bits the way the reference stores pictures: 255·v in fp32, limited to
 * 0..255, then cut (not rounded). NaN becomes 0.
 */
export function toByte(v: number): number {
  const scaled = Math.fround(255 * v);
  return scaled > 255 ? 255 : scaled > 0 ? Math.trunc(scaled) : 0;
}
