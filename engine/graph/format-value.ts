/** Values of any kind as error reports show them. */
import { Float } from '../workflow/lossless-json.ts';
import { pythonRepr } from '../python/repr.ts';

const MAX_TEXT = 2000;
/** Longest text of an error report; nodes can make texts that no report could hold. */
const MAX_SCALAR = 100_000;

/** The text, or its beginning when it is too long for an error report. */
export const shortened = (text: string, most = MAX_SCALAR): string =>
  text.length > most ? `${text.slice(0, most)}…` : text;

/** JSON scalars as they are, but for very long texts; anything else as a short text. */
export function formatValue(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return shortened(value);
  if (typeof value !== 'object' && typeof value !== 'function') return value;
  if (value instanceof Float) return value;
  return shortened(describe(value, 0), MAX_TEXT);
}

/** Lists and plain objects by content, arrays by shape, anything else by class. */
function describe(value: unknown, depth: number): string {
  if (typeof value === 'function') return '<function>';
  if (typeof value === 'string') return pythonRepr(shortened(value, MAX_TEXT));
  if (typeof value !== 'object' || value === null || value instanceof Float) {
    return pythonRepr(value);
  }
  if ('shape' in value && Array.isArray(value.shape)) return `<array ${pythonRepr(value.shape)}>`;
  if (ArrayBuffer.isView(value)) return `<${value.constructor.name}>`;
  if (depth > 4) return '…';
  if (Array.isArray(value)) {
    return `[${value.map((item) => describe(item, depth + 1)).join(', ')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `<${value.constructor.name}>`;
  const members = Object.entries(value).map(
    ([key, item]) => `${pythonRepr(key)}: ${describe(item, depth + 1)}`,
  );
  return `{${members.join(', ')}}`;
}
