import { t } from './locale/translate.ts';

/** A value from JSON as text for display: strings as they are, nothing as '', the rest as JSON. */
export function textOf(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return otherwise;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return value.toString();
  }
  return JSON.stringify(value) ?? otherwise;
}

/** What browsers say when the server cannot be reached, for a request and for a part of the page. */
const unreachable =
  /^(Failed to fetch|NetworkError when|Load failed|Importing a module|error loading dynamically|Unable to preload)/;

/** What an error says, in words for people. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return unreachable.test(text) ? t('the server does not answer') : text;
}

/** A short mark of a text: texts that differ have, but for one in 2^53 cases, different ones (cyrb53). */
export function fingerprint(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return `${text.length}-${(b >>> 0).toString(16)}${(a >>> 0).toString(16)}`;
}
