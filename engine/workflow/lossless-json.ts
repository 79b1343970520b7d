/**
 * JSON as ComfyUI's Python reads and writes it, without loss: integers beyond 2^53 become `bigint`,
 * a float literal whose value is whole (`5.0`, `1e3`) becomes a `Float` so that it is told apart
 * from `5`, and NaN / Infinity literals are accepted. Everything else is plain JavaScript, which puts
 * keys that look like array indices first, in ascending order; the order they were sent in is what
 * `keysOf`, `entriesOf` and `stringifyJson` give.
 */

/** A float literal with a whole value; all other floats are plain numbers. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  valueOf(): number {
    return this.value;
  }
}

export type Json =
  null | boolean | number | bigint | string | Float | Json[] | { [key: string]: Json };

/** The keys, as sent, of objects whose own order is another one. */
const sentKeys = new WeakMap<object, readonly string[]>();

/** Own keys in the order in which they were sent; keys that were added since come last. */
export function keysOf(object: object): string[] {
  const keys = Object.keys(object);
  const sent = sentKeys.get(object);
  if (sent === undefined) return keys;
  const known = new Set(sent);
  return [
    ...sent.filter((key) => Object.hasOwn(object, key)),
    ...keys.filter((key) => !known.has(key)),
  ];
}

/** Own members in the order in which they were sent. */
export const entriesOf = <T>(object: Readonly<Record<string, T>>): [key: string, value: T][] =>
  keysOf(object).map((key) => [key, object[key]]);

/** An object that keeps its members in this order for the functions above; the last of a key counts. */
export function objectOf<T>(entries: Iterable<readonly [key: string, value: T]>): {
  [key: string]: T;
} {
  const members = new Map(entries);
  return inOrder(Object.fromEntries(members), [...members.keys()]);
}

function inOrder<T extends object>(object: T, sent: readonly string[]): T {
  if (sent.some(isIndex) && Object.keys(object).some((key, i) => key !== sent[i])) {
    sentKeys.set(object, sent);
  }
  return object;
}

/** Whether JavaScript may sort a key before others. */
const isIndex = (key: string): boolean => /^(?:0|[1-9]\d{0,9})$/.test(key);

const MAX_DEPTH = 512;
/** Python's limit; longer integers cost quadratic time to convert. */
const MAX_DIGITS = 4300;
const NUMBER = /NaN|-?(?:Infinity|\d+(\.\d+)?([eE][+-]?\d+)?)/y;
// eslint-disable-next-line no-control-regex -- JSON forbids control characters in strings
const STRING = /"([^"\\\u0000-\u001f]*)(")?/y;

/** Parses JSON text; throws SyntaxError (with the position) on bad text or nesting over 512 levels. */
export function parseJson(text: string): Json {
  let at = 0;

  const fail = (what: string): never => {
    throw new SyntaxError(`${what} at position ${at}`);
  };

  const skipSpace = (): void => {
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 32 || c === 10 || c === 13 || c === 9) at++;
      else return;
    }
  };

  const parseString = (): string => {
    STRING.lastIndex = at;
    const plain = STRING.exec(text);
    if (plain === null) return fail('expected a string');
    if (plain[2] !== undefined) {
      at = STRING.lastIndex;
      return plain[1];
    }
    // Escapes present: find the closing quote, then let JSON.parse decode and check them.
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (end >= text.length) return fail('unterminated string');
    let value: string;
    try {
      value = JSON.parse(text.slice(at, end + 1)) as string;
    } catch {
      return fail('bad escape or control character in string');
    }
    at = end + 1;
    return value;
  };

  const parseNumber = (): Json => {
    NUMBER.lastIndex = at;
    const match = NUMBER.exec(text);
    if (match === null) return fail('unexpected character');
    const [token, fraction, exponent] = match;
    const digits = token.startsWith('-') ? token.slice(1) : token;
    if (digits.length > 1 && digits[0] === '0' && /\d/.test(digits[1])) fail('leading zero');
    at = NUMBER.lastIndex;
    const value = Number(token);
    if (fraction === undefined && exponent === undefined) {
      if (Number.isSafeInteger(value)) return value + 0; // never -0
      if (!/\d/.test(token)) return value; // NaN, Infinity
      if (digits.length > MAX_DIGITS) fail(`integer of more than ${MAX_DIGITS} digits`);
      return BigInt(token);
    }
    return Number.isInteger(value) ? new Float(value) : value;
  };

  const parseArray = (depth: number): Json[] => {
    at++;
    const items: Json[] = [];
    skipSpace();
    if (text[at] === ']') {
      at++;
      return items;
    }
    for (;;) {
      items.push(parseValue(depth));
      skipSpace();
      const c = text[at++];
      if (c === ']') return items;
      if (c !== ',') {
        at--;
        fail("expected ',' or ']'");
      }
    }
  };

  const parseObject = (depth: number): { [key: string]: Json } => {
    at++;
    const object: { [key: string]: Json } = {};
    /** Kept from the first key on that JavaScript may sort. */
    let sent: string[] | undefined;
    skipSpace();
    if (text[at] === '}') {
      at++;
      return object;
    }
    for (;;) {
      skipSpace();
      const key = parseString();
      skipSpace();
      if (text[at] !== ':') fail("expected ':'");
      at++;
      if (sent === undefined && isIndex(key)) sent = Object.keys(object);
      if (sent !== undefined && !Object.hasOwn(object, key)) sent.push(key);
      setOwn(object, key, parseValue(depth));
      skipSpace();
      const c = text[at++];
      if (c === '}') return sent === undefined ? object : inOrder(object, sent);
      if (c !== ',') {
        at--;
        fail("expected ',' or '}'");
      }
    }
  };

  const parseValue = (depth: number): Json => {
    if (depth > MAX_DEPTH) fail(`nesting deeper than ${MAX_DEPTH} levels`);
    skipSpace();
    switch (text[at]) {
      case '{':
        return parseObject(depth + 1);
      case '[':
        return parseArray(depth + 1);
      case '"':
        return parseString();
      case 't':
        return word('true', true);
      case 'f':
        return word('false', false);
      case 'n':
        return word('null', null);
      default:
        return parseNumber();
    }
  };

  const word = <T extends Json>(token: string, value: T): T => {
    if (!text.startsWith(token, at)) fail('unexpected character');
    at += token.length;
    return value;
  };

  const value = parseValue(0);
  skipSpace();
  if (at < text.length) fail('unexpected text after the value');
  return value;
}

