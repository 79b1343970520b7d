/** The values of expressions and what Python's operators and functions make of them. */
import { strip } from './string.ts';
import { PythonError } from './error.ts';
import { halfEven } from './format-spec.ts';

/** int, float, bool, str, None and lists. */
export type Value = bigint | number | boolean | string | null | readonly Value[];

/** Bits of an integer beyond which a power, product or shift is refused (a float holds 1024). */
const MOST_BITS = 65_536;
/** The largest exponent of `pow`, as ComfyUI limits it. */
const LARGEST_EXPONENT = 4000;
const LONGEST_TEXT = 100_000;

const typeName = (value: Value): string => {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  const names = { bigint: 'int', number: 'float', boolean: 'bool', string: 'str' };
  return names[typeof value as keyof typeof names];
};

/** `bool(value)`. */
export const truth = (value: Value): boolean =>
  Array.isArray(value) ? value.length > 0 : Boolean(value) || Number.isNaN(value);

type Number_ = bigint | number;

/** Booleans count as 0 and 1; undefined for what is no number. */
function numeric(value: Value): Number_ | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' || typeof value === 'number' ? value : undefined;
}

/** A number as a float; throws OverflowError for integers beyond the largest one. */
export function toFloat(value: Number_): number {
  const float = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(float)) {
    throw new PythonError('OverflowError', 'int too large to convert to float');
  }
  return float;
}

/** `int(x)` of a float. */
export function toInt(value: number): bigint {
  if (Number.isNaN(value)) {
    throw new PythonError('ValueError', 'cannot convert float NaN to integer');
  }
  if (!Number.isFinite(value)) {
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  return BigInt(Math.trunc(value));
}

const unsupported = (sign: string, a: Value, b: Value): never => {
  const types = `'${typeName(a)}' and '${typeName(b)}'`;
  throw new PythonError('TypeError', `unsupported operand type(s) for ${sign}: ${types}`);
};

const zeroDivision = (): never => {
  throw new PythonError('ZeroDivisionError', 'division by zero');
};

/** What an operator does on two integers, and on two floats. */
interface Operator {
  readonly ints: (a: bigint, b: bigint) => Value;
  readonly floats?: (a: number, b: number) => Value;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '+': { ints: (a, b) => a + b, floats: (a, b) => a + b },
  '-': { ints: (a, b) => a - b, floats: (a, b) => a - b },
  '*': { ints: productOfInts, floats: (a, b) => a * b },
  '/': {
    ints: (a, b) => (b === 0n ? zeroDivision() : toFloat(a) / toFloat(b)),
    floats: (a, b) => (b === 0 ? zeroDivision() : a / b),
  },
  '//': {
    ints: (a, b) => (b === 0n ? zeroDivision() : (a - modulo(a, b)) / b),
    floats: (a, b) => (b === 0 ? zeroDivision() : floorDivision(a, b)),
  },
  '%': {
    ints: (a, b) => (b === 0n ? zeroDivision() : modulo(a, b)),
    floats: (a, b) => (b === 0 ? zeroDivision() : floatModulo(a, b)),
  },
  '**': { ints: powerOfInts, floats: powerOfFloats },
  '<<': { ints: (a, b) => shift(a, b) },
  '>>': { ints: (a, b) => shift(a, -b) },
  '|': { ints: (a, b) => a | b },
  '^': { ints: (a, b) => a ^ b },
  '&': { ints: (a, b) => a & b },
};

/** A two-sided operator; throws TypeError and what Python raises for these values. */
export function binary(sign: string, a: Value, b: Value): Value {
  if (sign === '+' && typeof a === 'string' && typeof b === 'string') {
    if (a.length + b.length > LONGEST_TEXT) {
      throw new PythonError('ValueError', 'the text becomes too long');
    }
    return a + b;
  }
  if (typeof a === 'boolean' && typeof b === 'boolean' && ['|', '^', '&'].includes(sign)) {
    return sign === '|' ? a || b : sign === '&' ? a && b : a !== b;
  }
  const [x, y] = [numeric(a), numeric(b)];
  if (x === undefined || y === undefined) return unsupported(sign, a, b);
  const { ints, floats } = OPERATORS[sign];
  if (typeof x === 'bigint' && typeof y === 'bigint') return ints(x, y);
  return floats ? floats(toFloat(x), toFloat(y)) : unsupported(sign, a, b);
}

/** `-x`, `+x`, `~x`. */
export function unary(sign: string, value: Value): Value {
  const x = numeric(value);
  if (x !== undefined && sign === '-') return -x;
  if (x !== undefined && sign === '+') return x;
  if (typeof x === 'bigint') return ~x;
  throw new PythonError('TypeError', `bad operand type for unary ${sign}: '${typeName(value)}'`);
}

/** One comparison; numbers compare with numbers, texts with texts. */
export function compare(sign: string, a: Value, b: Value): boolean {
  switch (sign) {
    case '==':
      return same(a, b);
    case '!=':
      return !same(a, b);
    case 'is':
      return typeName(a) === typeName(b) && same(a, b);
    case 'is not':
      return !compare('is', a, b);
    case 'in':
      return isIn(a, b);
    case 'not in':
      return !isIn(a, b);
    default:
      return ordered(sign, a, b);
  }
}

function same(a: Value, b: Value): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value: Value, i) => same(value, b[i] as Value));
  }
  const [x, y] = [numeric(a), numeric(b)];
  // JavaScript compares a bigint with a number exactly, as Python does.
  return x !== undefined && y !== undefined ? x == y : a === b; // eslint-disable-line eqeqeq
}

