/** CPython's `random` after `random.seed(n)`, number for number. */
import { Mt19937 } from './mt19937.ts';

export interface PythonRandom {
  /** A double in [0, 1) of 53 bits. */
  readonly random: () => number;
  /** A whole number of so many bits. */
  readonly getrandbits: (count: number) => bigint;
  /** `randint(low, high)`, both ends included; whole numbers, whose distance is below 2^64. */
  readonly randint: (low: bigint, high: bigint) => bigint;
  readonly uniform: (low: number, high: number) => number;
  /** One of a list that is not empty. */
  readonly choice: <T>(list: readonly T[]) => T;
  /** `count` of them, any of them more than once (`choices`, without weights). */
  readonly choices: <T>(list: readonly T[], count: number) => T[];
  /** The list in random order (`shuffle` on a copy). */
  readonly shuffled: <T>(list: readonly T[]) => T[];
  /** `count` of the list's places (`sample`); at most as many as there are. */
  readonly sample: <T>(list: readonly T[], count: number) => T[];
  /** Where it stands, as plain numbers (`getstate`). */
  readonly save: () => number[];
  /** Goes on from there; throws RangeError for what `save` does not give. */
  readonly restore: (saved: readonly number[]) => void;
}

/** The 32-bit words of |seed|, lowest first. */
function wordsOf(seed: bigint): number[] {
  const words = [];
  for (let rest = seed < 0n ? -seed : seed; rest > 0n; rest >>= 32n) {
    words.push(Number(rest & 0xffffffffn));
  }
  return words.length === 0 ? [0] : words;
}

/** `random.Random(seed)` of a whole number. */
export function pythonRandom(seed: number | bigint): PythonRandom {
  const generator = Mt19937.fromWords(wordsOf(BigInt(seed)));

  /** `getrandbits`: words from the lowest, the last one cut. */
  const bits = (count: number): bigint => {
    let value = 0n;
    for (let at = 0; at < count; at += 32) {
      const word = generator.next() >>> Math.max(0, 32 - (count - at));
      value |= BigInt(word) << BigInt(at);
    }
    return value;
  };

  /** A whole number below `end`, by drawing until one fits. */
  const below = (end: bigint): bigint => {
    if (end <= 0n)
      throw new RangeError(`random: expected a range that holds something, got ${end}`);
    const count = end.toString(2).length;
    for (;;) {
      const value = bits(count);
      if (value < end) return value;
    }
  };
  const place = (count: number): number => Number(below(BigInt(count)));

  const random = (): number => {
    const high = generator.next() >>> 5;
    return (high * 67108864 + (generator.next() >>> 6)) / 9007199254740992;
  };

  return {
    random,
    getrandbits: bits,
    randint: (low, high) => low + below(high - low + 1n),
    uniform: (low, high) => low + (high - low) * random(),
    choice: (list) => list[place(list.length)],
    choices: (list, count) =>
      Array.from({ length: count }, () => list[Math.floor(random() * list.length)]),
    shuffled(list) {
      const result = [...list];
      for (let i = result.length - 1; i > 0; i--) {
        const j = place(i + 1);
        [result[i], result[j]] = [result[j], result[i]];
      }
      return result;
    },
    sample: (list, count) => places(list.length, count, place).map((at) => list[at]),
    save: () => generator.save(),
    restore: (saved) => generator.restore(saved),
  };
}

/** Which places `sample` takes: from a pool when the list is short, else those not taken yet. */
function places(length: number, count: number, place: (count: number) => number): number[] {
  if (count > length) throw new RangeError(`sample: expected at most ${length}, got ${count}`);
  const shortest = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
  if (length <= shortest) {
    const pool = Array.from({ length }, (_, i) => i);
    return Array.from({ length: count }, (_, i) => {
      const j = place(length - i);
      const taken = pool[j];
      pool[j] = pool[length - i - 1];
      return taken;
    });
  }
  const taken = new Set<number>();
  while (taken.size < count) taken.add(place(length));
  return [...taken];
}
