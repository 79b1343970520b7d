/** numpy's `default_rng(seed)` (SeedSequence and PCG64, O'Neill 2014), number for number. */

export interface NumpyGenerator {
  /** A double in [0, 1) of 53 bits. */
  readonly random: () => number;
  /** `integers(0, end)`; end is 1 .. 2^32. */
  readonly below: (end: number) => number;
  /** The list in random order (`shuffle` of a list). */
  readonly shuffled: <T>(list: readonly T[]) => T[];
  /** `choice(list, p=weights, size=count, replace=False)`; weights need not sum to 1. */
  readonly choose: <T>(list: readonly T[], weights: readonly number[], count: number) => T[];
}

/** Words of SeedSequence's pool, and its constants. */
const POOL = 4;
const [INIT_A, MULT_A, INIT_B, MULT_B] = [0x43b0d7e5, 0x931e8875, 0x8b51f9dd, 0x58f38ded];
const [MIX_LEFT, MIX_RIGHT] = [0xca01f9dd, 0x4973f715];

/** A hash whose constant moves on with every value. */
function hasher(initial: number, factor: number): (value: number) => number {
  let constant = initial;
  return (value) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, factor);
    const product = Math.imul(mixed, constant);
    return (product ^ (product >>> 16)) >>> 0;
  };
}

function mix(x: number, y: number): number {
  const result = (Math.imul(MIX_LEFT, x) - Math.imul(MIX_RIGHT, y)) | 0;
  return (result ^ (result >>> 16)) >>> 0;
}

/** `SeedSequence(seed).generate_state(4, uint64)`. */
function seedState(seed: bigint): bigint[] {
  const entropy: number[] = [];
  for (let rest = seed; rest > 0n; rest >>= 32n) entropy.push(Number(rest & 0xffffffffn));
  const hash = hasher(INIT_A, MULT_A);
  const pool = Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  for (const word of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash(word));
  }
  const last = hasher(INIT_B, MULT_B);
  const words = Array.from({ length: 2 * POOL }, (_, i) => BigInt(last(pool[i % POOL])));
  return Array.from({ length: POOL }, (_, i) => words[2 * i] | (words[2 * i + 1] << 32n));
}

const MASK_64 = 2n ** 64n - 1n;
const MASK_128 = 2n ** 128n - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** `np.random.default_rng(seed)` of a whole number that is not negative. */
export function numpyGenerator(seed: number | bigint): NumpyGenerator {
  const [high, low, incrementHigh, incrementLow] = seedState(BigInt(seed));
  const increment = ((((incrementHigh << 64n) | incrementLow) << 1n) | 1n) & MASK_128;
  const step = (state: bigint): bigint => (state * MULTIPLIER + increment) & MASK_128;
  let state = step((increment + ((high << 64n) | low)) & MASK_128);
  /** The upper half of a 64-bit number whose lower half was taken as 32 bits. */
  let kept: number | undefined;

  const next64 = (): bigint => {
    state = step(state);
    const value = (state >> 64n) ^ (state & MASK_64);
    const turn = state >> 122n;
    return ((value >> turn) | (value << (64n - turn))) & MASK_64;
  };
  const next32 = (): number => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    const value = next64();
    kept = Number(value >> 32n);
    return Number(value & 0xffffffffn);
  };
  const random = (): number => Number(next64() >> 11n) / 2 ** 53;

  /** Lemire's way to a number below `end` without a division, as a rule. */
  const below = (end: number): number => {
    if (end <= 1) return 0;
    if (end === 2 ** 32) return next32();
    const rest = (2 ** 32 - end) % end;
    for (;;) {
      const product = BigInt(next32()) * BigInt(end);
      if (Number(product & 0xffffffffn) >= rest) return Number(product >> 32n);
    }
  };

  /** A number up to `most` by drawing masked bits until they fit, as `shuffle` draws. */
  const upTo = (most: number): number => {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (next32() & mask) >>> 0;
      if (value <= most) return value;
    }
  };

  return {
    random,
    below,
    shuffled(list) {
      const result = [...list];
      for (let i = result.length - 1; i > 0; i--) {
        const j = upTo(i);
        [result[i], result[j]] = [result[j], result[i]];
      }
      return result;
    },
    choose: (list, weights, count) => places(weights, count, random).map((at) => list[at]),
  };
}

/** Places without repetition: as many draws as are missing, those that were drawn already dropped. */
function places(weights: readonly number[], count: number, random: () => number): number[] {
  const possible = weights.filter((weight) => weight > 0).length;
  if (possible < count) throw new RangeError(`choice: expected at most ${possible}, got ${count}`);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const found: number[] = [];
  while (found.length < count) {
    const draws = Array.from({ length: count - found.length }, random);
    for (const at of found) shares[at] = 0;
    let sum = 0;
    const sums = shares.map((share) => (sum += share));
    const drawn = draws.map((x) => sums.findIndex((bound) => bound / sum > x));
    found.push(...new Set(drawn));
  }
  return found;
}
