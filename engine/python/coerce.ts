/** Conversion of prompt values to declared types, with Python's `int()`, `float()`, `str()`, `bool()`. */
import { Float } from '../workflow/lossless-json.ts';
import type { Json } from '../workflow/lossless-json.ts';
import { PythonError } from './error.ts';
import { pythonRepr, pythonStr, pythonTypeName } from './repr.ts';

/** The value as the declared type wants it (other types: unchanged); throws PythonError. */
export function coerce(type: unknown, value: Json): Json {
  switch (type) {
    case 'INT':
      return toInt(value);
    case 'FLOAT':
      return toFloat(value);
    case 'STRING':
      return pythonStr(value);
    case 'BOOLEAN':
      return truthy(value);
    default:
      return value;
  }
}

const MAX_INT_DIGITS = 4300;

/** Python's `int(value)`: a number when it is safe, else a bigint. */
export function toInt(value: Json): number | bigint {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return truncate(value);
  if (value instanceof Float) return truncate(value.value);
  if (typeof value === 'string') {
    const text = asciiDigits(trim(value));
    if (!/^[+-]?\d+(?:_\d+)*$/.test(text)) {
      throw new PythonError(
        'ValueError',
        `invalid literal for int() with base 10: ${pythonRepr(value)}`,
      );
    }
    const digits = text.replace(/[+_-]/g, '');
    if (digits.length > MAX_INT_DIGITS) {
      throw new PythonError(
        'ValueError',
        `Exceeds the limit (${MAX_INT_DIGITS} digits) for integer string conversion: value has ` +
          `${digits.length} digits; use sys.set_int_max_str_digits() to increase the limit`,
      );
    }
    return narrow(text.startsWith('-') ? -BigInt(digits) : BigInt(digits));
  }
  throw new PythonError(
    'TypeError',
    `int() argument must be a string, a bytes-like object or a real number, not '${pythonTypeName(value)}'`,
  );
}

/** Python's `float(value)`; whole values come as `Float` so that they print as `5.0`. */
export function toFloat(value: Json): number | Float {
  if (value instanceof Float) return value;
  if (typeof value === 'boolean' || typeof value === 'number') return float(Number(value));
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isFinite(number)) return float(number);
    throw new PythonError('OverflowError', 'int too large to convert to float');
  }
  if (typeof value === 'string') {
    const number = parseFloatText(value);
    if (number !== undefined) return float(number);
    throw new PythonError('ValueError', `could not convert string to float: ${pythonRepr(value)}`);
  }
  throw new PythonError(
    'TypeError',
    `float() argument must be a string or a real number, not '${pythonTypeName(value)}'`,
  );
}

/** Python's `bool(value)` of a value that came from JSON: `"false"` is true, `{}` is false. */
export function truthy(value: Json): boolean {
  if (value instanceof Float) return value.value !== 0;
  if (typeof value === 'number') return value !== 0; // NaN is true in Python
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

const FLOAT =
  /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;

/** What Python's `float(text)` gives; undefined where it raises. */
export function parseFloatText(text: string): number | undefined {
  const ascii = asciiDigits(trim(text));
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(ascii);
  if (word !== null) {
    if (word[2].toLowerCase() === 'nan') return NaN;
    return word[1] === '-' ? -Infinity : Infinity;
  }
  return FLOAT.test(ascii) ? Number(ascii.replaceAll('_', '')) : undefined;
}

/** Python reads the decimal digits of every script. */
const asciiDigits = (text: string): string => text.replace(/[^\P{Nd}0-9]/gu, decimalDigit);

/** Decimal digits of any script come in runs of ten: the place in the run is the value. */
function decimalDigit(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before++;
  return String(before % 10);
}

function truncate(value: number): number | bigint {
  if (Number.isNaN(value)) {
    throw new PythonError('ValueError', 'cannot convert float NaN to integer');
  }
  if (!Number.isFinite(value)) {
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole); // + 0: never -0
}

const narrow = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

const float = (value: number): number | Float =>
  Number.isInteger(value) ? new Float(value) : value;

/** Python strips the ASCII separators 0x1c–0x1f too. */
const trim = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- these control characters are white space in Python
  text.replace(/^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu, '');
