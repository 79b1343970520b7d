/** Values that programs trip over. */
import type { Random } from './random.ts';

const TEXTS = [
  ...['', ' ', '0', '-1', '1e309', 'NaN', 'null', 'true', '\u0000', '\u202e', '\ud800', '猫🐈'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../..', '..\\..', '/etc/passwd'],
  ...['a/b', 'a\nb', '%', '%00', '%25%30', '[output]', 'x [temp]', 'CON', 'a:b', "'; --", '<b>'],
  ...['%date:yyyy%', '%width%', '{{', '(((((', 'embedding:x', '(a:1e9)', '[[[', '\\', '"', '*'],
];
const NUMBERS = [
  ...[0, -0, 1, -1, 2, 0.5, -0.5, 1e-320, 1e308, NaN, Infinity, -Infinity, 255, 65536],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 100_000],
];
const BIG = [2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), 10n ** 400n];

/** A text, mostly short. */
export function oddText(random: Random): string {
  if (random.chance(0.02)) return random.pick(['a', '猫', '(', '\n']).repeat(random.int(1, 20_000));
  return random.chance(0.2) ? random.bytes(random.int(0, 12)).toString('utf8') : random.pick(TEXTS);
}

/** Any JSON value, with what Python writes besides (NaN, endless integers); sometimes very deep. */
export function oddValue(random: Random, depth = 0): unknown {
  switch (random.int(0, depth > 3 ? 4 : 8)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick(BIG);
    case 3:
    case 4:
      return oddText(random);
    case 5:
      return Array.from({ length: random.int(0, 3) }, () => oddValue(random, depth + 1));
    case 6:
      return object(random, depth);
    case 7:
      return random.pick([
        ['1', 0],
        ['1', -1],
        ['1', 1e9],
        ['1', 0.5],
        ['1', '0'],
        ['1'],
        ['1', 0, 0],
        [1, 0],
        ['none', 0],
        { __value__: [1, 2] },
        { __type__: 'x' },
      ]);
    default:
      return depth === 0 ? nested(random) : [];
  }
}

function object(random: Random, depth: number): object {
  const made: Record<string, unknown> = {};
  for (let i = random.int(0, 3); i > 0; i--)
    set(made, oddText(random), oddValue(random, depth + 1));
  return made;
}

function nested(random: Random): unknown {
  let value: unknown = random.pick(NUMBERS);
  const inList = random.chance(0.5);
  for (let i = random.pick([5, 100, 500, 520, 1200]); i > 0; i--) {
    value = inList ? [value] : { a: value };
  }
  return value;
}

/** Sets an own property, also one that is called `__proto__`. */
export function set(target: object, key: string, value: unknown): void {
  const own = { value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(target, key, own);
}
