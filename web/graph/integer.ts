/**
 * Integers of up to 64 bits as ComfyUI's Python has them: a plain number while that is exact, a
 * bigint beyond 2^53. All arithmetic on seeds goes through here.
 */
export type Int = number | bigint;

/** Reads an integer from a number, bigint or digits; null when it is none. */
export function toInt(value: unknown): Int | null {
  if (typeof value === 'bigint') return shrink(value);
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : null;
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) {
    const digits = value.trim();
    return shrink(BigInt(digits.startsWith('+') ? digits.slice(1) : digits));
  }
  return null;
}

/** The number form where it is exact, else the bigint. */
export function shrink(value: bigint): Int {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}

/** Sum without loss. */
export function addInt(a: Int, b: Int): Int {
  return shrink(big(a) + big(b));
}

/** Holds a value between bounds (either may be absent). */
export function clampInt(value: Int, min: Int | null, max: Int | null): Int {
  if (min !== null && value < min) return min;
  if (max !== null && value > max) return max;
  return value;
}

/** Nearest `min + k * step` to the value, halves upwards, as ComfyUI rounds INT widgets. */
export function snapInt(value: Int, step: number, min: Int | null): Int {
  if (!(step > 1)) return value;
  const s = BigInt(Math.round(step));
  const shift = ((big(min ?? 0) % s) + s) % s;
  const offset = big(value) - shift;
  const floored = floorDiv(offset, s);
  const rest = offset - floored * s;
  const rounded = rest * 2n >= s ? floored + 1n : floored;
  return shrink(rounded * s + shift);
}

const big = (value: Int): bigint =>
  typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));

const floorDiv = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
};
