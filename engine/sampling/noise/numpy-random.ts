/** numpy's legacy generator (`np.random.seed`, `randint`, `permutation`), number for number. */
import { Mt19937 } from './mt19937.ts';

/** `np.random.RandomState(seed % (2^32 - 1))`, which is how ComfyUI's nodes seed it. */
export function numpyRandom(seed: number | bigint): NumpyRandom {
  const generator = new Mt19937(BigInt(seed) % 0xffffffffn);

  /** A whole number 0..most, by drawing masked bits until they fit. */
  const upTo = (most: number): number => {
    if (most === 0) return 0;
    const mask = most >= 2 ** 31 ? 0xffffffff : 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (generator.next() & mask) >>> 0;
      if (value <= most) return value;
    }
  };

  return {
    upTo,
    permutation: (count) => {
      const order = Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = upTo(i);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  };
}

export interface NumpyRandom {
  /** `randint(0, most + 1)`; most is below 2^32. */
  readonly upTo: (most: number) => number;
  /** The numbers 0 .. count - 1 in random order. */
  readonly permutation: (count: number) => number[];
}