/** Writes an own property even when the key is `__proto__`, so that hostile keys stay data. */
function setOwn(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  } else {
    object[key] = value;
  }
}

export interface StringifyOptions {
  /** 'python' (default): `", "` and `": "` separators, non-ASCII as \uXXXX; 'compact': neither. */
  readonly style?: 'python' | 'compact';
  /** Pretty-print with this many spaces, as json.dump(indent=n) does. */
  readonly indent?: number;
  /** json.dump's ensure_ascii; what the style does when it is not said. */
  readonly ascii?: boolean;
}

/** Writes a value as Python's json.dumps would; `undefined` members are left out. */
export function stringifyJson(value: unknown, options: StringifyOptions = {}): string {
  const { style = 'python', indent, ascii = style === 'python' } = options;
  const comma = indent !== undefined ? ',' : style === 'python' ? ', ' : ',';
  const colon = style === 'python' || indent !== undefined ? ': ' : ':';
  const pieces: string[] = [];

  const quote = (s: string): string => {
    const quoted = JSON.stringify(s);
    return ascii ? quoted.replace(/[\u007f-\uffff]/g, escapeUnit) : quoted;
  };

  const list = (
    open: string,
    close: string,
    count: number,
    level: number,
    item: () => void,
  ): void => {
    pieces.push(open);
    if (count > 0) {
      item();
      if (indent !== undefined) pieces.push('\n' + ' '.repeat(indent * level));
    }
    pieces.push(close);
  };

  const separate = (first: boolean, level: number): void => {
    if (!first) pieces.push(comma);
    if (indent !== undefined) pieces.push('\n' + ' '.repeat(indent * (level + 1)));
  };

  const write = (v: unknown, level: number): void => {
    if (v === null || v === undefined) pieces.push('null');
    else if (typeof v === 'string') pieces.push(quote(v));
    else if (typeof v === 'boolean' || typeof v === 'bigint') pieces.push(String(v));
    else if (typeof v === 'number') {
      pieces.push(Number.isInteger(v) && Number.isSafeInteger(v) ? String(v) : pythonFloat(v));
    } else if (v instanceof Float) pieces.push(pythonFloat(v.value));
    else if (Array.isArray(v)) {
      list('[', ']', v.length, level, () =>
        v.forEach((item, i) => {
          separate(i === 0, level);
          write(item, level + 1);
        }),
      );
    } else if (typeof v === 'object') {
      const entries = entriesOf(v as Record<string, unknown>).filter(
        ([, member]) => member !== undefined,
      );
      list('{', '}', entries.length, level, () =>
        entries.forEach(([key, member], i) => {
          separate(i === 0, level);
          pieces.push(quote(key), colon);
          write(member, level + 1);
        }),
      );
    } else {
      throw new TypeError(`a ${typeof v} cannot be written as JSON`);
    }
  };

  write(value, 0);
  return pieces.join('');
}

const escapeUnit = (c: string): string => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0');

/** Python's repr of a float: `5.0`, `1e-05`, `1e+16`, `NaN`, `Infinity` (JSON spelling of the last two). */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const [mantissa, exponentText] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (Number.isInteger(value)) return `${value.toString()}.0`;
  const plain = String(value);
  return plain.includes('e')
    ? value.toFixed(mantissa.replace(/[-.]/g, '').length - 1 - exponent)
    : plain;
}

/** Plain JavaScript of a parsed value: `Float` becomes a number; unsafe integers stay `bigint`. */
export function toPlain(value: Json): unknown {
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (value !== null && typeof value === 'object') {
    return objectOf(entriesOf(value).map(([key, member]) => [key, toPlain(member)] as const));
  }
  return value;
}
