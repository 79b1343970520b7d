/** Python's `str.format`: `{name}`, `{name!r}`, `{name[0]}`, `{name:>{width}.2f}`. */
import { Float } from '../workflow/lossless-json.ts';
import { PythonError } from './error.ts';
import { formatValue } from './format-spec.ts';
import { pythonRepr, pythonStr } from './repr.ts';

/** Longest result. */
const LONGEST = 1_000_000;

type Names = Readonly<Record<string, unknown>>;

/**
 * `text.format(**names)`. Fields are named; attributes are not looked into. Throws PythonError: ValueError
 * for braces that do not fit, KeyError for unknown names, and what the values' own formats raise.
 */
export function format(text: string, names: Names): string {
  return replaceFields(text, names, 2);
}

/** Fields may stand inside a field's format, one level deep. */
function replaceFields(text: string, names: Names, depth: number): string {
  if (depth === 0) fail('Max string recursion exceeded');
  let result = '';
  for (let at = 0; at < text.length;) {
    const next = text.slice(at).search(/[{}]/);
    if (next < 0) return checked(result + text.slice(at));
    result += text.slice(at, at + next);
    at += next;
    if (text[at + 1] === text[at]) {
      result += text[at];
      at += 2;
      continue;
    }
    if (text[at] === '}') fail("Single '}' encountered in format string");
    const end = closing(text, at + 1);
    result = checked(result + field(text.slice(at + 1, end), names, depth));
    at = end + 1;
  }
  return result;
}

/** Where the brace opened before `from` is closed. */
function closing(text: string, from: number): number {
  let open = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') open++;
    else if (text[i] === '}' && --open === 0) return i;
  }
  return fail(
    from >= text.length
      ? "Single '{' encountered in format string"
      : "expected '}' before end of string",
  );
}

const FIELD = /^((?:[^[\]!:]|\[[^\]]*\])*)(?:!([^:]*))?(?::([^]*))?$/;

function field(text: string, names: Names, depth: number): string {
  const match = FIELD.exec(text);
  if (match === null) return fail(`bad replacement field ${pythonRepr(text)}`);
  const [, path, conversion, spec = ''] = match;
  const value = lookUp(path, names);
  const width =
    spec.includes('{') || spec.includes('}') ? replaceFields(spec, names, depth - 1) : spec;
  return formatValue(conversion === undefined ? value : converted(value, conversion), width);
}

function lookUp(path: string, names: Names): unknown {
  const [, name, rest] = /^([^.[]*)([^]*)$/.exec(path) ?? [];
  if (/^\d*$/.test(name)) {
    const index = name === '' ? 0 : Number(name);
    const why = `Replacement index ${index} out of range for positional args tuple`;
    throw new PythonError('IndexError', why);
  }
  if (!Object.hasOwn(names, name)) throw new PythonError('KeyError', pythonRepr(name));
  let value = names[name];
  for (const [, index] of rest.matchAll(/\[([^\]]*)\]|[^]/g)) {
    if (index === undefined) fail("only '[…]' may follow a name; attributes are not looked into");
    value = indexed(value, index);
  }
  return value;
}

function indexed(value: unknown, index: string): unknown {
  if (Array.isArray(value)) {
    if (!/^\d+$/.test(index)) {
      throw new PythonError('TypeError', 'list indices must be integers or slices, not str');
    }
    if (Number(index) >= value.length) {
      throw new PythonError('IndexError', 'list index out of range');
    }
    return value[Number(index)];
  }
  if (isDictionary(value)) {
    if (Object.hasOwn(value, index)) return (value as Record<string, unknown>)[index];
    throw new PythonError('KeyError', pythonRepr(index));
  }
  throw new PythonError('TypeError', 'the value cannot be subscripted');
}

const isDictionary = (value: unknown): value is object =>
  value !== null &&
  typeof value === 'object' &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Float);

function converted(value: unknown, conversion: string): string {
  if (conversion === 's') return pythonStr(value);
  const repr = pythonRepr(value);
  if (conversion === 'r') return repr;
  if (conversion === 'a') {
    return repr.replace(/[^\0-\x7f]/gu, (char) => {
      const code = char.codePointAt(0) ?? 0;
      if (code < 0x100) return `\\x${code.toString(16)}`;
      if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
      return `\\U${code.toString(16).padStart(8, '0')}`;
    });
  }
  return fail(`Unknown conversion specifier ${conversion}`);
}

function checked(text: string): string {
  if (text.length > LONGEST) fail(`the text becomes longer than ${LONGEST} characters`);
  return text;
}

function fail(message: string): never {
  throw new PythonError('ValueError', message);
}
