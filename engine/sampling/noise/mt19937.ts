/**
 * Mersenne Twister 19937 with 32-bit outputs (Matsumoto and Nishimura 1998), seeded as torch's CPU
 * generator seeds it: from the low 32 bits of the seed only.
 */
const size = 624;
const shift = 397;

export class Mt19937 {
  private readonly state = new Uint32Array(size);
  private position = size;

  constructor(seed: bigint) {
    this.state[0] = Number(seed & 0xffffffffn);
    for (let j = 1; j < size; j++) {
      const previous = this.state[j - 1];
      this.state[j] = Math.imul(1812433253, previous ^ (previous >>> 30)) + j;
    }
  }

  /** Seeded from any number of 32-bit words (the paper's `init_by_array`), as CPython and numpy seed it. */
  static fromWords(words: readonly number[]): Mt19937 {
    const generator = new Mt19937(19650218n);
    const { state } = generator;
    let i = 1;
    const mixed = (factor: number): number =>
      state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor);
    const advance = (): void => {
      if (++i < size) return;
      state[0] = state[size - 1];
      i = 1;
    };
    for (let k = 0; k < Math.max(size, words.length); k++) {
      const j = k % words.length;
      state[i] = mixed(1664525) + words[j] + j;
      advance();
    }
    for (let k = 0; k < size - 1; k++) {
      state[i] = mixed(1566083941) - i;
      advance();
    }
    state[0] = 0x80000000;
    return generator;
  }

  /** Its 624 words and its place among them, as CPython's `getstate` lists them. */
  save(): number[] {
    return [...this.state, this.position];
  }

  /** Goes on where `save` was called; throws RangeError for anything that it does not give. */
  restore(saved: readonly number[]): void {
    const isWord = (v: number): boolean => Number.isInteger(v) && v >= 0 && v < 2 ** 32;
    if (saved.length !== size + 1 || !saved.every(isWord) || saved[size] > size) {
      throw new RangeError('Mersenne Twister: this is no state of such a generator');
    }
    this.state.set(saved.slice(0, size));
    this.position = saved[size];
  }

  /** The next output, 0 .. 2^32 - 1. */
  next(): number {
    if (this.position === size) this.twist();
    let y = this.state[this.position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const state = this.state;
    for (let j = 0; j < size; j++) {
      const y = (state[j] & 0x80000000) | (state[(j + 1) % size] & 0x7fffffff);
      state[j] = state[(j + shift) % size] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }
}
