/** numpy's SeedSequence (pool of 24 words, as torchsde uses it): many good seeds from one. */
const poolSize = 24;

/** A non-negative integer as little-endian 32-bit words; 0 is one word. */
function words(value: bigint): number[] {
  const list: number[] = [];
  do {
    list.push(Number(value & 0xffffffffn));
    value >>= 32n;
  } while (value > 0n);
  return list;
}

/** One running hash: each word also advances the multiplier. */
function hasher(constant: number, multiplier: number): (word: number) => number {
  return (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, multiplier);
    const value = Math.imul(mixed, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
}

function mix(x: number, y: number): number {
  const value = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0;
  return (value ^ (value >>> 16)) >>> 0;
}

/** The first `count` state words of `SeedSequence(entropy, spawn_key, pool_size=24)`. */
export function seedWords(
  entropy: bigint,
  spawnKey: readonly number[],
  count: number,
): readonly number[] {
  const input = words(entropy);
  if (spawnKey.length > 0) {
    while (input.length < poolSize) input.push(0);
    for (const key of spawnKey) input.push(...words(BigInt(key)));
  }
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: poolSize }, (_, i) => hash(input[i] ?? 0));
  for (let source = 0; source < poolSize; source++) {
    for (let target = 0; target < poolSize; target++) {
      if (source !== target) pool[target] = mix(pool[target], hash(pool[source]));
    }
  }
  for (const word of input.slice(poolSize)) {
    for (let target = 0; target < poolSize; target++) {
      pool[target] = mix(pool[target], hash(word));
    }
  }
  const output = hasher(0x8b51f9dd, 0x58f38ded);
  return Array.from({ length: count }, (_, k) => output(pool[k % poolSize]));
}
