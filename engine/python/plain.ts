/** Which values Python would hold in lists and dictionaries of scalars. */
import { Float } from '../workflow/lossless-json.ts';

/** Whether a value is made of lists, plain objects and scalars only, so that JSON can hold it. */
export function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'function';
  if (value instanceof Float) return true;
  if (depth > 100) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => isPlain(item, depth + 1));
}
