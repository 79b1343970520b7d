/** Seeded choices: the same seed and number give the same request, on every machine. */

export interface Random {
  /** 0 <= x < 1. */
  next(): number;
  /** An integer, both ends included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** Generator number `index` of a run (mulberry32 on mixed seeds). */
export function createRandom(seed: number, index = 0): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (list) => list[int(0, list.length - 1)],
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(0, 255))),
  };
}

/** Changes some bytes, cuts a piece out, or doubles one. */
export function mutateBytes(random: Random, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original);
  for (let i = random.int(0, 4); i > 0 && bytes.length > 0; i--) {
    const at = random.int(0, bytes.length - 1);
    const end = Math.min(bytes.length, at + random.int(1, 64));
    switch (random.int(0, 4)) {
      case 0:
        bytes[at] = random.int(0, 255);
        break;
      case 1:
        bytes.set(
          random
            .pick([
              [0xff, 0xff, 0xff, 0xff],
              [0, 0, 0, 0],
              [0x7f, 0xff],
            ])
            .slice(0, bytes.length - at),
          at,
        );
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      default:
        bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}
