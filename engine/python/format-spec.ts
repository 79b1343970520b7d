/** Python's format specification mini-language: `format(value, '>+08,.2f')`. */
import { Float, pythonFloat } from '../workflow/lossless-json.ts';
import { PythonError } from './error.ts';
import { pythonStr, pythonTypeName } from './repr.ts';
import { length } from './string.ts';

interface Spec {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly alternate: boolean;
  readonly width: number;
  readonly group: string;
  readonly precision: number | undefined;
  readonly type: string;
}

const SPEC = /^(?:([^])?([<>=^]))?([-+ ]?)(z?)(#?)(0?)(\d*)([,_]?)(?:\.(\d+))?([a-zA-Z%]?)$/u;

/** Widest field, and most digits. */
const WIDEST = 10_000;

/** `format(value, spec)`; throws PythonError (ValueError, TypeError) where Python does. */
export function formatValue(value: unknown, text: string): string {
  if (text === '') return pythonStr(value);
  const plain = value instanceof Float ? value.value : value;
  const isFloat =
    value instanceof Float || (typeof plain === 'number' && !Number.isSafeInteger(plain));
  const spec = parse(text, typeof plain !== 'string');
  if (typeof plain === 'string') return formatText(plain, spec);
  if (typeof plain !== 'number' && typeof plain !== 'bigint' && typeof plain !== 'boolean') {
    const name = pythonTypeName(value);
    const why = `unsupported format string passed to ${name}.__format__`;
    throw new PythonError('TypeError', why);
  }
  if (!isFloat && (spec.type === '' || 'bcdoxXn'.includes(spec.type))) {
    return formatInteger(BigInt(plain), spec);
  }
  return formatFloat(Number(plain), spec);
}

function parse(text: string, isNumber: boolean): Spec {
  const match = SPEC.exec(text);
  if (match === null) throw new PythonError('ValueError', `Invalid format specifier '${text}'`);
  const [, fill, align, sign, , alternate, zero, width, group, precision, type] = match;
  if (Number(width) > WIDEST || Number(precision ?? 0) > WIDEST) {
    throw new PythonError('ValueError', 'Too many decimal digits in format string');
  }
  const padsWithZeros = zero === '0';
  return {
    fill: fill ?? (padsWithZeros ? '0' : ' '),
    align: align ?? (padsWithZeros && isNumber ? '=' : isNumber ? '>' : '<'),
    sign,
    alternate: alternate === '#',
    width: Number(width),
    group,
    precision: precision === undefined ? undefined : Number(precision),
    type,
  };
}

function formatText(value: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') unknownCode(spec.type, 'str');
  if (spec.align === '=' || spec.sign !== '') {
    throw new PythonError('ValueError', 'this format is not allowed in string format specifier');
  }
  const { precision } = spec;
  return pad('', precision === undefined ? value : [...value].slice(0, precision).join(''), spec);
}

const BASES: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInteger(value: bigint, spec: Spec): string {
  if (spec.precision !== undefined) {
    throw new PythonError('ValueError', 'Precision not allowed in integer format specifier');
  }
  if (spec.type === 'c') {
    if (value < 0n || value > 0x10ffffn) {
      throw new PythonError('OverflowError', '%c arg not in range(0x110000)');
    }
    return pad('', String.fromCodePoint(Number(value)), { ...spec, align: spec.align });
  }
  const [base, prefix] = BASES[spec.type] ?? [10, ''];
  const digits = (value < 0n ? -value : value).toString(base);
  const sign = signOf(value < 0n, spec) + (spec.alternate ? prefix : '');
  const shown = spec.type === 'X' ? digits.toUpperCase() : digits;
  return padNumber(sign, shown, '', spec, base === 10 ? 3 : 4);
}

function formatFloat(value: number, spec: Spec): string {
  const negative = value < 0 || Object.is(value, -0);
  const sign = signOf(negative, spec);
  const upper = spec.type !== '' && 'EFG'.includes(spec.type);
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? 'nan' : 'inf';
    const percent = spec.type === '%' ? '%' : '';
    return padNumber(sign, (upper ? name.toUpperCase() : name) + percent, '', spec, 3);
  }
  const shown = magnitude(Math.abs(value), spec);
  const [, whole, rest] = /^(\d+)([^]*)$/.exec(upper ? shown.toUpperCase() : shown) ?? [];
  return padNumber(sign, whole, rest, spec, 3);
}