function isIn(a: Value, b: Value): boolean {
  if (typeof b === 'string' && typeof a === 'string') return b.includes(a);
  if (Array.isArray(b)) return b.some((value: Value) => same(a, value));
  throw new PythonError('TypeError', `argument of type '${typeName(b)}' is not iterable`);
}

function ordered(sign: string, a: Value, b: Value): boolean {
  const numbers = [numeric(a), numeric(b)] as const;
  const [x, y] = typeof a === 'string' && typeof b === 'string' ? [a, b] : numbers;
  if (x === undefined || y === undefined) {
    const types = `'${typeName(a)}' and '${typeName(b)}'`;
    throw new PythonError('TypeError', `'${sign}' not supported between instances of ${types}`);
  }
  if (sign === '<') return x < y;
  if (sign === '>') return x > y;
  return sign === '<=' ? x <= y : x >= y;
}

/** Python's remainder has the sign of the divisor. */
function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function floatModulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

/** CPython's float_divmod: from the remainder, so that it agrees with it. */
function floorDivision(a: number, b: number): number {
  const quotient = (a - floatModulo(a, b)) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function powerOfInts(a: bigint, b: bigint): Value {
  if (b < 0n) return powerOfFloats(toFloat(a), toFloat(b));
  if (BigInt(bits(a)) * b > BigInt(MOST_BITS) && a !== 1n && a !== -1n && a !== 0n) {
    throw new PythonError('OverflowError', `${a} ** ${b} is too large`);
  }
  return a ** b;
}

function powerOfFloats(a: number, b: number): number {
  if (a === 0 && b < 0) {
    throw new PythonError('ZeroDivisionError', '0.0 cannot be raised to a negative power');
  }
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b)) {
    throw new PythonError('ValueError', 'a root of a negative number is not a real number');
  }
  // IEEE and Python have 1 ** x = 1, JavaScript NaN for infinite and NaN exponents.
  const result = a === 1 ? 1 : a ** b;
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new PythonError('OverflowError', 'Numerical result out of range');
  }
  return result;
}

const bits = (value: bigint): number => (value < 0n ? -value : value).toString(2).length;

/** Products of products would take longer and longer. */
function productOfInts(a: bigint, b: bigint): bigint {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  if (a <= most && a >= -most && b <= most && b >= -most) return a * b;
  if (bits(a) + bits(b) <= MOST_BITS + 1) return a * b;
  throw new PythonError('OverflowError', 'the product is too large');
}

function shift(value: bigint, by: bigint): bigint {
  if (by > 0n && value !== 0n && by + BigInt(bits(value)) > BigInt(MOST_BITS + 1)) {
    throw new PythonError('ValueError', 'shifted too far');
  }
  return by < 0n ? value >> -by : value << by;
}

/** The numbers among arguments that a function was given. */
function numbers(name: string, values: readonly Value[], count: readonly number[]): Number_[] {
  if (!count.includes(values.length)) {
    throw new PythonError('TypeError', `${name}() does not take ${values.length} arguments`);
  }
  return values.map((value) => {
    const x = numeric(value);
    if (x !== undefined) return x;
    throw new PythonError('TypeError', `${name}(): must be a number, not ${typeName(value)}`);
  });
}

/** A function of one float that is not defined everywhere. */
const real =
  (name: string, f: (x: number) => number) =>
  (...values: Value[]): Value => {
    const [x] = numbers(name, values, [1]);
    return inDomain(f(toFloat(x)), toFloat(x));
  };

function inDomain(result: number, x: number): number {
  if (Number.isFinite(result) || !Number.isFinite(x)) return result;
  throw new PythonError('ValueError', 'math domain error');
}

