/** Rounding as Python and numpy do it. */

/** Nearest integer, halves to the even neighbour (Python's `round`, torch's `round`). */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
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