function magnitude(value: number, { type, precision, alternate }: Spec): string {
  switch (type) {
    case 'f':
    case 'F':
      return fixed(value, precision ?? 6);
    case '%':
      return `${fixed(value * 100, precision ?? 6)}%`;
    case 'e':
    case 'E':
      return exponent(value, precision ?? 6);
    case 'g':
    case 'G':
    case 'n':
      return general(value, precision ?? 6, alternate);
    case '':
      if (precision === undefined) return pythonFloat(value);
      return general(value, precision, alternate, true);
    default:
      return unknownCode(type, 'float');
  }
}

/** Exact to 100 digits, which is what JavaScript gives; zeros behind them. */
function fixed(value: number, digits: number): string {
  const given = Math.min(100, digits);
  const text = value >= 1e21 ? wholeFixed(value, given) : halfEven(value, given);
  return text + '0'.repeat(digits - given);
}

const wholeFixed = (value: number, digits: number): string =>
  BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');

/** A magnitude below 1e21 with `digits` decimals (to 100); exact ties go to the even digit, unlike toFixed's. */
export const halfEven = (value: number, digits: number): string =>
  evenTie(value.toFixed(Math.min(100, digits + 60)), digits) ?? value.toFixed(digits);

/** `exact` cut to `digits` behind its point, if what is cut is half a digit and the last one is even. */
function evenTie(exact: string, digits: number): string | undefined {
  const point = exact.indexOf('.');
  if (point < 0 || !/^50*$/.test(exact.slice(point + 1 + digits))) return undefined;
  const cut = exact.slice(0, digits === 0 ? point : point + 1 + digits);
  return Number(cut.at(-1)) % 2 === 0 ? cut : undefined;
}

function exponent(value: number, digits: number): string {
  const given = Math.min(100, digits);
  const [exact, exactPower] = value.toExponential(Math.min(100, given + 60)).split('e');
  const tie = evenTie(exact, given);
  const [mantissa, power] =
    tie === undefined ? value.toExponential(given).split('e') : [tie, exactPower];
  return `${mantissa}${'0'.repeat(digits - given)}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

/** `g`: as many significant digits, trailing zeros dropped; a whole number may keep `.0`. */
function general(value: number, precision: number, alternate: boolean, keepsPoint = false): string {
  const digits = Math.min(100, Math.max(1, precision));
  const power = Number(exponent(value, digits - 1).split('e')[1]);
  const scientific = power < -4 || power >= (keepsPoint ? digits - 1 : digits);
  const text = scientific
    ? exponent(value, digits - 1)
    : fixed(value, Math.max(0, digits - 1 - power));
  if (alternate) return text;
  const [mantissa, tail] = text.split('e');
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const shown = keepsPoint && !scientific && !short.includes('.') ? `${short}.0` : short;
  return tail === undefined ? shown : `${shown}e${tail}`;
}

function signOf(negative: boolean, { sign }: Spec): string {
  if (negative) return '-';
  return sign === '-' ? '' : sign;
}

function unknownCode(type: string, name: string): never {
  const why = `Unknown format code '${type}' for object of type '${name}'`;
  throw new PythonError('ValueError', why);
}

/** Groups the whole digits, zero-filled ones too, and pads. */
function padNumber(sign: string, whole: string, rest: string, spec: Spec, every: number): string {
  if (spec.group === '') return pad(sign, whole + rest, spec);
  let digits = whole;
  if (spec.fill === '0' && spec.align === '=') {
    // Python never starts with the separator, so the field may be one wider.
    const room = spec.width - sign.length - rest.length;
    digits = whole.padStart(room - Math.floor((room - 1) / (every + 1)), '0');
  }
  return pad(sign, grouped(digits, spec.group, every) + rest, spec);
}

/** The digits with a separator before every so many, counted from the right. */
function grouped(digits: string, separator: string, every: number): string {
  const first = digits.length % every || every;
  const groups = [digits.slice(0, first)];
  for (let at = first; at < digits.length; at += every) groups.push(digits.slice(at, at + every));
  return groups.join(separator);
}

function pad(sign: string, body: string, { fill, align, width }: Spec): string {
  const missing = Math.max(0, width - length(sign + body));
  if (align === '=') return sign + fill.repeat(missing) + body;
  if (align === '>') return fill.repeat(missing) + sign + body;
  if (align === '<') return sign + body + fill.repeat(missing);
  const left = Math.floor(missing / 2);
  return fill.repeat(left) + sign + body + fill.repeat(missing - left);
}