const toInteger =
  (name: string, f: (x: number) => number) =>
  (...values: Value[]): Value => {
    const [x] = numbers(name, values, [1]);
    return typeof x === 'bigint' ? x : toInt(f(x));
  };

/** `min` and `max` of several values or of one list. */
const extreme =
  (name: string, sign: '<' | '>') =>
  (...values: Value[]): Value => {
    const items = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
    if (items.length === 0) throw new PythonError('ValueError', `${name}() of nothing`);
    return (items as Value[]).reduce((best, value) => (compare(sign, value, best) ? value : best));
  };

/** The functions that ComfyUI's Math Expression knows. */
export const functions: Readonly<Record<string, (...values: Value[]) => Value>> = {
  sum: (...values) => {
    const items = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
    return (items as Value[]).reduce((total, value) => binary('+', total, value), 0n);
  },
  min: extreme('min', '<'),
  max: extreme('max', '>'),
  abs: (...values) => {
    const [x] = numbers('abs', values, [1]);
    return typeof x === 'bigint' ? (x < 0n ? -x : x) : Math.abs(x);
  },
  round: (...values) => round(values),
  pow: (...values) => {
    const [a, b] = numbers('pow', values, [2]);
    if (Math.abs(Number(b)) > LARGEST_EXPONENT) {
      const most = `maximum allowed (${LARGEST_EXPONENT})`;
      throw new PythonError('ValueError', `Exponent ${b} exceeds ${most}`);
    }
    return binary('**', a, b);
  },
  sqrt: real('sqrt', Math.sqrt),
  ceil: toInteger('ceil', Math.ceil),
  floor: toInteger('floor', Math.floor),
  log: (...values) => {
    const given = numbers('log', values, [1, 2]).map(toFloat);
    const [x, base] = given.map((v) => inDomain(Math.log(v), v));
    if (base === 0) return zeroDivision();
    return base === undefined ? x : x / base;
  },
  log2: real('log2', Math.log2),
  log10: real('log10', Math.log10),
  sin: real('sin', Math.sin),
  cos: real('cos', Math.cos),
  tan: real('tan', Math.tan),
  int: (...values) => {
    if (typeof values[0] === 'string') return intOfText(values[0]);
    return toInteger('int', Math.trunc)(...values);
  },
  float: (...values) => {
    if (typeof values[0] === 'string') return floatOfText(values[0]);
    return toFloat(numbers('float', values, [1])[0]);
  },
};

/** `int("12")`; throws ValueError. */
export function intOfText(text: string): bigint {
  const digits = strip(text);
  if (/^[+-]?\d+(?:_\d+)*$/.test(digits) && digits.length <= 4300) {
    const value = BigInt(digits.replace(/^[+-]|_/g, ''));
    return digits.startsWith('-') ? -value : value;
  }
  const shown = JSON.stringify(text.slice(0, 100));
  throw new PythonError('ValueError', `invalid literal for int() with base 10: ${shown}`);
}

/** `float("1e3")`; throws ValueError. */
export function floatOfText(text: string): number {
  const digits = strip(text).toLowerCase();
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(digits);
  if (special) return (special[1] === '-' ? -1 : 1) * (special[2] === 'nan' ? NaN : Infinity);
  const number = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+)?$/;
  if (number.test(digits)) return Number(digits.replaceAll('_', ''));
  const shown = JSON.stringify(text.slice(0, 100));
  throw new PythonError('ValueError', `could not convert string to float: ${shown}`);
}

/** `round(x)` gives an integer, `round(x, digits)` a number like x; halves go to the even neighbour. */
function round(values: readonly Value[]): Value {
  const [x, digits] = numbers('round', values, [1, 2]);
  if (digits === undefined) return typeof x === 'bigint' ? x : toInt(roundDecimal(x, 0));
  if (typeof digits !== 'bigint') {
    throw new PythonError('TypeError', "'float' object cannot be interpreted as an integer");
  }
  const places = Number(digits);
  if (typeof x === 'number') return roundDecimal(x, places);
  if (places >= 0) return x;
  if (-places > bits(x)) return 0n;
  const unit = 10n ** BigInt(-places);
  const rest = modulo(x, unit);
  const down = x - rest;
  if (rest * 2n === unit) return (down / unit) % 2n === 0n ? down : down + unit;
  return rest * 2n < unit ? down : down + unit;
}

/** A float rounded at a decimal place by its exact value. */
function roundDecimal(x: number, places: number): number {
  if (!Number.isFinite(x) || places > 100) return x;
  if (places < 0) return places < -308 ? 0 * x : Number(round([toInt(x), BigInt(places)]));
  if (Math.abs(x) >= 1e21) return x;
  return Math.sign(x) * Number(halfEven(Math.abs(x), places));
}
