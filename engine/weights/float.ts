/**
 * Narrow floating-point formats to and from f32. Widening is exact (subnormals, infinities and NaN
 * included); narrowing rounds to nearest even. Formats: IEEE half, bfloat16, and the 8-bit formats of
 * Micikevicius et al. 2022 (E4M3 without infinities, E5M2).
 */

/** Half floats (as 16-bit codes) widened, into `out` when it is given. */
export function f16ToFloat(
  codes: Uint16Array,
  out: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const table = (halfTable ??= buildTable(65536, halfValue));
  if (codes.byteOffset % 4 !== 0 || codes.length % 2 !== 0) return lookUp(codes, table, out);
  // two at a time: half the loads, a third faster
  const pairs = new Uint32Array(codes.buffer, codes.byteOffset, codes.length / 2);
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i];
    out[2 * i] = table[pair & 0xffff];
    out[2 * i + 1] = table[pair >>> 16];
  }
  return out;
}

/** One half float widened. */
export const f16Value = (code: number): number =>
  (halfTable ??= buildTable(65536, halfValue))[code];

/** bfloat16 codes widened: they are the upper half of an f32. */
export function bf16ToFloat(
  codes: Uint16Array,
  out: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const bits = new Uint32Array(out.buffer, out.byteOffset, codes.length);
  for (let i = 0; i < codes.length; i++) bits[i] = codes[i] << 16;
  return out;
}

/** Widened 8-bit floats. */
export function f8ToFloat(
  codes: Uint8Array,
  format: 'F8_E4M3' | 'F8_E5M2',
  out: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const table =
    format === 'F8_E4M3'
      ? (e4m3Table ??= buildTable(256, e4m3Value))
      : (e5m2Table ??= buildTable(256, (code) => halfValue(code << 8))); // the upper half of a half
  return lookUp(codes, table, out);
}

/** f32 values as half-float codes; beyond 65504 rounds to infinity at 65520, as IEEE says. */
export function floatToF16(values: ArrayLike<number>): Uint16Array {
  const codes = new Uint16Array(values.length);
  if (values instanceof Float32Array) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < codes.length; i++) {
      codes[i] = halfOfNormal(bits[i]) ?? encode(values[i], half);
    }
  } else {
    for (let i = 0; i < codes.length; i++) codes[i] = encode(values[i], half);
  }
  return codes;
}

/**
 * The half of an f32 from its bits, where both are normal numbers or zero, which nearly all weights are: the
 * fields move to their places, and half of the last place is added, a little less where that is even.
 */
function halfOfNormal(bits: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude === 0) return sign;
  if (magnitude < smallestNormal || magnitude >= firstBeyond) return undefined;
  return sign | ((magnitude - rebias + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** f32 bits of 2^-14, of 65520, and between the two exponents' zeros. */
const smallestNormal = 113 << 23;
const firstBeyond = 0x477ff000;
const rebias = 112 << 23;

/** f32 values as bfloat16 codes. */
export function floatToBf16(values: ArrayLike<number>): Uint16Array {
  const codes = new Uint16Array(values.length);
  for (let i = 0; i < codes.length; i++) {
    scratch.float[0] = values[i];
    const bits = scratch.bits[0];
    const isNaN = (bits & 0x7fffffff) > 0x7f800000;
    codes[i] = isNaN ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return codes;
}

/** f32 values as 8-bit codes; E4M3 saturates at 448 (as torch does), E5M2 overflows to infinity. */
export function floatToF8(values: ArrayLike<number>, format: 'F8_E4M3' | 'F8_E5M2'): Uint8Array {
  const codes = new Uint8Array(values.length);
  const { mantissa, bias, largest, overflow, nan } = small[format];
  // whole models are rounded: normal values by their bits, below them by a sum that leaves no other digits
  const shift = 23 - mantissa;
  const half = (1 << (shift - 1)) - 1;
  const smallest = (128 - bias) << 23;
  const unit = 2 ** (mantissa + bias - 1);
  const { float, bits } = scratch;
  for (let i = 0; i < codes.length; i++) {
    float[0] = values[i];
    const sign = (bits[0] >>> 24) & 0x80;
    const size = bits[0] & 0x7fffffff;
    let code: number;
    if (size > 0x7f800000) code = nan;
    else if (size < smallest) code = Math.abs(float[0]) * unit + roundingSum - roundingSum;
    else {
      code = ((size + half + ((size >>> shift) & 1)) >>> shift) - ((127 - bias) << mantissa);
      if (code > largest) code = overflow;
    }
    codes[i] = sign | code;
  }
  return codes;
}

/** A double whose last digit is 1: what is added to it is rounded to an integer, halves to even. */
const roundingSum = 2 ** 52;

interface Format {
  readonly mantissa: number;
  readonly bias: number;
  /** Code without sign of the largest finite value, of what lies beyond it, and of NaN. */
  readonly largest: number;
  readonly overflow: number;
  readonly nan: number;
  readonly sign: number;
}

const half: Format = {
  mantissa: 10,
  bias: 15,
  largest: 0x7bff,
  overflow: 0x7c00,
  nan: 0x7e00,
  sign: 0x8000,
};
const small: Readonly<Record<'F8_E4M3' | 'F8_E5M2', Format>> = {
  F8_E4M3: { mantissa: 3, bias: 7, largest: 0x7e, overflow: 0x7e, nan: 0x7f, sign: 0x80 },
  F8_E5M2: { mantissa: 2, bias: 15, largest: 0x7b, overflow: 0x7c, nan: 0x7f, sign: 0x80 },
};

const scratch = (() => {
  const float = new Float32Array(1);
  return { float, bits: new Uint32Array(float.buffer) };
})();

let halfTable: Float32Array | undefined;
let e4m3Table: Float32Array | undefined;
let e5m2Table: Float32Array | undefined;

/** Nearest code, ties to even: counts steps of the format at the value's exponent. */
function encode(value: number, { mantissa, bias, largest, overflow, nan, sign }: Format): number {
  scratch.float[0] = value;
  const bits = scratch.bits[0];
  const negative = bits >>> 31 ? sign : 0;
  const magnitude = Math.abs(scratch.float[0]);
  if (Number.isNaN(magnitude)) return negative | nan;
  // the f32's exponent, not below the format's smallest: subnormals share one step size
  const exponent = Math.max(((bits >>> 23) & 0xff) - 127, 1 - bias);
  const steps = roundEven(magnitude / 2 ** (exponent - mantissa));
  // a normal value's steps include its leading one, which carries into the exponent field
  const code = (exponent + bias - 1) * 2 ** mantissa + steps;
  return negative | (code > largest ? overflow : code);
}

function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

function halfValue(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function e4m3Value(code: number): number {
  const sign = code & 0x80 ? -1 : 1;
  const exponent = (code >> 3) & 0xf;
  const fraction = code & 7;
  if (exponent === 0xf && fraction === 7) return NaN;
  if (exponent === 0) return sign * fraction * 2 ** -9;
  return sign * (1 + fraction / 8) * 2 ** (exponent - 7);
}

function buildTable(size: number, value: (code: number) => number): Float32Array {
  return Float32Array.from({ length: size }, (_, code) => value(code));
}

function lookUp(
  codes: Uint8Array | Uint16Array,
  table: Float32Array,
  out: Float32Array,
): Float32Array {
  for (let i = 0; i < codes.length; i++) out[i] = table[codes[i]];
  return out;
}
